"""Vendors' ids and the platform's lot ids: one grammar each."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary import ids, lot


@given(st.from_regex("[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_vendor_id(text: str) -> None:
    assert ids.is_vendor_id(text)
    assert re.search(ids.PATTERN, text)


@pytest.mark.parametrize("text", ["", "a" * 65, "a b", "a/b", "a.b", "a\n", "闽B12345", "１"])
def test_no_vendor_id(text: str) -> None:
    assert not ids.is_vendor_id(text)


@given(st.integers(0, 2**60 - 1), st.integers(0, 2**60 - 1))
def test_lot_ids_are_well_formed_and_distinct(one: int, other: int) -> None:
    assert lot.is_lot_id(lot.lot_id(one))
    assert re.search(lot.PATTERN, lot.lot_id(one))
    assert (lot.lot_id(one) == lot.lot_id(other)) == (one == other)
    assert (lot.lot_id(one) < lot.lot_id(other)) == (one < other)


def test_lot_id_spelling() -> None:
    assert lot.lot_id(0) == "lot_000000000000"
    assert lot.lot_id(2**60 - 1) == "lot_zzzzzzzzzzzz"


@pytest.mark.parametrize("bits", [-1, 2**60])
def test_lot_id_out_of_range(bits: int) -> None:
    with pytest.raises(ValueError, match="60 bits"):
        lot.lot_id(bits)


@pytest.mark.parametrize(
    "text",
    ["", "lot_", "lot_00000000000", "lot_0000000000000", "lot_00000000000i", "LOT_000000000000", "lot_00000000000\n"],
)
def test_no_lot_id(text: str) -> None:
    assert not lot.is_lot_id(text)
