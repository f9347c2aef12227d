"""A backup of a platform that goes on taking records: restored elsewhere, it holds all that was acknowledged before."""

import copy
from pathlib import Path

import pytest
from local_platform.backup.create import create
from local_platform.backup.manifest import BackupError
from local_platform.backup.restore import restore
from local_platform.backup.verify import verify
from local_platform.settings import Settings
from local_platform.testing import RunningPlatform, running
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh_sdk import Client

from ..chaos.books import Books, Fate
from ..chaos.checking import check
from ..chaos.load import BATCH, Load
from ..city import connection, drained, lots, now_ms, owner, record

pytestmark = pytest.mark.slow

PREFIX = "backup"


async def test_a_platform_backed_up_under_load_takes_its_place_elsewhere(
    platform: RunningPlatform, tmp_path: Path
) -> None:
    sites = await lots(platform, PREFIX, 2)
    load = Load(platform, sites, PREFIX, 1)
    folder, var = tmp_path / "backup", tmp_path / "elsewhere"
    async with load.running():
        await load.acknowledged(10 * BATCH)
        await drained(platform)
        await load.acknowledged(BATCH)
        before = copy.deepcopy(load.books)
        await create(Settings(var=platform.folder), folder)
        # Of what is revised now the backup holds an earlier state.
        await load.acknowledged(5 * BATCH)
    await drained(platform)
    gone_on = await verify(Settings(var=platform.folder), folder, against_platform=True)
    assert gone_on is not None
    assert all(path.stat().st_mode & 0o77 == 0 for path in folder.rglob("*") if path.is_file())

    restored = await restore(Settings(var=var), folder)
    assert restored.records == gone_on.records > 0
    # Whatever was not acknowledged before may be in the backup or not.
    before.send([sent for key, sent in load.books.sent.items() if key not in set(before.with_fate(Fate.ACKED))])
    with running(var) as second:
        await check(second, before, PREFIX)
        assert await verify(Settings(var=var), folder, against_platform=True)
        async with Client(connection(second)) as client:
            await sent_again(load, client, before)
            fresh = await client.upload([record(sites[0], f"{PREFIX}-fresh", now_ms())])
            assert fresh.accepted == 1
        await one_row_lost(second)
        with pytest.raises(
            BackupError, match=r"1 lot-days differ from the backup, the first is \d{4}-\d\d-\d\d of lot-"
        ):
            await verify(Settings(var=var), folder, against_platform=True)


async def one_row_lost(platform: RunningPlatform) -> None:
    """The current rows lose the one that came first of those that hold."""
    async with owner(platform) as history:
        ((lot_id, record_id),) = await history.rows(
            "SELECT lot_id, record_id FROM store.records_current FINAL ORDER BY log_offset LIMIT 1"
        )
        await history.execute(
            "ALTER TABLE store.records_current DELETE WHERE lot_id = {lot:String} AND record_id = {id:String}",
            {"lot": lot_id, "id": record_id},
            settings={"mutations_sync": 1},
        )


async def sent_again(load: Load, client: Client, books: Books) -> None:
    """What was acknowledged is known: every item of it is a duplicate."""
    promised = [books.sent[key] for key in books.with_fate(Fate.ACKED)]
    records = [one for one in promised if isinstance(one, record_pb2.AccessRecord)]
    revisions = [one for one in promised if isinstance(one, revision_pb2.RecordRevision)]
    assert revisions
    known = load.books.answered["OUTCOME_DUPLICATE"]
    for start in range(0, len(records), 1000):
        assert await load.upload(client, records[start : start + 1000]) is None
    assert await load.revise(client, revisions[:1000]) is None
    assert load.books.answered["OUTCOME_DUPLICATE"] - known == len(records) + len(revisions[:1000])
