"""Visits: the entry and the exit of one vehicle, paired; a projection of the record log with a position of its own."""
