"""The use cases of reading where the log is away, and how long the log remembers."""

from pathlib import Path
from typing import Any, cast

import pytest
from access_records.archive import Archive, Window
from access_records.progress import Progress
from access_records.records.reading import Reading
from access_records.records.states import States
from access_records.records.upload import Lots
from access_records.settings import WriterSettings
from access_records.testing import LOT, NOW_MS
from eventlog import EventLog
from eventlog.server import running
from history.client import HistoryClient
from mesh import paging
from mesh.errors import MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons


class Blank:
    """A ClickHouse that holds nothing."""

    async def rows(self, *_: object, **__: object) -> list[tuple[Any, ...]]:
        return []


async def test_readers_are_told_that_the_log_is_away(tmp_path: Path) -> None:
    client = cast(HistoryClient, Blank())
    with running(tmp_path) as server:
        async with await EventLog.open(server.url, clock=lambda: NOW_MS) as log:
            reading = Reading(States(log, Archive(client)), Archive(client), Progress(log, client), cast(Lots, None))
            server.kill()
            for asked in (reading.one(LOT, "r"), reading.page(Window(LOT, 0, NOW_MS), 10, "", NOW_MS)):
                with pytest.raises(MeshError) as refused:
                    await asked
                assert refused.value.reason == reasons.ERROR_REASON_LOG_UNAVAILABLE
                assert refused.value.retry_after_ms


@pytest.mark.parametrize("place", [["1"], ["1", "r", ""], ["then", "r"], ["9" * 40, "r"], ["1", "\0"]])
async def test_a_page_token_that_somebody_made_is_refused(place: list[str]) -> None:
    window = Window(LOT, 0, NOW_MS)
    client = cast(HistoryClient, Blank())
    reading = Reading(cast(States, None), Archive(client), cast(Progress, None), cast(Lots, None))
    with pytest.raises(MeshError) as refused:
        await reading.page(window, 10, paging.encode(tuple(map(str, window)), place), NOW_MS)
    assert refused.value.reason == reasons.ERROR_REASON_INVALID_PAGE_TOKEN


def test_ids_are_forgotten_well_after_the_horizon() -> None:
    """An upload judged young just before its id is forgotten, or by a clock that is behind, must still meet it."""
    settings = WriterSettings(horizon_hours=72)
    assert settings.limits().forget_after_ms >= 73 * 3_600_000
