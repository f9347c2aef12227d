"""Projections made anew: equal to what is there when nothing is wrong; a damaged row is found, named and repaired."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from access_records.testing import LOT, NOW_MS, OTHER_LOT, Platform, composed_alone, entry, revision
from access_records.visits.testing import wrongly_found
from history.client import Account, HistoryClient
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1 import maintenance_service_pb2 as messages
from parkmesh.access.v1 import rebuild_pb2, record_pb2
from parkmesh.access.v1.access_record_service_pb2 import UploadRecordsRequest, UploadRevisionsRequest
from parkmesh.access.v1.maintenance_service_pb2_grpc import MaintenanceServiceStub

ADMINISTRATOR = Caller(CallerKind.ADMINISTRATOR, "administrator", "client-administrator")
HOUR_MS = 3_600_000
SHADOWS = ("rebuilt_records_current", "rebuilt_record_plates", "rebuilt_record_visits", "rebuilt_visits")


def maintenance(access: Platform) -> MaintenanceServiceStub:
    return MaintenanceServiceStub(access.service.channel(ADMINISTRATOR))


def owner(access: Platform) -> HistoryClient:
    return HistoryClient(Account(access.history.url, "owner", access.history.secrets["owner"]))


async def rebuilt(access: Platform, *, check_only: bool = False) -> dict[int, rebuild_pb2.ProjectionRebuild]:
    """What came of each projection, once all are done."""
    stub = maintenance(access)
    rebuild = await stub.RebuildHistory(messages.RebuildHistoryRequest(check_only=check_only))
    assert rebuild.state == rebuild_pb2.REBUILD_STATE_REQUESTED
    async with asyncio.timeout(60):
        while rebuild.state in (rebuild_pb2.REBUILD_STATE_REQUESTED, rebuild_pb2.REBUILD_STATE_RUNNING):
            await asyncio.sleep(0.05)
            rebuild = await stub.GetRebuild(messages.GetRebuildRequest(rebuild_id=rebuild.rebuild_id))
    assert rebuild.check_only == check_only
    assert rebuild.state == max(part.state for part in rebuild.projections)
    return {part.projection: part for part in rebuild.projections}


async def held(client: HistoryClient) -> set[Any]:
    rows = await client.rows(
        "SELECT lot_id, record_id, toUnixTimestamp64Milli(event_time), hex(digest), log_offset, revise_time"
        " FROM store.records_current FINAL"
    )
    return set(rows)


async def until_drained(client: HistoryClient, record_id: str) -> None:
    async with asyncio.timeout(30):
        found: list[Any] = []
        while not found:
            await asyncio.sleep(0.02)
            found = await client.rows(
                "SELECT 1 FROM store.records_current FINAL WHERE record_id = {id:String} LIMIT 1", {"id": record_id}
            )


@pytest.fixture(scope="module")
async def access(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """An own one: whatever is in the history without having come through the log is damage."""
    async with composed_alone(tmp_path_factory.mktemp("rebuild")) as platform:
        yield platform


@pytest.fixture(scope="module")
async def told(access: Platform) -> AsyncIterator[HistoryClient]:
    """The history of two lots: plain records, one that was moved to another month, one with another plate, one void, a
    revision of a record that never came.
    """
    stub = access.stub()
    records = [entry(f"rb-{number}", ms=NOW_MS - number * HOUR_MS, visit_id=f"v{number}") for number in range(20)]
    records += [entry(f"rb-{number}", ms=NOW_MS - 1000, lot_id=OTHER_LOT) for number in range(5)]
    await stub.UploadRecords(UploadRecordsRequest(records=records))
    moved = revision("rb-1", 1, record_pb2.REVISION_KIND_CORRECTION, event_time=NOW_MS - 900 * HOUR_MS)
    whole: dict[str, Any] = {
        "plate_colour": record_pb2.PLATE_COLOUR_BLUE,
        "plate_kind": record_pb2.PLATE_KIND_SMALL,
        "plate_state": record_pb2.PLATE_STATE_READ,
    }
    read = revision("rb-2", 1, record_pb2.REVISION_KIND_CORRECTION, plate_number="闽B54321", **whole)
    void = revision("rb-3", 1, record_pb2.REVISION_KIND_VOID)
    orphan = revision("rb-none", 1, record_pb2.REVISION_KIND_VOID)
    answer = await stub.UploadRevisions(UploadRevisionsRequest(revisions=[moved, read, void, orphan]))
    assert answer.all_stored, str(answer.items)
    await stub.UploadRecords(UploadRecordsRequest(records=[entry("rb-last")]))
    async with owner(access) as client, access.visits.at_work():
        await access.drained()
        yield client


async def test_what_is_made_anew_is_what_is_there(access: Platform, told: HistoryClient) -> None:
    # As a crash in the middle of a rebuild leaves it.
    await told.execute(f"CREATE TABLE store.{SHADOWS[0]} AS store.records_current")
    await told.execute(f"INSERT INTO store.{SHADOWS[0]} (lot_id, record_id) VALUES ('none', 'left-behind')")
    before = await held(told)
    found = await rebuilt(access)
    assert {part.state for part in found.values()} == {rebuild_pb2.REBUILD_STATE_EQUAL}
    assert found[rebuild_pb2.HISTORY_PROJECTION_CURRENT].compared_rows == len(before) >= 25
    assert found[rebuild_pb2.HISTORY_PROJECTION_PLATES].compared_rows > 0
    assert found[rebuild_pb2.HISTORY_PROJECTION_VISITS].compared_rows > 0
    assert await held(told) == before
    assert not await told.rows("SELECT name FROM system.tables WHERE startsWith(name, 'rebuilt_')")


async def damaged(client: HistoryClient) -> None:
    """A row with a fact changed in place, a row that is gone, a row too many, hints and a visit that are gone, a visit
    that is not found by its plate, and one that is found by another.
    """
    columns = "* EXCEPT (lane_id, delay_ms), 'elsewhere' AS lane_id"
    names = await client.rows(
        "SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns WHERE database = 'store'"
        " AND table = 'records_current' AND default_kind != 'EPHEMERAL' AND name NOT IN ('lane_id', 'delay_ms')"
    )
    await client.execute(
        f"INSERT INTO store.records_current ({names[0][0]}, lane_id) SELECT {columns} FROM store.records_current FINAL"
        f" WHERE lot_id = '{LOT}' AND record_id = 'rb-5'"
    )
    for table, where in (
        ("records_current", f"lot_id = '{OTHER_LOT}' AND record_id = 'rb-4'"),
        ("record_plates", f"lot_id = '{LOT}' AND record_id = 'rb-6'"),
        ("record_visits", f"lot_id = '{LOT}' AND record_id = 'rb-7'"),
        ("visits", f"lot_id = '{LOT}' AND record_id = 'rb-8'"),
        ("visits_by_plate", f"lot_id = '{LOT}' AND record_id = 'rb-9'"),
    ):
        await client.execute(f"ALTER TABLE store.{table} DELETE WHERE {where}", settings={"mutations_sync": 1})
    await client.execute(
        "INSERT INTO store.visits_by_plate (plate_key, seen_time, lot_id, seen_record_id, record_id, anchor_time)"
        " SELECT 'another vehicle!', anchor_time, lot_id, record_id, record_id, anchor_time FROM store.visits FINAL"
        f" WHERE lot_id = '{LOT}' AND record_id = 'rb-10'"
    )
    await client.execute(
        "INSERT INTO store.records_current (lot_id, record_id, event_time, accept_time, log_offset)"
        f" VALUES ('{LOT}', 'rb-invented', '2099-05-05 00:00:00', '2099-12-31 00:00:00', 1)"
    )


async def test_damage_is_found_named_and_repaired_while_records_go_on(access: Platform, told: HistoryClient) -> None:
    before = await held(told)
    await damaged(told)
    harmed = await held(told)
    assert harmed != before

    assert await wrongly_found(told) != []
    checked = await rebuilt(access, check_only=True)
    assert {part.state for part in checked.values()} == {rebuild_pb2.REBUILD_STATE_DIFFERENT}
    assert await held(told) == harmed
    current = checked[rebuild_pb2.HISTORY_PROJECTION_CURRENT]
    named = {(one.lot_id, *one.record_ids) for one in current.differences}
    assert named == {(LOT, "rb-5"), (OTHER_LOT, "rb-4"), (LOT, "rb-invented")}
    assert current.different_lot_months == 3
    assert [tuple(one.record_ids) for one in checked[rebuild_pb2.HISTORY_PROJECTION_PLATES].differences] == [("rb-6",)]
    # Visits follow from the current rows, so that what is wrong with those shows here too until they are repaired.
    visits = checked[rebuild_pb2.HISTORY_PROJECTION_VISITS].differences
    assert {"rb-7", "rb-8", "rb-9", "rb-10"} <= {record_id for one in visits for record_id in one.record_ids}
    # Their index and the visits themselves differ in one month: it is told once, with what either lacks.
    assert len({(one.lot_id, one.month) for one in visits}) == len(visits)
    assert len(visits) == checked[rebuild_pb2.HISTORY_PROJECTION_VISITS].different_lot_months

    async def upload() -> set[str]:
        fresh = [f"rb-meanwhile-{number}" for number in range(30)]
        for record_id in fresh:
            # Of another vehicle: the projection pairs a vehicle's neighbours anew, and would mend what is damaged.
            record = entry(record_id, plate_number="闽B98765")
            await access.stub().UploadRecords(UploadRecordsRequest(records=[record]))
        return set(fresh)

    repaired, fresh = await asyncio.gather(rebuilt(access), upload())
    assert {part.state for part in repaired.values()} == {rebuild_pb2.REBUILD_STATE_REPAIRED}
    visits = repaired[rebuild_pb2.HISTORY_PROJECTION_VISITS].differences
    assert {record_id for one in visits for record_id in one.record_ids} == {"rb-7", "rb-8", "rb-9", "rb-10"}
    assert await wrongly_found(told) == []
    await access.drained()
    await until_drained(told, max(fresh))
    after = await held(told)
    assert before <= after
    assert {row[1] for row in after - before} == fresh
    again = await rebuilt(access)
    assert {part.state for part in again.values()} == {rebuild_pb2.REBUILD_STATE_EQUAL}


async def test_an_unknown_rebuild_is_not_found(access: Platform) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await maintenance(access).GetRebuild(messages.GetRebuildRequest(rebuild_id="nobody"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
