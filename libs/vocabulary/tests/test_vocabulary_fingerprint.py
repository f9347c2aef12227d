"""Fingerprints: the published vectors, and that they neither see the order nor miss a record.

Run as a program, this file writes the vectors anew; as a test it proves that the published ones are still what the code
says.
"""

import base64
import csv
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary.fingerprint import Fingerprint

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "vectors"
VECTORS = FOLDER / "fingerprints.csv"
COLUMNS = ("case", "digests", "count", "digest_sum_hex", "digest_sum_base64")
_digests = st.lists(st.binary(min_size=32, max_size=32), max_size=8)


def published() -> dict[str, list[bytes]]:
    """The sets whose fingerprints are published."""
    with (FOLDER / "records.csv").open(encoding="utf-8", newline="") as file:
        records = [bytes.fromhex(row["sha256"]) for row in csv.DictReader(file)]
    many = [hashlib.sha256(str(number).encode()).digest() for number in range(1, 101)]
    highest, one = b"\xff" * 32, bytes(31) + b"\x01"
    return {
        "no record": [],
        "one record": records[:1],
        "all of records.csv": records,
        "the same backwards": records[::-1],
        "a sum with leading zeros": [one],
        "a sum that wraps to nothing": [highest, one],
        "a sum that wraps": [highest, *records],
        "SHA-256 of the numbers 1 to 100 in decimal": many,
    }


def rows() -> list[list[str]]:
    """The lines of the file."""
    found = []
    for case, digests in published().items():
        made = Fingerprint.of(digests)
        listed = " ".join(digest.hex() for digest in digests)
        found.append([case, listed, str(made.count), made.digest_sum.hex(), base64.b64encode(made.digest_sum).decode()])
    return found


def test_the_published_vectors_are_what_the_code_says() -> None:
    with VECTORS.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [list(COLUMNS), *rows()]


def test_the_vectors_say_what_an_independent_sum_says() -> None:
    for case, listed, count, total, _ in rows():
        digests = listed.split()
        assert int(count) == len(digests), case
        assert int(total, 16) == sum(int(digest, 16) for digest in digests) % 2**256, case
        assert len(total) == 64, case


@given(_digests, st.randoms())
def test_the_order_does_not_count(digests: list[bytes], chance: object) -> None:
    mixed = digests.copy()
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert Fingerprint.of(mixed) == Fingerprint.of(digests)


@given(_digests, st.binary(min_size=32, max_size=32))
def test_one_more_record_is_seen_whatever_its_digest(digests: list[bytes], more: bytes) -> None:
    assert Fingerprint.of([*digests, more]) != Fingerprint.of(digests)


@given(_digests, _digests)
def test_that_of_a_union_is_the_sum(left: list[bytes], right: list[bytes]) -> None:
    assert Fingerprint.of(left) + Fingerprint.of(right) == Fingerprint.of([*left, *right])
    assert Fingerprint() + Fingerprint.of(left) == Fingerprint.of(left)


@pytest.mark.parametrize("digest", [b"", b"1" * 31, b"1" * 33])
def test_what_is_no_digest_is_refused(digest: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Fingerprint.of([digest])


if __name__ == "__main__":
    with VECTORS.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows()])
