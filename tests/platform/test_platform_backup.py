"""A backup of a platform that goes on taking records: restored elsewhere, it holds all that was acknowledged before."""

from pathlib import Path

import pytest
from local_platform.backup.create import create
from local_platform.backup.restore import restore
from local_platform.backup.verify import verify
from local_platform.settings import Settings
from local_platform.testing import RunningPlatform, running
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh_cli.premises import Site
from parkmesh_sdk import Client, Method

from ..chaos.books import Fate
from ..chaos.load import BATCH, Batch, Load
from ..city import HOUR_MS, connection, drained, lots, now_ms, reader, record

pytestmark = pytest.mark.slow

Revisions = list[revision_pb2.RecordRevision]
REVISE = Method.of(
    messages.DESCRIPTOR,
    "AccessRecordService",
    "UploadRevisions",
    messages.UploadRevisionsRequest,
    messages.UploadRecordsResponse,
)


def revision(
    revised: record_pb2.AccessRecord, number: int, kind: record_pb2.RevisionKind.ValueType, *, back_ms: int = 0
) -> revision_pb2.RecordRevision:
    """A void, or with `back_ms` a correction that moves the record to an earlier time."""
    made = revision_pb2.RecordRevision(
        lot_id=revised.lot_id,
        record_id=revised.record_id,
        revision=number,
        kind=kind,
        reason=record_pb2.REVISION_REASON_TIME_WRONG,
        author="值班员1",
    )
    made.made_time.FromMilliseconds(now_ms())
    if back_ms:
        made.changes.event_time.FromMilliseconds(revised.event_time.ToMilliseconds() - back_ms)
        made.update_mask.paths.append("event_time")
    return made


def revisions(records: Batch) -> Revisions:
    """Every third is moved to another month or day, every other third is void."""
    moved = [revision(one, 1, record_pb2.REVISION_KIND_CORRECTION, back_ms=800 * HOUR_MS) for one in records[::3]]
    return moved + [revision(one, 1, record_pb2.REVISION_KIND_VOID) for one in records[1::3]]


async def test_a_platform_backed_up_under_load_takes_its_place_elsewhere(
    platform: RunningPlatform, tmp_path: Path
) -> None:
    sites = await lots(platform, "backup", 2)
    load = Load(platform, sites, "backup", 1)
    copy, var = tmp_path / "backup", tmp_path / "elsewhere"
    async with load.running(), Client(connection(platform)) as client:
        await load.acknowledged(5 * BATCH)
        revised = [load.books.sent[one] for one in load.books.with_fate(Fate.ACKED)]
        stated = revisions(revised)
        answer = await client.call(REVISE, messages.UploadRevisionsRequest(revisions=stated))
        assert answer.all_stored, answer
        await drained(platform)
        await load.acknowledged(BATCH)
        promised = [load.books.sent[one] for one in load.books.with_fate(Fate.ACKED)]
        await create(Settings(var=platform.folder), copy)
        # While it goes on, records are revised of which the backup holds an earlier state.
        more = [revision(one, 2, record_pb2.REVISION_KIND_VOID) for one in revised[::3]]
        assert (await client.call(REVISE, messages.UploadRevisionsRequest(revisions=more))).all_stored
    await drained(platform)
    gone_on = await verify(Settings(var=platform.folder), copy, against_platform=True)
    assert gone_on is not None
    assert all(path.stat().st_mode & 0o77 == 0 for path in copy.rglob("*") if path.is_file())

    restored = await restore(Settings(var=var), copy)
    assert restored.records == gone_on.records > 0
    with running(var) as second:
        await proved_to_hold(second, sites[0], promised, revised, stated)
        assert await verify(Settings(var=var), copy, against_platform=True)


async def proved_to_hold(
    second: RunningPlatform, site: Site, promised: Batch, revised: Batch, stated: Revisions
) -> None:
    """What was acknowledged is there once, as it was revised; what comes now is taken."""
    async with Client(connection(second)) as client:
        for start in range(0, len(promised), 1000):
            again = await client.upload(promised[start : start + 1000])
            assert again.duplicate == len(promised[start : start + 1000])
        again = await client.call(REVISE, messages.UploadRevisionsRequest(revisions=stated))
        assert again.duplicate == len(stated), again
        fresh = await client.upload([record(site, "backup-fresh", now_ms())])
        assert fresh.accepted == 1
    await drained(second)
    async with reader(second) as history:
        rows = await history.rows(
            "SELECT record_id, toUnixTimestamp64Milli(event_time) FROM store.records_current FINAL"
            " WHERE startsWith(record_id, 'backup-')"
        )
    held = dict(rows)
    expected = {one.record_id: one.event_time.ToMilliseconds() for one in promised}
    expected |= {one.record_id: one.event_time.ToMilliseconds() - 800 * HOUR_MS for one in revised[::3]}
    for one in revised[1::3]:
        del expected[one.record_id]
        assert one.record_id not in held
    assert expected.items() <= held.items()
    assert "backup-fresh" in held
