"""The fingerprints of lot-days as of a position, while records are corrected."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from access_records.fingerprints import Fingerprint, Fingerprints, LotDay
from access_records.progress import PROJECTION
from access_records.testing import LOT, NOW_MS, Platform, entry, revision
from history.client import Account, HistoryClient, Row, Settings
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.access_record_service_pb2 import UploadRecordsRequest, UploadRevisionsRequest
from vocabulary import beijing
from vocabulary.record import digest_of, facts_of

DAY_MS = beijing.day_bounds(NOW_MS - 45 * beijing.DAY_MS).start_ms
DAY = LotDay(LOT, beijing.day_key(DAY_MS))


class Interrupted(HistoryClient):
    """Something happens after each of its answers about the rows that hold."""

    def __init__(self, account: Account, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__(account)
        self._happens = happens

    async def rows(self, sql: str, *args: Any, **options: Any) -> list[Row]:
        found = await super().rows(sql, *args, **options)
        if "store.records_current" in sql:
            await self._happens()
        return found

    @asynccontextmanager
    async def blocks(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Settings | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[AsyncIterator[list[Row]]]:
        async def interrupted(blocks: AsyncIterator[list[Row]]) -> AsyncIterator[list[Row]]:
            async for rows in blocks:
                if "store.records_current" in sql:
                    await self._happens()
                yield rows

        async with super().blocks(sql, parameters, settings=settings, deadline=deadline) as blocks:
            yield interrupted(blocks)


async def test_what_is_revised_while_it_is_read_counts_once_and_as_it_was(access: Platform) -> None:
    stub = access.stub()
    records = [entry(f"fp-{number}", ms=DAY_MS + number) for number in range(6)]
    await stub.UploadRecords(UploadRecordsRequest(records=records))
    # One was moved away before the position, and one was void.
    await revise(access, "fp-0", record_pb2.REVISION_KIND_CORRECTION, event_time=DAY_MS - 60 * beijing.DAY_MS)
    await revise(access, "fp-1", record_pb2.REVISION_KIND_VOID)
    expected = Fingerprint(4, sum(int.from_bytes(digest_of(facts_of(record))) for record in records[2:]) % 2**256)
    account = Account(access.history.url, "owner", access.history.secrets["owner"])
    waiting: list[tuple[str, record_pb2.RevisionKind.ValueType, dict[str, Any]]] = [
        ("fp-2", record_pb2.REVISION_KIND_CORRECTION, {"event_time": DAY_MS + 100}),
        ("fp-3", record_pb2.REVISION_KIND_VOID, {}),
        ("fp-4", record_pb2.REVISION_KIND_CORRECTION, {"event_time": DAY_MS - 40 * beijing.DAY_MS}),
        ("fp-5", record_pb2.REVISION_KIND_CORRECTION, {"vehicle_class": record_pb2.VEHICLE_CLASS_LARGE}),
    ]

    async def happens() -> None:
        if waiting:
            record_id, kind, changes = waiting.pop()
            await revise(access, record_id, kind, **changes)
            await stub.UploadRecords(UploadRecordsRequest(records=[entry(f"{record_id}-new", ms=DAY_MS + 500)]))
            await access.drained()

    async with HistoryClient(account) as quiet, Interrupted(account, happens) as busy:
        ((offset,),) = await quiet.rows(
            "SELECT offset FROM store.positions FINAL WHERE projection = {name:String}", {"name": PROJECTION}
        )
        until = [offset]
        before = await Fingerprints(quiet).as_of(until)
        assert before[DAY] == expected
        while waiting:
            assert await Fingerprints(busy).as_of(until) == before
        assert await Fingerprints(quiet).as_of(until) == before
        assert (await Fingerprints(quiet).as_of([2**63]))[DAY].records == 6


async def revise(access: Platform, record_id: str, kind: record_pb2.RevisionKind.ValueType, **changes: Any) -> None:
    """Returns once the history holds it."""
    one = revision(record_id, 1, kind, **changes)
    answer = await access.stub().UploadRevisions(UploadRevisionsRequest(revisions=[one]))
    assert answer.all_stored, str(answer.items)
    await access.drained()
