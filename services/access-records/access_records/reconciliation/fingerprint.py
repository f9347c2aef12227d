"""The fingerprint of a set of records: their count, and the sum of their digests modulo 2^256."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_SIZE: Final = 32
_MODULUS: Final = 1 << 8 * _SIZE


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A set of records in two numbers; the order of the records does not matter."""

    count: int
    total: int
    """The sum of the digests, each read as a big-endian whole number, modulo 2^256."""

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        """The fingerprint of both sets together; they must have no record in common."""
        return Fingerprint(self.count + other.count, (self.total + other.total) % _MODULUS)

    @property
    def digest_sum(self) -> bytes:
        """The sum as it is sent: 32 bytes, big-endian."""
        return self.total.to_bytes(_SIZE, "big")


EMPTY: Final = Fingerprint(0, 0)
"""The fingerprint of no records."""


def stated(count: int, digest_sum: bytes) -> Fingerprint:
    """A fingerprint as it was sent."""
    return Fingerprint(count, int.from_bytes(digest_sum, "big"))


def of(digests: Iterable[bytes]) -> Fingerprint:
    """The fingerprint of the records with these digests."""
    count = total = 0
    for digest in digests:
        count += 1
        total += int.from_bytes(digest, "big")
    return Fingerprint(count, total % _MODULUS)


def together(fingerprints: Iterable[Fingerprint]) -> Fingerprint:
    """The fingerprint of disjoint sets as one."""
    found = EMPTY
    for one in fingerprints:
        found += one
    return found
