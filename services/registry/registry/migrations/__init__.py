"""The schema, step by step, forward only; run at every start."""
