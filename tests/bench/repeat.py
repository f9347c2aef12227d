"""One round of all scenarios: how much each sends, and where its samples go."""

import time
from dataclasses import dataclass
from typing import Final

from . import bare, upload
from .figures import Figures
from .load import Job
from .register import FilledRegister
from .stage import Stage

_DAY_MS: Final = 86_400_000
_FRESH_MS: Final = 10 * 3_600_000
_OLD_MS: Final = 3 * 365 * _DAY_MS
_RATE: Final = "records/s"


@dataclass(frozen=True)
class Extent:
    """How much each scenario sends."""

    lots: int
    batches: int
    """Of 1,000 records in each durable run."""
    edge_records: int
    unary: int
    stream: int
    seconds: float
    """How long each latency run lasts."""
    called_lots: int
    """Registered with one call each, and one for each of their gates."""
    surveyed_lots: int
    """Registered by a census of lots and one of gates; as many are in the register of the directory's cold start."""
    berths: int
    """In that register."""
    revocations: int
    """Of each right, by each way of sending."""
    rights_batches: int
    """Of 1,000 records, with and without rights, each."""
    rights_lots: int
    """Over how many lots one half of them goes."""
    checks: int
    """Of a bearer token; of signed requests fewer."""
    history_rows: int
    """In the history that reconciliation is measured over."""
    past_records: int
    """In the history that the published views are asked of."""
    grown_records: int
    """In the longest of three histories, each ten times as long as the one before."""
    questions: int
    """How often each question is asked of them."""


FULL: Final = Extent(
    lots=100,
    batches=60,
    edge_records=30_000,
    unary=2_000,
    stream=10_000,
    seconds=6.0,
    called_lots=1_000,
    surveyed_lots=3_000,
    berths=100_000,
    revocations=100,
    rights_batches=30,
    rights_lots=1_000,
    checks=20_000,
    history_rows=10_000_000,
    past_records=10_000_000,
    grown_records=20_000_000,
    questions=9,
)
QUICK: Final = Extent(
    lots=20,
    batches=10,
    edge_records=5_000,
    unary=300,
    stream=800,
    seconds=2.0,
    called_lots=30,
    surveyed_lots=60,
    berths=1_000,
    revocations=4,
    rights_batches=3,
    rights_lots=50,
    checks=600,
    history_rows=20_000,
    past_records=20_000,
    grown_records=20_000,
    questions=2,
)


@dataclass
class Repeat:
    """One round of all scenarios."""

    stage: Stage
    figures: Figures
    number: int
    extent: Extent
    register: FilledRegister | None = None
    """A whole city's; only where a scenario asks for it."""
    baseline: bare.Bare | None = None
    """What the engine did by itself in this round, once it was measured."""

    def job(self, name: str, how: str, count: int, size: int, at_once: int, *, old: bool = False) -> Job:
        """A job for the edge, or straight for the service when its name begins with `direct`."""
        now_ms = int(time.time() * 1000)
        direct = name.startswith("direct")
        # Every repeat's old records are of days of their own.
        first_ms = now_ms - (_OLD_MS - self.number * _DAY_MS if old else _FRESH_MS)
        return Job(
            how=how,
            address=self.stage.service if direct else self.stage.edge,
            ca="" if direct else self.stage.ca,
            prefix=f"{name.replace('.', '-')}-{self.number}",
            count=count,
            size=size,
            first_ms=first_ms,
            last_ms=first_ms + (_DAY_MS if old else _FRESH_MS - 1_000),
            at_once=at_once,
            places=self.stage.places,
        )

    async def rate(self, name: str, job: Job) -> None:
        """Runs the job and enters what it found."""
        self.enter(name, await upload.run(self.stage, job))

    def enter(self, name: str, run: upload.Run) -> None:
        """Enters a run's two rates and the processor time of every process."""
        base = self.baseline.one_table if self.baseline else None
        self.figures.add(f"{name}.stored", _RATE, run.stored_rate, run.stored_rate / base if base else None)
        acknowledged = run.acknowledged_rate
        self.figures.add(f"{name}.acknowledged", _RATE, acknowledged, acknowledged / base if base else None)
        for process, used in sorted(run.cpu_s.items()):
            self.figures.add(f"{name}.cpu.{process}", "µs/record", used * 1e6 / run.records)
