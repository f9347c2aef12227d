"""Runs guidance: `python -m guidance`."""

from mesh.server import run

from guidance.app import bind
from guidance.settings import Settings

if __name__ == "__main__":
    run("guidance", Settings, bind)
