"""`parkmesh admin`: the authority's work from a terminal, a module for each noun of the register."""
