"""The parkmesh command: replay, demo."""
