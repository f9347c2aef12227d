"""What the history is told of the registry's lots, operators and gates, and that the later state always wins."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from access_records.testing import LOT, OPERATOR, Platform
from access_records.writing.registry_rows import TABLES, AsOf, RegistryRows, batch_of, gate_row, lot_row, operator_row
from directory import Directory, OperatorFacts
from directory.tables import Tables
from directory.testing import StatedRegistry, gate, lot, operator
from history.client import Account, HistoryClient
from history.writer import BatchWriter
from mesh.caller import Caller, CallerKind
from mesh.hosting import Mesh
from mesh.settings import BaseSettings
from mesh.testing import ManualClock, running
from parkmesh.access.v1 import gate_row_pb2, lot_row_pb2, operator_row_pb2
from parkmesh.registry.v1 import coordinate_pb2, directory_service_pb2, gate_pb2, lot_pb2
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server

AS_OF = AsOf("epoch-1", revision=7, base=100)
WRITER = Caller(CallerKind.SERVICE, "history-writer")


def row(made: lot_pb2.Lot) -> lot_row_pb2.LotRow:
    known = Tables()
    known.apply(directory_service_pb2.DirectoryChange(lot=made))
    return lot_row(known.lots[made.lot_id], AS_OF)


def test_a_lot_becomes_a_row_with_the_name_of_its_division() -> None:
    made = lot("lot-1", address="文献路1号", operator_id="operator-1", in_scope=False, management_area="湄洲岛管委会")
    assert row(made) == lot_row_pb2.LotRow(
        lot_id="lot-1",
        registration_number="R-lot-1",
        name="停车场 lot-1",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        division_name="城厢区",
        address="文献路1号",
        open_berths=100,
        state=lot_pb2.LOT_STATE_ACTIVE,
        operator_id="operator-1",
        in_scope=False,
        management_area="湄洲岛管委会",
        registry_epoch="epoch-1",
        registry_revision=7,
        version=107,
    )


def test_its_position_is_kept_in_gcj02_whatever_it_was_given_in() -> None:
    given = coordinate_pb2.Coordinate(
        latitude=25.402808746, longitude=118.995311833, system=coordinate_pb2.COORDINATE_SYSTEM_WGS84
    )
    found = row(lot("lot-1", coordinate=given))
    assert (round(found.latitude, 6), round(found.longitude, 6)) == (25.4, 119.0)
    assert found.coordinate_system == coordinate_pb2.COORDINATE_SYSTEM_GCJ02


def test_an_operator_and_a_gate_with_its_lanes_become_rows() -> None:
    known = Tables()
    lanes = {"in": gate_pb2.LANE_DIRECTION_ENTRY, "out": gate_pb2.LANE_DIRECTION_EXIT}
    known.apply(directory_service_pb2.DirectoryChange(gate=gate("lot-1", "g1", **lanes)))
    assert gate_row(known.gates["lot-1", "g1"], AS_OF) == gate_row_pb2.GateRow(
        lot_id="lot-1",
        gate_id="g1",
        name="文献路一号出入口",
        state=gate_pb2.SERVICE_STATE_IN_SERVICE,
        lane_ids=["in", "out"],
        lane_directions=[gate_pb2.LANE_DIRECTION_ENTRY, gate_pb2.LANE_DIRECTION_EXIT],
        registry_epoch="epoch-1",
        registry_revision=7,
        version=107,
    )
    assert operator_row(OperatorFacts("operator-1", "甲公司"), AS_OF) == operator_row_pb2.OperatorRow(
        operator_id="operator-1", name="甲公司", registry_epoch="epoch-1", registry_revision=7, version=107
    )


def test_every_table_gets_the_rows_of_its_kind() -> None:
    known = Tables()
    for fact in ({"lot": lot("lot-1")}, {"gate": gate("lot-1", "g1")}, {"operator": operator("operator-1")}):
        known.apply(directory_service_pb2.DirectoryChange(**fact))
    batch = batch_of(known.by_key().values(), AS_OF)
    assert {name: len(rows[0]) for name, rows in batch.items()} == {table.name: 1 for table in TABLES}


async def name_of(client: HistoryClient, operator_id: str) -> tuple[str, str, int]:
    found = await client.rows(
        "SELECT name, registry_epoch, registry_revision FROM store.operators FINAL WHERE operator_id = {id:String}",
        {"id": operator_id},
    )
    return found[0] if found else ("", "", 0)


@contextlib.asynccontextmanager
async def followed(client: HistoryClient, registry: StatedRegistry) -> AsyncIterator[None]:
    """A history writer's part that follows this registry from nothing."""

    async def bind(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(add_DirectoryServiceServicer_to_server, registry)

    async with running(bind, BaseSettings(drain_seconds=0.0), issuers=["history-writer"]) as served:
        directory = Directory(served.channel(WRITER), ManualClock())
        rows = RegistryRows(directory, client, BatchWriter(client, TABLES))
        tasks = [asyncio.create_task(one) for one in (directory.run(), rows.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(client: HistoryClient, operator_id: str, name: str) -> tuple[str, str, int]:
    async with asyncio.timeout(30):
        while (found := await name_of(client, operator_id))[0] != name:  # noqa: ASYNC110 - another task writes it
            await asyncio.sleep(0.02)
    return found


async def test_the_registrys_later_state_wins_whatever_the_clock_said(access: Platform) -> None:
    """Rows were once versioned by the clock; a restart, and a registry that numbers anew, must both come out on top."""
    url, secrets = access.history.url, access.history.secrets
    async with (
        HistoryClient(Account(url, "owner", secrets["owner"])) as owner,
        HistoryClient(Account(url, "writer", secrets["writer"])) as writer,
    ):
        one = "operator-versions"
        await owner.execute(
            "INSERT INTO store.operators (operator_id, name, version)"
            " SELECT {id:String}, 'by the clock', 5000000000000",
            {"id": one},
        )
        registry = StatedRegistry(operator(one), epoch="epoch-a")
        async with followed(writer, registry):
            assert await until(writer, one, one) == (one, "epoch-a", 1)
            renamed = operator(one)
            renamed.name = "renamed"
            registry.state(renamed)
            assert await until(writer, one, "renamed") == ("renamed", "epoch-a", 2)
        again = operator(one)
        again.name = "after a restart"
        registry.state(again)
        async with followed(writer, registry):
            assert await until(writer, one, "after a restart") == ("after a restart", "epoch-a", 3)
        anew = operator(one)
        anew.name = "numbered anew"
        async with followed(writer, StatedRegistry(anew, epoch="epoch-b")):
            assert await until(writer, one, "numbered anew") == ("numbered anew", "epoch-b", 1)


async def test_the_history_writer_publishes_the_register(access: Platform) -> None:
    asked = (
        "SELECT lots.operator_id, lots.in_scope, gates.name, gates.lane_ids, gates.lane_directions"
        " FROM lots INNER JOIN gates USING (lot_id) WHERE lot_id = {lot:String}"
    )
    account = Account(access.history.url, "analyst", access.history.secrets["analyst"], database="parkmesh")
    async with HistoryClient(account) as analyst, asyncio.timeout(30):
        while not (found := await analyst.rows(asked, {"lot": LOT})):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    assert found == [(OPERATOR.subject, True, "文献路一号出入口", ["in", "out"], [1, 2])]
