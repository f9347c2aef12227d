"""Keeps the history's lots, operators and gates equal to the registry's, as the directory tells of changes.

A row says of which epoch and revision of the registry it is. Its version is that revision on top of a base that all
rows of the epoch share, so that a row of a later revision always wins, and one of a new epoch over all there were.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final, NamedTuple

from directory import Change, Directory, Fact, GateFacts, LotFacts, OperatorFacts
from history.client import HistoryClient
from history.errors import HistoryUnavailable
from history.writer import Batch, BatchWriter
from parkmesh.access.v1 import gate_row_pb2, lot_row_pb2, operator_row_pb2
from parkmesh.registry.v1 import coordinate_pb2
from vocabulary import division

from access_records import tables
from access_records.queries import query

_log = logging.getLogger(__name__)
_RETRY_S: Final = 1.0

TABLES: Final = (tables.LOTS, tables.OPERATORS, tables.GATES)
"""What is kept equal to the registry."""


class AsOf(NamedTuple):
    """The state of the registry that a row is of."""

    epoch: str
    revision: int
    base: int
    """What is added to the revisions of this epoch."""

    @property
    def version(self) -> int:
        """The version of such a row."""
        return self.base + self.revision


class RegistryRows:
    """Writes what is new or changed; after a restart all of it, which changes nothing that is equal."""

    def __init__(self, directory: Directory, client: HistoryClient, writer: BatchWriter) -> None:
        """The writer must know TABLES."""
        self._directory = directory
        self._client = client
        self._writer = writer
        self._changed: dict[tuple[str, ...], Fact] = {}
        self._wake = asyncio.Event()
        self._bases: dict[str, int] = {}
        directory.subscribe(self._note)

    def _note(self, change: Change) -> None:
        fact = change.after
        if isinstance(fact, LotFacts | OperatorFacts | GateFacts):
            self._changed[_key(fact)] = fact
            self._wake.set()

    async def run(self) -> None:
        """Follows until cancelled; waits while ClickHouse is away."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, {}
            # The state that was reached when these were told; what is told while they are written is of a later one.
            epoch, revision = self._directory.epoch, self._directory.revision
            try:
                as_of = AsOf(epoch, revision, await self._base(epoch))
                await self._writer.write(batch_of(changed.values(), as_of))
            except HistoryUnavailable:
                _log.warning("%d changed facts of the registry wait: the history does not answer", len(changed))
                self._changed = changed | self._changed
                self._wake.set()
                await asyncio.sleep(_RETRY_S)

    async def _base(self, epoch: str) -> int:
        """What the rows of this epoch were written with, or else what puts them above all that are there."""
        if epoch not in self._bases:
            ((mine, highest),) = await self._client.rows(query("registry_base"), {"epoch": epoch})
            self._bases = {epoch: highest + 1 if mine is None else mine}
        return self._bases[epoch]


def batch_of(facts: Iterable[Fact], as_of: AsOf) -> Batch:
    """The rows of facts, by table."""
    rows: dict[str, list[bytes]] = {table.name: [] for table in TABLES}
    for fact in facts:
        match fact:
            case LotFacts():
                rows[tables.LOTS.name].append(lot_row(fact, as_of).SerializeToString())
            case OperatorFacts():
                rows[tables.OPERATORS.name].append(operator_row(fact, as_of).SerializeToString())
            case GateFacts():
                rows[tables.GATES.name].append(gate_row(fact, as_of).SerializeToString())
    return {name: {0: made} for name, made in rows.items()}


def lot_row(lot: LotFacts, as_of: AsOf) -> lot_row_pb2.LotRow:
    """The row of a lot."""
    row = lot_row_pb2.LotRow(
        lot_id=lot.lot_id,
        registration_number=lot.registration_number,
        name=lot.name,
        type=lot.type,
        division_code=lot.division_code,
        division_name=division.name(lot.division_code) or "",
        address=lot.address,
        open_berths=lot.open_berths,
        state=lot.state,
        operator_id=lot.operator_id,
        in_scope=lot.in_scope,
        management_area=lot.management_area,
        registry_epoch=as_of.epoch,
        registry_revision=as_of.revision,
        version=as_of.version,
    )
    if lot.position:
        row.latitude, row.longitude = lot.position.gcj02
        row.coordinate_system = coordinate_pb2.COORDINATE_SYSTEM_GCJ02
    return row


def operator_row(operator: OperatorFacts, as_of: AsOf) -> operator_row_pb2.OperatorRow:
    """The row of an operator."""
    return operator_row_pb2.OperatorRow(
        operator_id=operator.operator_id,
        name=operator.name,
        registry_epoch=as_of.epoch,
        registry_revision=as_of.revision,
        version=as_of.version,
    )


def gate_row(gate: GateFacts, as_of: AsOf) -> gate_row_pb2.GateRow:
    """The row of a gate."""
    return gate_row_pb2.GateRow(
        lot_id=gate.lot_id,
        gate_id=gate.gate_id,
        name=gate.name,
        state=gate.state,
        lane_ids=[lane_id for lane_id, _ in gate.lanes],
        lane_directions=[direction for _, direction in gate.lanes],
        registry_epoch=as_of.epoch,
        registry_revision=as_of.revision,
        version=as_of.version,
    )


def _key(fact: LotFacts | OperatorFacts | GateFacts) -> tuple[str, ...]:
    match fact:
        case LotFacts():
            return ("lot", fact.lot_id)
        case OperatorFacts():
            return ("operator", fact.operator_id)
        case GateFacts():
            return ("gate", fact.lot_id, fact.gate_id)
