"""The field's words as pure values: plates, codes, time, money; no I/O."""
