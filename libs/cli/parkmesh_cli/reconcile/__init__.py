"""Reconciles a recorded day with the platform, lot by lot and day by day."""
