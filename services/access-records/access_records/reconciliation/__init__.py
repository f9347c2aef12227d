"""Reconciliation with the lots' own systems (R5.2h): three tiers on one fingerprint, repair, and the closed day."""
