"""Making projections of the history anew from all that was reported, and proving them equal."""
