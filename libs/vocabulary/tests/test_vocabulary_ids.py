"""The grammar of vendors' ids."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary import ids


@given(st.from_regex("[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_vendor_id(text: str) -> None:
    assert ids.is_vendor_id(text)
    assert re.search(ids.PATTERN, text)


@pytest.mark.parametrize("text", ["", "a" * 65, "a b", "a/b", "a.b", "a\n", "闽B12345", "１"])
def test_no_vendor_id(text: str) -> None:
    assert not ids.is_vendor_id(text)
