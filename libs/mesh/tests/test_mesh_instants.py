"""Instants."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from mesh.instants import ms_of, time_of


@pytest.mark.parametrize(
    ("ms", "time"),
    [
        (0, Timestamp()),
        (4_102_444_800_123, Timestamp(seconds=4_102_444_800, nanos=123_000_000)),
        (-1, Timestamp(seconds=-1, nanos=999_000_000)),
    ],
)
def test_there_and_back(ms: int, time: Timestamp) -> None:
    assert (time_of(ms), ms_of(time)) == (time, ms)


def test_what_is_finer_than_a_millisecond_is_dropped() -> None:
    assert ms_of(Timestamp(seconds=1, nanos=1_999_999)) == 1_001
