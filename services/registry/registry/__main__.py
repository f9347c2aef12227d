"""Runs the registry: `python -m registry`."""

from mesh.server import run

from registry.app import bind
from registry.settings import Settings

run("registry", Settings, bind)
