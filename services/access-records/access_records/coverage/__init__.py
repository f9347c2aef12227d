"""Which lots report, which have fallen silent, and which nobody is connected to (R6.1, R6.3)."""
