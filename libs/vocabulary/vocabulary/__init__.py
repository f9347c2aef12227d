"""The field's words as pure values: plates, codes, coordinates, money and Beijing time; no I/O."""
