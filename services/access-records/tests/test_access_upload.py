"""The use case of uploading where the log changes its mind between two appends of one call."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from access_records.archive import Archive
from access_records.testing import LOT, NOW_MS, VENDOR, KnownLot, entry, rules
from access_records.upload import Uploads
from eventlog import EventLog, Item, LogFull, Result
from eventlog.server import EmbeddedServer
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.errors.v1 import error_reason_pb2 as reasons

HOUR_MS = 3_600_000
OLD_MS = NOW_MS - 80 * HOUR_MS


class Filling(EventLog):
    """A log that is full when it is asked for the last time, of so many times."""

    left = 0

    async def append(self, shard: int, items: Sequence[Item]) -> list[Result]:
        self.left -= 1
        if not self.left:
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

    def may_speak(self, vendor_id: str, lot_id: str, now_ms: int) -> bool:
        return True


async def test_what_was_stored_before_the_log_was_full_is_said_to_be_stored(log_server: EmbeddedServer) -> None:
    async with await Filling.open(log_server.url, clock=lambda: NOW_MS, name="filling") as log:
        uploads = Uploads(log, cast(Archive, Empty()), Known(), rules(), 72 * HOUR_MS)
        # Young ones are appended first; old ones after the history was asked, in a second append.
        log.left = 2
        stored, left = await uploads.upload(VENDOR, [entry("young"), entry("old", ms=OLD_MS)], NOW_MS)
        assert stored.outcome == messages.OUTCOME_ACCEPTED
        assert (left.outcome, left.reason) == (messages.OUTCOME_DEFERRED, reasons.ERROR_REASON_LOG_FULL)
        assert left.retryable


async def test_a_call_of_which_nothing_was_stored_is_refused_as_a_whole(log_server: EmbeddedServer) -> None:
    async with await Filling.open(log_server.url, clock=lambda: NOW_MS, name="filling") as log:
        uploads = Uploads(log, cast(Archive, Empty()), Known(), rules(), 72 * HOUR_MS)
        for records, appends in (([entry("a"), entry("b")], 1), ([entry("c", ms=OLD_MS)], 2)):
            log.left = appends
            with pytest.raises(LogFull):
                await uploads.upload(VENDOR, records, NOW_MS)
