"""Runs the projection that pairs entries and exits: `python -m access_records.visits`."""

from mesh.server import run

from access_records.settings import VisitSettings
from access_records.visits.app import bind

if __name__ == "__main__":
    run("visits", VisitSettings, bind)
