"""The whole platform, running, and everything that can be asked of it from outside."""
