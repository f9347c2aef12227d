"""A history of years and its visits, made inside the engine by SQL on a server of its own: what questions cost then."""

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from access_records.history_writer import filled, migrate
from access_records.writing.retention import Retention
from history.client import Account, HistoryClient
from history.server.testing import running_server
from vocabulary import beijing

from .figures import Figures
from .ledger import Void

LOTS: Final = 100
FIRST_MS: Final = beijing.day_bounds_of("2020-01-01").start_ms
_SQL: Final = Path(__file__).parent / "sql"
_CHUNK: Final = 500_000
_RECORDS_OF_A_CAR: Final = 40
_DEADLINE_S: Final = 600.0
_DAY_MS: Final = 86_400_000
_ANY_PARTITION: Final = {"max_partitions_per_insert_block": 0}


@dataclass
class Years:
    """The records that were made so far, a day's worth of them for every day since FIRST_MS."""

    owner: HistoryClient
    analyst: HistoryClient
    reader: HistoryClient
    records_of_a_day: int
    most: int
    """How many there will be at most: a vehicle is seen as often, however many there are."""
    records: int = 0

    @property
    def days(self) -> int:
        """How many whole days are there."""
        return self.records // self.records_of_a_day

    async def grow(self, records: int) -> None:
        """Makes further records until there are that many. Void when they are not there then."""
        while self.records < records:
            await self.make(min(_CHUNK, records - self.records))
            await self.insert()
            await self.owner.execute(sql("make_corrections"))
            await self.insert_into("record_revisions", "bench_corrections")
            await self.owner.execute(sql("make_rejections"))
            await self.owner.execute(sql("make_visits"))
            await self.insert_into("visits", "bench_visits")
        for table in ("record_revisions", "records_current"):
            ((found,),) = await self.owner.rows(f"SELECT count() FROM store.{table} WHERE log_offset < {records}")
            if found != records:
                raise Void(f"{records} records were made, and store.{table} holds {found}")
        ((found,),) = await self.owner.rows("SELECT count() FROM store.visits FINAL")
        if found != records // 2:
            raise Void(f"{records // 2} visits were made, and store.visits holds {found}")
        await self.quiet()

    async def make(self, count: int) -> None:
        """Makes the next records, ready to be inserted."""
        await self.owner.execute(
            sql("make_rows"),
            {
                "first": self.records,
                "count": count,
                "lots": LOTS,
                "cars": max(1, self.most // _RECORDS_OF_A_CAR),
                "start_ms": FIRST_MS,
                "step_ms": _DAY_MS // self.records_of_a_day,
            },
        )
        self.records += count

    async def insert(self) -> None:
        """Inserts what was made into both tables, with all that follows from it."""
        await self.insert_into("record_revisions", "bench_rows")
        await self.insert_into("records_current", "bench_rows")

    async def insert_into(self, table: str, made: str) -> None:
        """Inserts what was made into one table, by the names of its columns."""
        named = [name for (name,) in await self.owner.rows(f"SELECT name FROM system.columns WHERE table = '{made}'")]
        columns = ", ".join(named)
        await self.owner.execute(
            f"INSERT INTO store.{table} ({columns}) SELECT {columns} FROM store.{made}",
            settings=_ANY_PARTITION,
        )

    async def quiet(self) -> None:
        """Returns when nothing is merged any more, or after a minute."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while (await self.owner.rows("SELECT count() FROM system.merges"))[0][0]:  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def years(records_of_a_day: int, most: int) -> AsyncIterator[Years]:
    """An empty history that keeps for ever, with the register of a city of LOTS lots."""
    with tempfile.TemporaryDirectory(prefix="bench-years-") as folder, running_server(Path(folder)) as server:

        def client(who: str, database: str = "default") -> HistoryClient:
            account = Account(server.url, who, server.secrets[who], database=database, deadline=_DEADLINE_S)
            return HistoryClient(account)

        async with client("owner") as owner, client("analyst", "parkmesh") as analyst, client("reader") as reader:
            await migrate(owner, Retention(records=0, rejections=0))
            await filled(owner)
            for name in ("make_lots", "make_operators", "make_gates"):
                await owner.execute(sql(name), {"lots": LOTS})
            yield Years(owner, analyst, reader, records_of_a_day, most)


@cache
def sql(name: str) -> str:
    """One of the files beside this one."""
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


async def asked(client: HistoryClient, text: str, every: Sequence[dict[str, Any]], *, warm: bool = True) -> list[float]:
    """How many milliseconds each answer took; `warm`: behind one that finds nothing in memory and is not counted."""
    took = []
    for parameters in [*every[:warm], *every]:
        begun = time.perf_counter()
        await client.rows(text, parameters, deadline=_DEADLINE_S)
        took.append((time.perf_counter() - begun) * 1000)
    return took[warm:]


def enter(figures: Figures, name: str, took: Sequence[float]) -> float:
    """Enters every sample; gives what a quarter of them stays below, which others on the machine disturb least."""
    for one in took:
        figures.add(name, "ms", one)
    return statistics.quantiles(took, n=4)[0]
