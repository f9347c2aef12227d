"""A small simulated city, played against a running platform."""
