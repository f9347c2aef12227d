"""How records lie in an append's arguments, in a stream entry and in an answer: pure packing and checking."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import sha1
from itertools import repeat
from zlib import crc32

from eventlog.errors import CorruptEntry
from eventlog.record import DIGEST_BYTES, KEY_BYTES, Entry, Found, Item, Outcome, Result

VERSION = 1
"""Of everything in this module and in library.lua; a log never changes it."""
PREFIX_BYTES = 16
"""How much of a digest the index keeps."""
MAX_ITEMS = 10_000
"""Items one call can carry."""

_EXCEPTION = struct.Struct(">IBQH")
_FOUND = struct.Struct(f">{PREFIX_BYTES}sQH")
_ACCEPTED = Outcome.ACCEPTED


def check(items: Sequence[Item]) -> None:
    """Return when these items can travel together; ValueError on a wrong length or number."""
    if not 0 < len(items) <= MAX_ITEMS:
        raise ValueError(f"an append takes 1 to {MAX_ITEMS} items, not {len(items)}")
    if any(len(item.key) != KEY_BYTES or len(item.digest) != DIGEST_BYTES for item in items):
        raise ValueError(f"a key has {KEY_BYTES} bytes and a digest {DIGEST_BYTES}")


def pack(items: Sequence[Item]) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Keys, digest prefixes, lengths, CRCs and payloads of checked items."""
    keys, digests, payloads = zip(*items, strict=True)
    numbers = struct.Struct(f">{len(items)}I")
    return (
        b"".join(keys),
        b"".join([digest[:PREFIX_BYTES] for digest in digests]),
        numbers.pack(*map(len, payloads)),
        numbers.pack(*map(crc32, payloads)),
        b"".join(payloads),
    )


def results(count: int, first: int, exceptions: bytes) -> list[Result]:
    """The answer to each of `count` items, from the function's answer."""
    if not exceptions:
        return list(map(Result._make, zip(repeat(_ACCEPTED, count), range(first, first + count), strict=True)))
    others = {
        index: Result(Outcome(outcome), entry + rank)
        for index, outcome, entry, rank in _EXCEPTION.iter_unpack(exceptions)
    }
    answer: list[Result] = []
    for index in range(count):
        result = others.get(index)
        if result is None:
            result = Result(_ACCEPTED, first)
            first += 1
        answer.append(result)
    return answer


def found(value: bytes | None) -> Found | None:
    """What an index value says; None for an unknown key."""
    if value is None:
        return None
    prefix, entry, rank = _FOUND.unpack(value)
    return Found(prefix, entry + rank)


def split_id(entry_id: bytes) -> tuple[int, int]:
    """The first offset and the number of records of an entry, from its id."""
    first, _, count = entry_id.partition(b"-")
    return int(first), int(count)


def unpack(epoch: str, shard: int, entry_id: bytes, fields: Sequence[bytes]) -> Entry:
    """The entry with this id, every checksum verified; CorruptEntry when one does not hold."""
    first, count = split_id(entry_id)
    where = f"shard {shard}, entry {entry_id.decode()}"
    named = dict(zip(fields[::2], fields[1::2], strict=False))
    try:
        time, lengths, crcs, body, check = (named[name] for name in (b"t", b"l", b"c", b"b", b"s"))
    except KeyError:
        raise CorruptEntry(f"{where}: a field is missing") from None
    if sha1(b" ".join((entry_id, time, lengths, crcs)), usedforsecurity=False).hexdigest()[:16].encode() != check:
        raise CorruptEntry(f"{where}: the entry's checksum does not hold")
    numbers = struct.Struct(f">{count}I")
    if len(lengths) != numbers.size or len(crcs) != numbers.size:
        raise CorruptEntry(f"{where}: holds another number of records than its id says")
    sizes = numbers.unpack(lengths)
    if sum(sizes) != len(body):
        raise CorruptEntry(f"{where}: its payloads are cut")
    payloads: list[bytes] = []
    at = 0
    for size in sizes:
        payloads.append(body[at : at + size])
        at += size
    if tuple(map(crc32, payloads)) != numbers.unpack(crcs):
        raise CorruptEntry(f"{where}: a payload's checksum does not hold")
    return Entry(epoch, shard, first, int(time), tuple(payloads))
