"""What the history writer writes: rows of records, of the journal and the registry, and for how long they are kept."""
