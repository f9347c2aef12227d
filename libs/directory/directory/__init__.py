"""A service's in-memory copy of the registry facts it needs, kept fresh."""
