"""Runs risk-control."""

from mesh.server import run

from risk_control.app import bind
from risk_control.settings import Settings

run("risk-control", Settings, bind)
