"""Entries and exits and their revisions: taken in, judged, appended once, folded into what holds, read back."""
