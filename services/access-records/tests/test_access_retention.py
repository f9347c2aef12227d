"""For how long the history keeps what it holds: what is older goes, together, and nothing else does."""

from collections.abc import AsyncIterator

import pytest
from access_records import tables
from access_records.settings import WriterSettings
from access_records.testing import Platform
from access_records.writing.retention import Retention, apply
from history.client import Account, HistoryClient
from history.writer import BatchWriter
from mesh.settings import SettingsError
from parkmesh.access.v1 import journal_pb2, record_pb2
from vocabulary import beijing

LOT = "lot-retention"
OLD_MS, NEW_MS = beijing.parse("2019-03-01T08:00:00+08:00"), beijing.parse("2090-03-01T08:00:00+08:00")


@pytest.fixture
async def owner(access: Platform) -> AsyncIterator[HistoryClient]:
    async with HistoryClient(Account(access.history.url, "owner", access.history.secrets["owner"])) as client:
        yield client


def record(name: str, accept_ms: int, event_ms: int = OLD_MS, **facts: object) -> record_pb2.LoggedRecord:
    return record_pb2.LoggedRecord(
        record_id=name,
        lot_id=LOT,
        direction=record_pb2.DIRECTION_ENTRY,
        event_ms=event_ms,
        accept_ms=accept_ms,
        digest=name.encode().ljust(32, b"-"),
        visit_id=name,
        plate_key=name.encode().ljust(16, b"-"),
        **facts,  # type: ignore[arg-type]
    )


def refusal(name: str, note_ms: int) -> journal_pb2.Rejection:
    return journal_pb2.Rejection(lot_id=LOT, record_id=name, digest=name.encode().ljust(32, b"-"), note_ms=note_ms)


async def left(owner: HistoryClient, table: str) -> set[str]:
    await owner.execute(f"OPTIMIZE TABLE {table} FINAL")
    rows = await owner.rows(f"SELECT record_id FROM {table} WHERE lot_id = '{LOT}'")
    return {name for (name,) in rows}


async def test_what_is_older_goes_with_all_that_belongs_to_it(owner: HistoryClient) -> None:
    """Counted from the acceptance: an old event that came lately stays."""
    old, late = record("old", OLD_MS), record("late", NEW_MS)
    month, late_month = beijing.month(OLD_MS), beijing.month(NEW_MS)
    noted = tables.JOURNAL["rejection"]
    writer = BatchWriter(owner, [tables.REVISIONS, tables.CURRENT, noted])
    await writer.write(
        {
            tables.REVISIONS.name: {month: [old.SerializeToString()], late_month: [late.SerializeToString()]},
            tables.CURRENT.name: {month: [old.SerializeToString(), late.SerializeToString()]},
            noted.name: {
                month: [refusal("old", OLD_MS).SerializeToString()],
                late_month: [refusal("late", NEW_MS).SerializeToString()],
            },
        }
    )
    for table in ("record_revisions", "records_current", "record_plates", "record_visits", "rejections"):
        assert await left(owner, f"store.{table}") == {"late"}, table


async def test_visits_go_by_their_plates_as_well(owner: HistoryClient) -> None:
    """Counted from when their records came: the visit of an old event that came lately stays."""
    for table in ("visits", "visits_by_plate"):
        for name, made_ms in (("old", OLD_MS), ("late", NEW_MS)):
            await owner.execute(
                f"INSERT INTO store.{table} (lot_id, record_id, anchor_time, plate_key, made_time)"
                " SELECT {lot:String}, {name:String}, fromUnixTimestamp64Milli({at:Int64}), {key:String},"
                " fromUnixTimestamp64Milli({made:Int64})",
                {"lot": LOT, "name": name, "at": OLD_MS, "key": name.ljust(16, "-"), "made": made_ms},
            )
    # What the visits themselves have fed into the index was made just now.
    fed = f"lot_id = '{LOT}' AND made_time BETWEEN now() - 3600 AND now() + 3600"
    await owner.execute(f"DELETE FROM store.visits_by_plate WHERE {fed}")
    for table in ("visits", "visits_by_plate"):
        assert await left(owner, f"store.{table}") == {"late"}, table


async def test_visits_go_with_their_records_and_the_marks_of_their_end_later(owner: HistoryClient) -> None:
    ttl = Retention(records=100).ttls()[tables.VISITS.name]
    lived = f"dateDiff('day', made_time, {ttl})"
    row = "fromUnixTimestamp64Milli(0) AS made_time"
    ((held, mark),) = await owner.rows(
        f"SELECT {lived.replace('gone', '0')}, {lived.replace('gone', '1')} FROM (SELECT {row})"
    )
    assert (held, mark) == (100, 131)


async def test_every_table_with_times_of_its_own_says_how_long_it_keeps(owner: HistoryClient) -> None:
    """A table that is added is thought of; those that keep for ever are named here."""
    rows = await owner.rows(
        "SELECT DISTINCT concat(database, '.', table) FROM system.columns WHERE database = 'store'"
        " AND name IN ('accept_time', 'note_time', 'made_time') AND NOT endsWith(table, '_feed')"
    )
    assert {name for (name,) in rows} - Retention().ttls().keys() == {"store.closed_days"}
    assert all(Retention().ttls().values())


@pytest.mark.parametrize("answer", ["store.export_decisions", "store.export_events", "store.rebuilds"])
def test_what_was_done_about_a_request_outlives_it(answer: str) -> None:
    """An export that was made would otherwise be made again."""
    ttls = Retention(look_ups=100).ttls()
    assert ttls["store.export_requests"] == ttls["store.rebuild_requests"] == "note_time + toIntervalDay(100)"
    assert ttls[answer] == "note_time + toIntervalDay(131)"


async def test_the_mark_of_what_is_gone_outlives_it(owner: HistoryClient) -> None:
    """A part with the record itself may be merged later than that with its mark: it must not come to light again."""
    ttl = Retention(records=100).ttls()[tables.CURRENT.name]
    lived = f"dateDiff('day', accept_time, {ttl})"
    row = "fromUnixTimestamp64Milli(0) AS accept_time"
    ((held, mark),) = await owner.rows(
        f"SELECT {lived.replace('gone', '0')}, {lived.replace('gone', '1')} FROM (SELECT {row})"
    )
    assert (held, mark) == (100, 131)


async def test_a_setting_changes_the_tables_that_differ_and_zero_keeps_for_ever(owner: HistoryClient) -> None:
    assert await apply(owner, Retention()) == ()
    try:
        changed = await apply(owner, Retention(rejections=30, look_ups=0))
        kept = {"export_requests", "export_decisions", "export_events", "rebuild_requests", "rebuilds"}
        assert set(changed) == {"store.rejections", "store.look_ups", *(f"store.{table}" for table in kept)}
        assert await apply(owner, Retention(rejections=30, look_ups=0)) == ()
        ((engine,),) = await owner.rows("SELECT engine_full FROM system.tables WHERE name = 'look_ups'")
        assert " TTL " not in engine
    finally:
        await apply(owner, Retention())
    assert await apply(owner, Retention()) == ()


@pytest.mark.parametrize("days", [-1, 36_501])
def test_days_that_make_no_sense_are_refused(days: int) -> None:
    with pytest.raises(SettingsError):
        WriterSettings(retain_records_days=days).retention()
