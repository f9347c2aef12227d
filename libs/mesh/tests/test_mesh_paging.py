"""Page tokens: good for the list that gave them, and for no other."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh.errors import MeshError
from mesh.paging import ID, decode, encode, page_size
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1.record_pb2 import DIRECTION_ENTRY
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import registry_service_pb2 as registry

KEY = ("2100-01-01", "记录-1", "")


def refused(work: Callable[[], object], reason: int = reasons.ERROR_REASON_INVALID_PAGE_TOKEN) -> bool:
    with pytest.raises(MeshError) as caught:
        work()
    return caught.value.reason == reason


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4).map(tuple))
def test_place_comes_back(key: tuple[str, ...]) -> None:
    token = encode(access.ListRecordsRequest(lot_id="lot-1"), key)
    assert decode(token, access.ListRecordsRequest(lot_id="lot-1")) == key
    assert token.replace("-", "").replace("_", "").isalnum()
    assert decode(encode(("lot-1", ""), key), ("lot-1", "")) == key


def test_empty_token_is_the_start() -> None:
    assert decode("", access.ListRecordsRequest()) == ()


def test_page_size_and_token_may_change_and_nothing_else() -> None:
    token = encode(access.ListRecordsRequest(lot_id="lot-1", page_size=3, page_token="x"), KEY)
    assert decode(token, access.ListRecordsRequest(lot_id="lot-1", page_size=9, page_token=token)) == KEY
    assert refused(lambda: decode(token, access.ListRecordsRequest(lot_id="lot-2")))
    assert refused(lambda: decode(token, access.ListRecordsRequest(lot_id="lot-1", direction=DIRECTION_ENTRY)))
    # Another list with the same bytes.
    assert refused(lambda: decode(token, registry.ListGatesRequest(lot_id="lot-1")))


def test_texts_are_not_run_together() -> None:
    token = encode(("ab", "c"), ("d",))
    for other in (("a", "bc"), ("ab", "c", ""), ("ab",), ("ab", "c", "d"), ()):
        assert refused(lambda other=other: decode(token, other))  # type: ignore[misc]


def test_any_change_is_refused() -> None:
    request = access.ListRecordsRequest(lot_id="lot-1")
    token = encode(request, KEY)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for place in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            forged = base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("=")
            assert refused(lambda forged=forged: decode(forged, request))  # type: ignore[misc]
    for length in range(1, len(token)):
        assert refused(lambda length=length: decode(token[:length], request))  # type: ignore[misc]


@given(st.text(min_size=1))
def test_garbage_is_refused(token: str) -> None:
    assert refused(lambda: decode(token, access.ListRecordsRequest()))


def test_a_key_that_the_list_cannot_use_is_refused() -> None:
    """Anybody can make a token: nothing in it is secret."""
    forms = ("[0-9]{1,3}", ID)
    assert decode(encode(("lot",), ("12", "r-1")), ("lot",), forms) == ("12", "r-1")
    assert decode("", ("lot",), forms) == ()
    for key in (
        (),
        ("12",),
        ("12", "r-1", ""),
        ("twelve", "r-1"),
        ("12", ""),
        ("12", "r-1\n"),
        ("12\n", "r"),
        ("１", "r"),
    ):
        assert refused(lambda key=key: decode(encode(("lot",), key), ("lot",), forms))  # type: ignore[misc]


def test_page_sizes() -> None:
    assert [page_size(asked) for asked in (0, 1, 100, 1000, 1001, 2**31 - 1)] == [100, 1, 100, 1000, 1000, 1000]
    assert page_size(0, default=5, maximum=10) == 5
    assert page_size(11, default=5, maximum=10) == 10
    assert refused(lambda: page_size(-1), reasons.ERROR_REASON_INVALID_FIELD)
