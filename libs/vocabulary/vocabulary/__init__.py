"""The field's words as pure values: plates, codes, names, phones, places, hours, money and Beijing time; no I/O."""
