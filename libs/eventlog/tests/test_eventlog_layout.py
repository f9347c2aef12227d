"""Packing and checking, without a server."""

from __future__ import annotations

import hashlib
import struct
from zlib import crc32

import pytest
from eventlog import CorruptEntry, Item, Outcome, item_key, layout
from hypothesis import given
from hypothesis import strategies as st


def stored(first: int, accepted_ms: int, payloads: list[bytes]) -> tuple[bytes, list[bytes]]:
    """An entry as the server's function writes it."""
    entry_id = b"%d-%d" % (first, len(payloads))
    time = b"%d" % accepted_ms
    numbers = struct.Struct(f">{len(payloads)}I")
    lengths, crcs = numbers.pack(*map(len, payloads)), numbers.pack(*map(crc32, payloads))
    check = hashlib.sha1(b" ".join((entry_id, time, lengths, crcs))).hexdigest()[:16].encode()
    return entry_id, [b"t", time, b"l", lengths, b"c", crcs, b"b", b"".join(payloads), b"s", check]


@given(st.integers(1, 2**53), st.integers(0, 2**43), st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_an_entry_comes_back_as_it_was(first: int, accepted_ms: int, payloads: list[bytes]) -> None:
    entry = layout.unpack("e", 2, *stored(first, accepted_ms, payloads))
    assert (entry.first, entry.accepted_ms, list(entry.payloads)) == (first, accepted_ms, payloads)
    assert entry.position == ("e", 2, first + len(payloads) - 1)


def test_every_flipped_bit_is_detected() -> None:
    entry_id, fields = stored(77, 4_102_444_800_000, [b"first", b"", b"a third one"])
    for place, field in enumerate(fields):
        for bit in range(8 * len(field)):
            damaged = bytearray(field)
            damaged[bit // 8] ^= 1 << bit % 8
            with pytest.raises(CorruptEntry):
                layout.unpack("e", 0, entry_id, [*fields[:place], bytes(damaged), *fields[place + 1 :]])
    for other in (b"78-3", b"77-2", b"77-4"):
        with pytest.raises(CorruptEntry):
            layout.unpack("e", 0, other, fields)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [Item(b"short", bytes(32), b"")],
        [Item(bytes(16), bytes(31), b"")],
        [Item(bytes(16), bytes(32), b""), Item(bytes(17), bytes(32), b"")],
        [Item(bytes(16), bytes(32), b"")] * (layout.MAX_ITEMS + 1),
    ],
)
def test_ill_formed_items_are_refused_before_anything_is_sent(items: list[Item]) -> None:
    with pytest.raises(ValueError, match=r"bytes|items"):
        layout.check(items)


def test_accepted_items_share_out_the_offsets_between_the_exceptions() -> None:
    exceptions = struct.pack(">IBQH", 1, 1, 40, 2) + struct.pack(">IBQH", 3, 2, 7, 1)
    assert layout.results(5, 90, exceptions) == [
        (Outcome.ACCEPTED, 90),
        (Outcome.DUPLICATE, 42),
        (Outcome.ACCEPTED, 91),
        (Outcome.CONFLICT, 8),
        (Outcome.ACCEPTED, 92),
    ]


def test_keys_do_not_run_into_each_other() -> None:
    assert len({item_key(*pair) for pair in (("ab", "c"), ("a", "bc"), ("", "abc"), ("1:a", "b"), ("1", ":ab"))}) == 5
    assert item_key("lot", "record") == bytes.fromhex("73a9a580e71256cc07950b34dd862c2a")
