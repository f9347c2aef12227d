"""Records are sent when they are due: not before, and together when they are due together."""

import math

import pytest
from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh_cli.replay.pacing import paced


class Wall:
    """A clock that a wait moves."""

    def __init__(self) -> None:
        self.now_s = 50.0

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds


def at(*seconds: float) -> list[AccessRecord]:
    made = []
    for place, second in enumerate(seconds):
        record = AccessRecord(record_id=str(place))
        record.event_time.FromMilliseconds(4_102_444_800_000 + int(second * 1000))
        made.append(record)
    return made


async def sent(records: list[AccessRecord], factor: float, batch_size: int = 10) -> list[tuple[float, list[str]]]:
    wall = Wall()
    stream = paced(records, factor, batch_size, wall.sleep, lambda: wall.now_s)
    return [(round(wall.now_s - 50, 3), [record.record_id for record in batch]) async for batch in stream]


async def test_as_fast_as_possible_means_full_batches_at_once() -> None:
    assert await sent(at(*range(5)), math.inf, 2) == [(0, ["0", "1"]), (0, ["2", "3"]), (0, ["4"])]


async def test_in_real_time_each_is_sent_when_it_happened() -> None:
    assert await sent(at(0, 0, 10, 30), 1) == [(0, ["0", "1"]), (10, ["2"]), (30, ["3"])]


@pytest.mark.parametrize("factor", [10, 0.5])
async def test_time_can_run_faster_and_slower(factor: float) -> None:
    assert await sent(at(0, 10), factor) == [(0, ["0"]), (10 / factor, ["1"])]


async def test_what_falls_due_almost_together_travels_together() -> None:
    assert await sent(at(0, 1, 1.01, 1.02, 5), 1) == [
        (0, ["0"]),
        (1, ["1"]),
        (1.05, ["2", "3"]),
        (5, ["4"]),
    ]
