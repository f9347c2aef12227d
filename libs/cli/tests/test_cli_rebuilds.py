"""`parkmesh history rebuild`: waits for the end, shows what differed, and says by its exit code whether all is well."""

import itertools
import json
from typing import Any

import pytest
from parkmesh.access.v1 import rebuild_pb2
from parkmesh.access.v1.rebuild_pb2 import (
    REBUILD_STATE_DIFFERENT,
    REBUILD_STATE_EQUAL,
    REBUILD_STATE_FAILED,
    REBUILD_STATE_REPAIRED,
    REBUILD_STATE_REQUESTED,
    REBUILD_STATE_RUNNING,
)
from parkmesh_cli.admin import rebuilds


def ended(state: rebuild_pb2.RebuildState.ValueType) -> rebuild_pb2.Rebuild:
    difference = rebuild_pb2.RebuildDifference(
        lot_id="lot-1", month=202603, held_rows=3, rebuilt_rows=4, record_ids=["r-9"]
    )
    part = rebuild_pb2.ProjectionRebuild(
        projection=rebuild_pb2.HISTORY_PROJECTION_CURRENT, state=state, compared_rows=4
    )
    if state != REBUILD_STATE_EQUAL:
        part.different_lot_months = 1
        part.differences.append(difference)
    return rebuild_pb2.Rebuild(rebuild_id="rebuild-1", state=state, projections=[part])


def asked(city: Any, state: rebuild_pb2.RebuildState.ValueType) -> None:
    states = itertools.chain([REBUILD_STATE_RUNNING], itertools.repeat(state))
    city.says("RebuildHistory", rebuild_pb2.Rebuild(rebuild_id="rebuild-1", state=REBUILD_STATE_REQUESTED))
    city.says("GetRebuild", lambda _: ended(next(states)))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilds, "_PAUSE_S", 0.0)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (REBUILD_STATE_EQUAL, 0),
        (REBUILD_STATE_REPAIRED, 0),
        (REBUILD_STATE_DIFFERENT, 1),
        (REBUILD_STATE_FAILED, 1),
    ],
)
async def test_the_exit_code_says_whether_all_is_well(
    city: Any, state: rebuild_pb2.RebuildState.ValueType, code: int
) -> None:
    asked(city, state)
    done = await city.run("history", "rebuild", "--projection", "current", "--check")
    assert done.exit_code == code, done.output
    assert ("r-9" in done.stdout) == (state != REBUILD_STATE_EQUAL)
    assert "current" in done.stdout


async def test_a_rebuild_can_be_asked_about_later(city: Any) -> None:
    asked(city, REBUILD_STATE_EQUAL)
    said = json.loads(await city.done("history", "result", "rebuild-1", "--json"))
    assert (said["rebuildId"], said["state"]) == ("rebuild-1", "REBUILD_STATE_EQUAL")
