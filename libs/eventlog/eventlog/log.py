"""The log itself: append once, read on from a position, look up, trim."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self
from zlib import crc32

from eventlog import layout
from eventlog.connection import Connection
from eventlog.durability import REQUIRED, check_settings
from eventlog.errors import BeyondEnd, CorruptEntry, EpochMismatch, LayoutMismatch, TrimmedBehind
from eventlog.gathering import Gathering
from eventlog.pressure import Limits, Pressure
from eventlog.record import Entry, Found, Item, Position, Result, Trimmed

DEFAULT_SHARDS = 1
"""Shards of a new log."""
MAX_BLOCK_MS = 5_000
"""The longest a read waits at the log's end."""
_MAX_SEQUENCE = 2**64 - 1

Clock = Callable[[], int]
"""Tells the time in epoch milliseconds."""


class EventLog:
    """A durable log of records in shards; every record has a key that is written at most once while remembered.

    Made by `open`. One object serves all tasks of one event loop.
    """

    def __init__(
        self, connection: Connection, name: str, epoch: str, shards: int, clock: Clock, limits: Limits
    ) -> None:
        self.epoch = epoch
        """The identity of this log, made when it was created."""
        self.shards = shards
        """How many shards it has, for ever."""
        self._connection = connection
        self._name = name
        self._clock = clock
        self._limits = limits
        self._pressure = Pressure(limits, connection.memory)
        self._gatherings = [Gathering(self._sender(shard)) for shard in range(shards)]

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Clock,
        name: str = "records",
        shards: int = DEFAULT_SHARDS,
        limits: Limits | None = None,
    ) -> Self:
        """Open the log `name` on the server at `url`; create it when the server has none.

        Raises UnsafeServer when the server could lose what it acknowledges, LayoutMismatch when the log exists with
        another shard count or layout, EpochMismatch when a shard of it is missing, LogUnavailable when it is away.
        """
        limits = limits or Limits()
        connection = Connection(url, timeout_s=limits.call_timeout_s, retry_after_s=limits.retry_after_s)
        try:
            check_settings(await connection.settings(*REQUIRED, "maxmemory"))
            await connection.load_library()
            epoch = await _open_epoch(connection, name, shards)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, name, epoch, shards, clock, limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait for appends that are under way, then close every connection."""
        for gathering in self._gatherings:
            await gathering.close()
        await self._connection.close()

    def shard_of(self, partition: str) -> int:
        """The shard that holds all records of `partition` (a lot); the same for ever."""
        return crc32(partition.encode()) % self.shards

    def start(self, shard: int) -> Position:
        """The position before the first record ever appended to `shard`."""
        return Position(self.epoch, shard, 0)

    async def append(self, shard: int, items: Sequence[Item]) -> list[Result]:
        """Append the items whose keys are new, in their order, and say for each what happened; durable on return.

        A key that appears twice is judged the second time against the first. Raises ValueError for an ill-formed item
        (nothing is written), LogFull (nothing is written), LogUnavailable (the outcome is unknown: append the same
        items again, what was written answers DUPLICATE), EpochMismatch when the log was replaced on the server.
        """
        if not items:
            return []
        # Before they travel with the items of others.
        layout.check(items)
        await self._pressure.check()
        return await self._gatherings[shard].submit(items)

    async def pressure(self) -> None:
        """Return when there is room for appends; LogFull otherwise. `append` asks by itself."""
        await self._pressure.check()

    async def read(self, after: Position, *, max_records: int = 10_000, block_ms: int = 0) -> list[Entry]:
        """The entries behind a position, in order, without gap or repeat, every checksum verified.

        At the log's end it waits up to `block_ms` (at most 5,000) and then returns what came, or nothing. Entries are
        whole, so that up to one entry more than `max_records` may come; only the first one is cut if the position lies
        inside it. Raises EpochMismatch, TrimmedBehind, BeyondEnd, CorruptEntry or LogUnavailable.
        """
        if after.epoch != self.epoch:
            raise EpochMismatch(f"the position is of log {after.epoch}, this is {self.epoch}")
        shard, offset = after.shard, after.offset
        stream = self._key(shard, "log")
        ask_epoch = ("HGET", self._key(shard, "gen"), "epoch")
        rows, epoch = await self._connection.both(
            ("XRANGE", stream, f"{offset + 1}-0", f"{offset + max_records}-{_MAX_SEQUENCE}"), ask_epoch
        )
        self._check_epoch(epoch)
        if not rows:
            oldest, following = await self._edges(shard)
            self._check_place(shard, offset, oldest, following)
            if offset + 1 == following and block_ms > 0:
                block_ms = min(block_ms, MAX_BLOCK_MS)
                streams, epoch = await self._connection.both(
                    ("XREAD", "COUNT", 1, "BLOCK", block_ms, "STREAMS", stream, f"{offset + 1}-0"),
                    ask_epoch,
                    wait_s=block_ms / 1000,
                )
                self._check_epoch(epoch)
                rows = streams[0][1] if streams else []
        entries = [layout.unpack(self.epoch, shard, entry_id, fields) for entry_id, fields in rows]
        return await self._contiguous(shard, offset, entries)

    async def get(self, shard: int, offset: int) -> bytes | None:
        """The payload at `offset`; None when it is trimmed or not written yet. CorruptEntry when it is damaged."""
        return (await self.get_all(shard, [offset])).get(offset)

    async def get_all(self, shard: int, offsets: Iterable[int]) -> dict[int, bytes]:
        """The payload at each offset; trimmed and unwritten ones are left out. CorruptEntry when one is damaged.

        An entry is fetched once, however many of the offsets lie in it.
        """
        found: dict[int, bytes] = {}
        entry: Entry | None = None
        for offset in sorted(offsets):
            if entry is None or offset > entry.last:
                entry = await self._entry_at(shard, offset)
            if entry is not None:
                found[offset] = entry.payloads[offset - entry.first]
        return found

    async def find(self, shard: int, keys: Sequence[bytes]) -> list[Found | None]:
        """What the index knows of each key; None for one that is not remembered."""
        if not keys:
            return []
        values = await self._function("FCALL_RO", "find", shard, b"".join(keys))
        return [layout.found(value) for value in values]

    async def end(self, shard: int) -> Position:
        """The position of a reader who has read everything."""
        _, following = await self._edges(shard)
        return Position(self.epoch, shard, following - 1)

    async def oldest(self, shard: int) -> int:
        """The offset of the oldest record still in the stream; the next to be given out when it is empty."""
        oldest, _ = await self._edges(shard)
        return oldest

    async def trim(self, drained: Position) -> Trimmed:
        """Maintenance of one shard: drop entries and index generations that nobody needs any more.

        `drained` is up to where the records are safe in the history. An entry goes when all of it is drained and it is
        older than `Limits.trim_after_ms`, a generation when all of it is drained and its newest record is older than
        `Limits.forget_after_ms`.
        Raises BeyondEnd when `drained` lies beyond the log's end, EpochMismatch when it is of another log.
        """
        if drained.epoch != self.epoch:
            raise EpochMismatch(f"the drained mark is of log {drained.epoch}, this is {self.epoch}")
        now, limits = self._clock(), self._limits
        entries = generations = 0
        while True:
            cut, dropped, oldest = await self._function(
                "FCALL",
                "trim",
                drained.shard,
                drained.offset,
                max(0, now - limits.trim_after_ms),
                max(0, now - limits.forget_after_ms),
            )
            entries += cut
            generations += dropped
            if not cut:
                return Trimmed(entries, generations, oldest)

    def _key(self, shard: int, kind: str) -> str:
        return f"{{{self._name}:{shard}}}:{kind}"

    async def _function(self, verb: str, name: str, shard: int, *arguments: bytes | int) -> Any:
        keys = [self._key(shard, kind) for kind in ("log", "gen", "idx")]
        return await self._connection.call(
            verb, f"parkmesh_log_{layout.VERSION}_{name}", len(keys), *keys, self.epoch, *arguments
        )

    def _sender(self, shard: int) -> Callable[[Sequence[Item]], Any]:
        async def send(items: Sequence[Item]) -> list[Result]:
            packed = layout.pack(items)
            first, exceptions = await self._function(
                "FCALL", "append", shard, self._clock(), self._limits.generation_ms, *packed
            )
            return layout.results(len(items), first, exceptions)

        return send

    async def _edges(self, shard: int) -> tuple[int, int]:
        oldest, following = await self._function("FCALL_RO", "edges", shard)
        return oldest, following

    async def _entry_at(self, shard: int, offset: int) -> Entry | None:
        rows = await self._connection.call(
            "XREVRANGE", self._key(shard, "log"), f"{offset}-{_MAX_SEQUENCE}", "-", "COUNT", 1
        )
        for entry_id, fields in rows:
            entry = layout.unpack(self.epoch, shard, entry_id, fields)
            if entry.first <= offset <= entry.last:
                return entry
        return None

    def _check_epoch(self, found: bytes | None) -> None:
        if found != self.epoch.encode():
            raise EpochMismatch(f"the log on the server is {found.decode() if found else 'missing'}, not {self.epoch}")

    def _check_place(self, shard: int, offset: int, oldest: int, following: int) -> None:
        if offset >= following:
            raise BeyondEnd(f"shard {shard}: position {offset} is beyond the log's end {following - 1}")
        if offset + 1 < oldest:
            raise TrimmedBehind(shard, offset, oldest)

    async def _contiguous(self, shard: int, offset: int, entries: list[Entry]) -> list[Entry]:
        expected = entries[0].first if entries else offset + 2
        if expected != offset + 1:
            # Nothing came, or something later: the position is the end, is inside an entry, or something is missing.
            oldest, following = await self._edges(shard)
            self._check_place(shard, offset, oldest, following)
            inside = await self._entry_at(shard, offset + 1)
            if inside is not None:
                tail = inside.payloads[offset + 1 - inside.first :]
                entries = [Entry(self.epoch, shard, offset + 1, inside.accepted_ms, tail), *entries]
            elif offset + 1 < following:
                raise CorruptEntry(f"shard {shard}: record {offset + 1} is missing")
        for entry in entries:
            if entry.first != offset + 1:
                raise CorruptEntry(f"shard {shard}: record {offset + 1} is missing, {entry.first} follows")
            offset = entry.last
        return entries


async def _open_epoch(connection: Connection, name: str, shards: int) -> str:
    """The epoch of the log `name`, which is created first when there is none."""
    if shards < 1:
        raise ValueError("a log has at least one shard")
    meta = f"{name}:meta"
    await connection.call("HSETNX", meta, "epoch", secrets.token_hex(8))
    await connection.call("HSETNX", meta, "shards", shards)
    await connection.call("HSETNX", meta, "layout", layout.VERSION)
    found = [value.decode() for value in await connection.call("HMGET", meta, "epoch", "shards", "layout")]
    if found[1:] != [str(shards), str(layout.VERSION)]:
        raise LayoutMismatch(
            f"the log {name} has {found[1]} shards and layout {found[2]}, asked for {shards} and {layout.VERSION}"
        )
    created = await connection.call("HGET", meta, "created")
    for shard in range(shards):
        state = f"{{{name}:{shard}}}:gen"
        if not created:
            for field, value in (("next", 1), ("accepted", 0), ("epoch", found[0])):
                await connection.call("HSETNX", state, field, value)
        epoch = await connection.call("HGET", state, "epoch")
        if epoch != found[0].encode():
            raise EpochMismatch(f"shard {shard} of the log {name} is missing or of another log")
    await connection.call("HSET", meta, "created", 1)
    return str(found[0])
