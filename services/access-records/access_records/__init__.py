"""Entries and exits: upload, stream, get, list, and the history writer."""
