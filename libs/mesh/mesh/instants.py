"""Instants, between epoch milliseconds and the protos' timestamps."""

from google.protobuf.timestamp_pb2 import Timestamp


def time_of(ms: int) -> Timestamp:
    """Epoch milliseconds as a timestamp; before 1970, too."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def ms_of(time: Timestamp) -> int:
    """A timestamp as epoch milliseconds; what is finer is dropped."""
    return time.seconds * 1000 + time.nanos // 1_000_000
