"""The durable log on Redis Streams: append once, read on from a position."""
