"""What goes into the log and what comes out of it, as plain values."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

KEY_BYTES = 16
"""Length of an item's key."""
DIGEST_BYTES = 32
"""Length of an item's digest (SHA-256)."""


def item_key(scope: str, identity: str) -> bytes:
    """The 16-byte key of the record `identity` of `scope` (a lot); one-way, and the same for ever."""
    name = scope.encode()
    return blake2b(b"%d:%b%b" % (len(name), name, identity.encode()), digest_size=KEY_BYTES).digest()


class Item(NamedTuple):
    """One record to append."""

    key: bytes
    """Who it is, 16 bytes (`item_key`)."""
    digest: bytes
    """What it says, SHA-256. The index keeps the first 16 bytes: 128 bits tell any two honest texts apart, and
    whoever could forge a pair would only hide his own second report from himself."""
    payload: bytes
    """What readers get."""


class Outcome(enum.IntEnum):
    """What an append did with an item."""

    ACCEPTED = 0
    """Written now; durable."""
    DUPLICATE = 1
    """Already there with the same digest; durable since then."""
    CONFLICT = 2
    """Already there with another digest; nothing was written."""


class Result(NamedTuple):
    """The answer to one item."""

    outcome: Outcome
    offset: int
    """The offset of the record, for DUPLICATE and CONFLICT that of the first report."""


class Found(NamedTuple):
    """What the index knows of a key."""

    digest_prefix: bytes
    """The first 16 bytes of the digest."""
    offset: int


class Position(NamedTuple):
    """A place in the log: everything up to and including `offset` has been read."""

    epoch: str
    shard: int
    offset: int
    """0 before the first record."""


class Trimmed(NamedTuple):
    """What one round of maintenance did to a shard."""

    entries: int
    generations: int
    oldest: int
    """The oldest offset still in the stream; the next one to be given out when it is empty."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Records that were appended together, or the unread tail of them."""

    epoch: str
    shard: int
    first: int
    """The offset of the first payload; the others follow one by one."""
    accepted_ms: int
    """When they were accepted, epoch milliseconds; never goes back along a shard."""
    payloads: tuple[bytes, ...]

    @property
    def last(self) -> int:
        """The offset of the last payload."""
        return self.first + len(self.payloads) - 1

    @property
    def position(self) -> Position:
        """The position of a reader who is done with this entry."""
        return Position(self.epoch, self.shard, self.last)
