"""Pages of objects: those that a caller sees, in the order of their keys, as they are or as they were."""

import bisect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Generic

from mesh.instants import time_of

from registry.static.moments import Moment
from registry.storage.kinds import DEVICE, Kind, M
from registry.storage.reader import Held, Reader

_AT_MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class Listing(Generic[M]):
    """What to list: of these objects, those that `wanted` takes."""

    kind: Kind[M]
    keys: Collection[str] | None = None
    """The only keys that count; None: all."""
    lot_id: str | None = None
    """Only what belongs to this lot."""
    wanted: Callable[[M], bool] = lambda _: True

    async def page(self, facts: Reader, after: str, limit: int, moment: Moment) -> list[tuple[str, M]]:
        """At most so many objects whose key follows, with it."""
        found: list[tuple[str, M]] = []
        keys = None if self.keys is None else sorted(key for key in self.keys if key > after)
        size = limit
        while len(found) < limit:
            batch = await self._batch(facts, keys, after, size)
            if not batch:
                break
            shown = await self._shown(facts, batch, moment)
            found += [(key, message) for key, message in shown if self.wanted(message)]
            after = self.kind.key(batch[-1].message)
            size = min(2 * size, _AT_MOST)  # few are wanted: look through more at once
        return found[:limit]

    async def _batch(self, facts: Reader, keys: list[str] | None, after: str, size: int) -> list[Held[M]]:
        if keys is None:
            return await facts.many(self.kind, lot_id=self.lot_id, after=after, limit=size)
        start = bisect.bisect_right(keys, after)
        return await facts.some(self.kind, keys[start : start + size])

    async def _shown(self, facts: Reader, batch: list[Held[M]], moment: Moment) -> list[tuple[str, M]]:
        keys = [self.kind.key(held.message) for held in batch]
        if moment.is_now:
            now = list(zip(keys, [held.dressed() for held in batch], strict=True))
            await with_last_seen(facts, self.kind, now)
            return now
        histories = await facts.histories(self.kind, keys)
        return [(key, seen) for key in keys if (seen := moment.seen(histories[key])) is not None]


async def with_last_seen(facts: Reader, kind: Kind[M], shown: list[tuple[str, M]]) -> None:
    """Puts into devices when they last showed a sign of life."""
    if kind.name != DEVICE.name:
        return
    seen = await facts.devices_seen([key for key, _ in shown])
    for key, device in shown:
        if key in seen:
            device.last_seen_time.CopyFrom(time_of(seen[key]))  # type: ignore[attr-defined]  # it is a Device
