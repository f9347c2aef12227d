"""Replays a recorded day of free-space counts as the entries and exits behind it."""
