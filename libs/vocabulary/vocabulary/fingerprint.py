"""The fingerprint of a set of records: equal sets have equal fingerprints, in whatever order they lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

SUM_BYTES: Final = 32
_WRAP: Final = 1 << (8 * SUM_BYTES)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many records a set has, and the sum of their digests; that of a union of disjoint sets is their sum."""

    count: int = 0
    """How many."""
    digest_sum: bytes = bytes(SUM_BYTES)
    """The digests, read as big-endian numbers, added up modulo 2^256: 32 bytes, big-endian."""

    @classmethod
    def of(cls, digests: Iterable[bytes]) -> Self:
        """That of the records with these digests; ValueError when one has not 32 bytes."""
        count = total = 0
        for digest in digests:
            if len(digest) != SUM_BYTES:
                raise ValueError("a digest has 32 bytes")
            count += 1
            total += int.from_bytes(digest)
        return cls(count, (total % _WRAP).to_bytes(SUM_BYTES))

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        total = (int.from_bytes(self.digest_sum) + int.from_bytes(other.digest_sum)) % _WRAP
        return Fingerprint(self.count + other.count, total.to_bytes(SUM_BYTES))
