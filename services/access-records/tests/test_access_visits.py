"""The projection over a real log and a real history: what is uploaded, corrected and voided, in visits."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import clickhouse_connect
import pytest
from access_records import tables
from access_records.progress import PROJECTION as HISTORY
from access_records.settings import VisitSettings
from access_records.testing import NOW_MS, OTHER_LOT, Platform, composed_alone, entry
from access_records.visits.app import follower
from access_records.visits.changes import TABLES
from access_records.visits.follower import PROJECTION, Follower
from access_records.visits.pairing import pair
from access_records.visits.passages import COLUMNS, of_row
from access_records.visits.rebuild import rebuild_visits
from access_records.visits.testing import wrongly_found
from eventlog import EventLog
from history.client import Account, HistoryClient
from history.errors import HistoryUnavailable
from history.positions import Positions
from history.writer import Batch, BatchWriter
from mesh.settings import Secret
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from vocabulary import beijing

HOUR_MS = 3_600_000
PLATES = ("闽B10001", "闽B10002", "闽BD12345")
_fresh = itertools.count()


@pytest.fixture(scope="module")
async def access(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """An own one: all visits that the history holds are compared with all records."""
    async with composed_alone(tmp_path_factory.mktemp("visits")) as platform:
        yield platform


@pytest.fixture(scope="module")
async def owner(access: Platform) -> AsyncIterator[HistoryClient]:
    async with HistoryClient(Account(access.history.url, "owner", access.history.secrets["owner"])) as client:
        yield client


class Projecting:
    """Followers over the platform's engines, one after the other, and what they follow."""

    def __init__(self, access: Platform, log: EventLog, client: HistoryClient) -> None:
        self.access, self.log, self.client = access, log, client
        self.settings = VisitSettings(batch_records=20, known_lines=2)

    def begun(self) -> Follower:
        return follower(self.settings, self.access.clock, self.log, self.client, 0)

    async def drained(self) -> int:
        """Returns when the history holds all of the log: its end."""
        await self.access.drained()
        return (await self.log.end(0)).offset

    async def follow(self, chance: random.Random | None = None) -> None:
        """Follows to the end; now and then another follower goes on, whose first steps may have been taken before."""
        end = await self.drained()
        one = self.begun()
        position = await one.begin()
        while position.offset < end:
            until = min(end, position.offset + chance.randint(1, 100)) if chance else end
            position = await one.follow(position, until)
            if chance and chance.random() < 0.3:
                one = self.begun()
                position = await one.begin()


@pytest.fixture(scope="module")
async def projecting(access: Platform) -> AsyncIterator[Projecting]:
    account = Account(access.history.url, "writer", access.history.secrets["writer"])
    async with (
        await EventLog.open(access.log.url, clock=access.clock.now_ms) as log,
        HistoryClient(account) as client,
    ):
        yield Projecting(access, log, client)


async def visits(client: HistoryClient, table: str = tables.VISITS.name) -> list[tuple[Any, ...]]:
    """All visits, without when they were made."""
    rows = await client.rows(
        f"SELECT * EXCEPT (version, made_time) FROM {table} FINAL ORDER BY lot_id, anchor_time, record_id"
    )
    assert rows
    return rows


async def compare(projecting: Projecting) -> None:
    """The visits are those that the records make which hold."""
    rows = await projecting.client.rows(f"SELECT {COLUMNS} FROM store.records_current FINAL")
    expected = sorted(
        (
            visit.anchor.lot_id,
            visit.anchor.at_ms,
            visit.anchor.record_id,
            visit.entry.record_id if visit.entry else "",
            visit.exit.record_id if visit.exit else "",
            visit.state,
            list(visit.reasons),
            [other.record_id for other in visit.others],
            max(one.accept_ms for one in (visit.entry, visit.exit, *visit.others) if one),
        )
        for visit in pair(map(of_row, rows), projecting.settings.pairing())
    )
    found = await projecting.client.rows(
        "SELECT lot_id, toUnixTimestamp64Milli(anchor_time), record_id, entry_record_id, exit_record_id, state,"
        " reasons, other_record_ids, toUnixTimestamp64Milli(made_time) FROM store.visits FINAL"
    )
    assert sorted((*row[:6], list(row[6]), list(row[7]), row[8]) for row in found) == expected
    assert await wrongly_found(projecting.client) == []


def passing(chance: random.Random, number: int) -> record_pb2.AccessRecord:
    leaves = chance.random() < 0.5
    return entry(
        f"visit-{number}-{next(_fresh)}",
        lot_id=OTHER_LOT,
        ms=NOW_MS - chance.randrange(60 * 24) * HOUR_MS // 10,
        direction=record_pb2.DIRECTION_EXIT if leaves else record_pb2.DIRECTION_ENTRY,
        plate_number=chance.choice(PLATES),
        plate_colour=record_pb2.PLATE_COLOUR_OTHER,
        lane_id="out" if leaves else "in",
        visit_id=chance.choice(["", "", f"v-{number}-{chance.randrange(6)}"]),
    )


