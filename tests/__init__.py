"""What crosses rooms: tests of the whole, and its measurements."""
