"""When records are sent: as they happened, or as fast as they are taken."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from parkmesh.access.v1.record_pb2 import AccessRecord

_PAUSE_S: Final = 0.05
"""Records that fall due within this time share a batch."""


async def paced(
    records: Iterable[AccessRecord],
    factor: float,
    batch_size: int,
    sleep: Callable[[float], Awaitable[None]],
    now: Callable[[], float],
) -> AsyncIterator[list[AccessRecord]]:
    """The records in batches, none before its time: the first at once, the others as far behind as they happened.

    factor: how many times faster than it happened; above 0. Records are in order of time. `now` counts seconds.
    """
    begun_s = now()
    first_s: float | None = None
    batch: list[AccessRecord] = []
    for record in records:
        event_s = record.event_time.seconds + record.event_time.nanos / 1e9
        if first_s is None:
            first_s = event_s
        wait_s = (event_s - first_s) / factor - (now() - begun_s)
        if batch and (wait_s > 0 or len(batch) == batch_size):
            yield batch
            batch = []
            wait_s = (event_s - first_s) / factor - (now() - begun_s)
        if wait_s > 0:
            await sleep(max(wait_s, _PAUSE_S))
        batch.append(record)
    if batch:
        yield batch
