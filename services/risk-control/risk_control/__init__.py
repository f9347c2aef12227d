"""Who may call and how often: the edge's authorization and rate limits."""
