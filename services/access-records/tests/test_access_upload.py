"""The use case of uploading where the log is full."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from access_records.archive import Archive
from access_records.records.upload import Uploads
from access_records.testing import LOT, NOW_MS, VENDOR, KnownLot, entry, rules
from eventlog import EventLog, Item, LogFull, Result
from eventlog.server import EmbeddedServer
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.errors.v1 import error_reason_pb2 as reasons

HOUR_MS = 3_600_000
OLD_MS = NOW_MS - 80 * HOUR_MS
SENDER = Caller(CallerKind.VENDOR, VENDOR, "client-1")


class Filling(EventLog):
    """A log that takes nothing more once it is full."""

    full = False

    async def append(self, shard: int, items: Sequence[Item]) -> list[Result]:
        if self.full:
            raise LogFull("full", 1.0)
        return await super().append(shard, items)


class Empty:
    """A history without records."""

    async def digests(self, _: object) -> dict[object, Any]:
        return {}


class Known:
    """A registry that knows LOT."""

    def lot(self, lot_id: str) -> KnownLot | None:
        return KnownLot() if lot_id == LOT else None

    def may_report(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        return True

    def may_revise(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        return True

    def may_see(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        return True


async def test_what_is_stored_is_said_to_be_also_when_the_log_takes_nothing_more(log_server: EmbeddedServer) -> None:
    async with await Filling.open(log_server.url, clock=lambda: NOW_MS, name="filling") as log:
        uploads = Uploads(log, cast(Archive, Empty()), Known(), rules(), 72 * HOUR_MS)
        old = entry("old", ms=OLD_MS)
        assert [one.outcome for one in await uploads.upload(SENDER, [old], NOW_MS)] == [messages.OUTCOME_ACCEPTED]
        log.full = True
        stored, left = await uploads.upload(SENDER, [old, entry("young")], NOW_MS)
        assert stored.outcome == messages.OUTCOME_DUPLICATE
        assert (left.outcome, left.reason) == (messages.OUTCOME_DEFERRED, reasons.ERROR_REASON_LOG_FULL)
        assert left.retryable


async def test_a_call_of_which_nothing_is_stored_is_refused_as_a_whole(log_server: EmbeddedServer) -> None:
    async with await Filling.open(log_server.url, clock=lambda: NOW_MS, name="filling") as log:
        uploads = Uploads(log, cast(Archive, Empty()), Known(), rules(), 72 * HOUR_MS)
        log.full = True
        for records in ([entry("a"), entry("b")], [entry("c", ms=OLD_MS)]):
            with pytest.raises(LogFull):
                await uploads.upload(SENDER, records, NOW_MS)
