"""Backups of a platform on one machine: made while it runs, checked, and put back in place."""
