"""What the register tells of its past: changes, lateness, the audit trail, and the feed that services watch."""
