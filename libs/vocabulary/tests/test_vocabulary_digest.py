"""The canonical text: its published vectors, and that no two sets of facts share one.

Run as a program, this file writes the vectors anew; as a test it proves that the published ones are still what the code
says.
"""

import csv
import io
import json
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary.digest import Layout, Value

VECTORS = Path(__file__).resolve().parents[3] / "docs" / "vectors" / "canonical.csv"
TAG = "parkmesh.example.v1/1"
CASES: list[tuple[str, list[tuple[str, Value]]]] = [
    ("no facts", []),
    ("one string", [("plate", "闽B12345")]),
    (
        "a usual record",
        [("lot", "lot_0123456789ab"), ("record", "r-1"), ("time_ms", 4102416000000), ("plate", "闽B12345")],
    ),
    ("an absent fact is left out", [("lot", "lot_0123456789ab"), ("gate", None), ("lane", "1")]),
    ("an empty string is not absent", [("lot", "lot_0123456789ab"), ("gate", ""), ("lane", "1")]),
    ("zero is not absent", [("free_spaces", 0)]),
    ("a negative number", [("free_spaces", -1)]),
    ("the widest numbers", [("lowest", -(2**63)), ("highest", 2**63 - 1)]),
    ("a value that looks like facts", [("reason", "x\nlane=1:1\n"), ("lane", "2")]),
    ("white space is kept", [("reason", "  手动 放行\t")]),
    ("composed and decomposed differ (1)", [("reason", "é")]),
    ("composed and decomposed differ (2)", [("reason", "e\u0301")]),
    ("beyond the basic plane: four bytes", [("reason", "𠮷")]),
    ("a long value", [("reason", "长" * 100)]),
]
VALUES = st.none() | st.text() | st.integers()


def layout(facts: list[tuple[str, Value]]) -> tuple[Layout, list[Value]]:
    return Layout(TAG, [name for name, _ in facts]), [value for _, value in facts]


def published() -> str:
    page = io.StringIO()
    rows = csv.writer(page, lineterminator="\n")
    rows.writerow(["case", "tag", "facts_json", "canonical_json", "canonical_hex", "sha256_hex"])
    for case, facts in CASES:
        shape, values = layout(facts)
        text = shape.canonical(values)
        quoted = json.dumps(text.decode(), ensure_ascii=False)
        stated = json.dumps(facts, ensure_ascii=False)
        rows.writerow([case, TAG, stated, quoted, text.hex(), shape.digest(values).hex()])
    return page.getvalue()


def test_the_published_vectors_are_what_the_code_says() -> None:
    assert VECTORS.read_text(encoding="utf-8") == published()


def test_the_layout_by_hand() -> None:
    shape = Layout(TAG, ["lot", "gate", "plate", "time_ms", "state", "note"])
    text = "parkmesh.example.v1/1\nlot=2:l1\nplate=9:闽B12345\ntime_ms=13:4102416000000\nstate=1:1\nnote=0:\n".encode()
    values = ["l1", None, "闽B12345", 4102416000000, 1, ""]
    assert shape.canonical(values) == text
    assert shape.digest(values) == sha256(text).digest()


def read(text: bytes) -> list[tuple[str, bytes]]:
    """A reader written from the grammar alone."""
    assert text.startswith(f"{TAG}\n".encode())
    at, facts = len(TAG) + 1, []
    while at < len(text):
        name_end = text.index(b"=", at)
        length_end = text.index(b":", name_end)
        end = length_end + 1 + int(text[name_end + 1 : length_end])
        facts.append((text[at:name_end].decode(), text[length_end + 1 : end]))
        assert text[end : end + 1] == b"\n"
        at = end + 1
    return facts


@given(st.lists(VALUES, max_size=8))
def test_a_reader_gets_the_facts_back(values: list[Value]) -> None:
    names = [f"f{at}" for at in range(len(values))]
    expected = [(n, str(v).encode()) for n, v in zip(names, values, strict=True) if v is not None]
    assert read(Layout(TAG, names).canonical(values)) == expected


def test_enums_and_booleans_are_their_numbers() -> None:
    class Direction(IntEnum):
        UNSPECIFIED = 0
        ENTRY = 1

    shape = Layout(TAG, ["direction", "resent"])
    assert shape.canonical([Direction.ENTRY, True]) == shape.canonical([1, 1])
    assert shape.canonical([Direction.UNSPECIFIED, False]) == shape.canonical([0, 0])


@pytest.mark.parametrize("value", [1.0, 0.5, b"x", [1], float("nan")])
def test_only_text_and_whole_numbers(value: object) -> None:
    with pytest.raises(TypeError):
        Layout(TAG, ["x"]).canonical([value])  # type: ignore[list-item]


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        Layout(TAG, ["x"]).canonical(["\ud800"])


@pytest.mark.parametrize("values", [[], ["a"], ["a", "b", "c"]])
def test_one_value_for_each_name(values: list[Value]) -> None:
    with pytest.raises(ValueError, match="zip"):
        Layout(TAG, ["x", "y"]).canonical(values)


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        ("", ["x"]),
        ("a\nb", ["x"]),
        ("Tag", ["x"]),
        (TAG, ["x", "x"]),
        (TAG, [""]),
        (TAG, ["a=b"]),
        (TAG, ["A"]),
        (TAG, ["a\n"]),
    ],
)
def test_a_layout_is_checked_when_it_is_made(tag: str, names: list[str]) -> None:
    with pytest.raises(ValueError, match="a-z"):
        Layout(tag, names)


if __name__ == "__main__":
    VECTORS.parent.mkdir(parents=True, exist_ok=True)
    VECTORS.write_text(published(), encoding="utf-8")
