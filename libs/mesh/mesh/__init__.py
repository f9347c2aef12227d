"""The one runtime every service starts with."""