def revision(chance: random.Random, record_id: str, number: int) -> revision_pb2.RecordRevision:
    made = revision_pb2.RecordRevision(
        lot_id=OTHER_LOT,
        record_id=record_id,
        revision=number,
        reason=record_pb2.REVISION_REASON_PLATE_MISREAD,
        author="tests",
    )
    made.made_time.FromMilliseconds(NOW_MS)
    if chance.random() < 0.3:
        made.kind = record_pb2.REVISION_KIND_VOID
        return made
    made.kind = record_pb2.REVISION_KIND_CORRECTION
    if chance.random() < 0.5:
        made.changes.event_time.FromMilliseconds(NOW_MS - chance.randrange(60 * 24) * HOUR_MS // 10)
    else:
        made.changes.plate_number = chance.choice(PLATES)
        made.changes.plate_colour = record_pb2.PLATE_COLOUR_OTHER
    return made


async def send(
    access: Platform, records: Sequence[record_pb2.AccessRecord], revisions: Sequence[revision_pb2.RecordRevision] = ()
) -> None:
    """Half of the records, then the revisions, then the other half."""
    half = len(records) // 2 if revisions else len(records)
    access.clock.advance(1_000)
    answers = [await access.stub().UploadRecords(messages.UploadRecordsRequest(records=records[:half]))]
    if revisions:
        answers.append(await access.stub().UploadRevisions(messages.UploadRevisionsRequest(revisions=revisions)))
        answers.append(await access.stub().UploadRecords(messages.UploadRecordsRequest(records=records[half:])))
    assert all(answer.all_stored for answer in answers), answers


@pytest.mark.slow
async def test_whatever_comes_in_whatever_order_and_steps(access: Platform, projecting: Projecting) -> None:
    chance = random.Random(7)
    for round_ in range(2):
        records = [passing(chance, round_) for _ in range(40)]
        await send(access, records, [revision(chance, records[n * 4].record_id, 1 + n % 2) for n in range(10)])
        await projecting.follow(chance)
        await compare(projecting)


@pytest.mark.slow
async def test_what_was_paired_upon_a_write_that_failed_is_paired_again(
    access: Platform, projecting: Projecting
) -> None:
    class Failing(BatchWriter):
        writes = 0

        async def write(self, batch: Batch) -> int:
            self.writes += 1
            if self.writes in (2, 3, 5):
                raise HistoryUnavailable("away")
            return await super().write(batch)

    async def pause(_: float) -> None:
        if (await Positions(projecting.client, PROJECTION).read(projecting.log.epoch))[0] == end:
            raise StopFollowing

    class StopFollowing(Exception):  # noqa: N818  # no error
        pass

    chance = random.Random(11)
    await projecting.follow()
    for _ in range(3):
        await send(access, [passing(chance, 11) for _ in range(40)])
    end = await projecting.drained()
    one = follower(replace(projecting.settings, known_lines=1_000), access.clock, projecting.log, projecting.client, 0)
    one._writer = failing = Failing(projecting.client, TABLES)
    with pytest.raises(StopFollowing):
        await asyncio.wait_for(one.run(pause), 30)
    assert failing.writes > 5
    await compare(projecting)


@pytest.mark.slow
async def test_wiped_and_made_anew_the_visits_are_the_same(
    access: Platform, projecting: Projecting, owner: HistoryClient
) -> None:
    chance = random.Random(8)
    await send(access, [passing(chance, 8) for _ in range(30)])
    await projecting.follow()
    before = await visits(owner)

    await owner.execute("CREATE TABLE IF NOT EXISTS store.visits_anew AS store.visits")
    until = await projecting.drained()
    written = await rebuild_visits(owner, projecting.settings.pairing(), lambda _: until, "store.visits_anew")
    assert await visits(owner, "store.visits_anew") == before
    assert written == len(before)
    await owner.execute("DROP TABLE store.visits_anew SYNC")

    await owner.execute("TRUNCATE TABLE store.visits")
    await Positions(owner, PROJECTION).forget()
    await projecting.follow()
    assert await visits(owner) == before


@pytest.mark.slow
async def test_who_never_followed_makes_all_visits_anew_and_takes_them_from_plates_that_are_not_theirs(
    access: Platform, projecting: Projecting, owner: HistoryClient
) -> None:
    await send(access, [passing(random.Random(12), 12) for _ in range(10)])
    await projecting.follow()
    wrong = "unhex(repeat('ab', 16)) AS plate_key, 'wrong' AS plate_masked"
    await owner.execute(f"INSERT INTO store.visits SELECT * REPLACE ({wrong}) FROM store.visits FINAL LIMIT 5")
    await Positions(owner, PROJECTION).forget()
    await projecting.follow()
    await compare(projecting)
    assert not await owner.rows("SELECT 1 FROM store.visits_by_plate FINAL WHERE plate_masked = 'wrong'")


@pytest.mark.slow
async def test_behind_the_edge_of_the_log_it_catches_up_from_the_history(
    access: Platform, projecting: Projecting, owner: HistoryClient
) -> None:
    chance = random.Random(9)
    seen = [passing(chance, 9) for _ in range(10)]
    await send(access, seen)
    await projecting.follow()
    stale = entry("visit-stale", lot_id=OTHER_LOT, plate_number=PLATES[0])
    unseen = [stale, *(passing(chance, 9) for _ in range(30))]
    await send(access, unseen, [revision(chance, one.record_id, 1) for one in [*seen, *unseen[::3]]])
    await projecting.drained()
    await access.forget()
    later = [passing(chance, 9) for _ in range(5)]
    await send(access, later)
    await projecting.follow()
    await compare(projecting)


async def test_a_visit_that_ends_in_another_year_under_another_plate(access: Platform, projecting: Projecting) -> None:
    midnight = beijing.day_bounds(NOW_MS).start_ms
    came = entry("year-in", lot_id=OTHER_LOT, ms=midnight - HOUR_MS, visit_id="of-two-years", plate_number="闽B12345")
    went = entry("year-out", lot_id=OTHER_LOT, ms=midnight + HOUR_MS, visit_id="of-two-years", plate_number="闽B12346")
    went.direction, went.lane_id = record_pb2.DIRECTION_EXIT, "out"
    await send(access, [came, went])
    await projecting.follow()
    await compare(projecting)
    found = await projecting.client.rows(
        "SELECT toYear(seen_time), seen_record_id FROM store.visits_by_plate FINAL"
        " WHERE visit_id = 'of-two-years' ORDER BY seen_time"
    )
    assert found == [(2099, "year-in"), (2100, "year-out")]


async def test_it_never_goes_beyond_the_history(access: Platform, projecting: Projecting) -> None:
    await projecting.follow()
    await projecting.drained()

    class Behind(Positions):
        async def read(self, epoch: str) -> dict[int, int]:
            return {shard: offset - 1 for shard, offset in (await super().read(epoch)).items()}

    await send(access, [passing(random.Random(1), 10)])
    end = await projecting.drained()
    one = projecting.begun()
    one._history = Behind(projecting.client, HISTORY)
    pauses = 0

    async def pause(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 2:  # behind the first, all is written that was paired
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await one.follow(await one.begin(), end, pause)
    assert (await Positions(projecting.client, PROJECTION).read(projecting.log.epoch))[0] == end - 1


async def test_analysts_see_visits_without_plates_and_who_overstayed(
    access: Platform, projecting: Projecting, owner: HistoryClient
) -> None:
    name = f"visit-old-{next(_fresh)}"
    # The view counts from ClickHouse's own clock; what is much older is kept no longer.
    ((now_ms,),) = await owner.rows("SELECT toUnixTimestamp64Milli(now64(3))")
    old = entry(name, lot_id=OTHER_LOT, ms=now_ms - 100 * 24 * HOUR_MS, plate_number="闽B77777")
    await send(access, [old])
    await projecting.follow()
    client = await asyncio.to_thread(
        clickhouse_connect.get_client, **access.history.connect("analyst"), database="parkmesh"
    )
    try:
        result = await asyncio.to_thread(
            client.query,
            "SELECT state, reasons, overstayed, plate_masked, plate_key FROM visits WHERE entry_record_id = %(id)s",
            {"id": name},
        )
    finally:
        await asyncio.to_thread(client.close)
    ((state, reasons, overstayed, masked, key),) = result.result_rows
    assert (state, list(reasons), overstayed) == ("doubtful", ["missing_exit"], True)
    assert "77777" not in masked
    assert len(key) == 32
    ((stored,),) = await owner.rows(f"SELECT state FROM store.visits FINAL WHERE record_id = '{name}'")
    assert stored == 1


async def test_a_setting_of_the_projection_is_what_it_pairs_by() -> None:
    limits = VisitSettings(
        longest_stay_days=1, doubled_seconds=2, crossing_seconds=3, named_hours=4, clickhouse_password=Secret("")
    ).pairing()
    assert limits == (86_400_000, 2_000, 3_000, 4 * HOUR_MS)
