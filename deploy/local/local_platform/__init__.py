"""Starts, watches and restarts the whole platform on one machine."""
