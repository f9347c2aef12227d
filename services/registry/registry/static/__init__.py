"""The law's static data (R5.1) and the rules it is held to: filed, changed, listed, seen."""
