"""Runs access-records: `python -m access_records`."""

from mesh.server import run

from access_records.app import bind
from access_records.settings import Settings

if __name__ == "__main__":
    run("access-records", Settings, bind)
