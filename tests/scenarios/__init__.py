"""The whole platform as vendors and analysts meet it, on real input and on bad."""
