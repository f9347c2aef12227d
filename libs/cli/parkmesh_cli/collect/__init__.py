"""Records that a person collected by hand, for a lot without devices (R6.3)."""
