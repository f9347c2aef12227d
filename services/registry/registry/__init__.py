"""Lots, gates, vendors, credentials, grants, and the directory every service watches."""
