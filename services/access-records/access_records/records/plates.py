"""What the platform derives from a plate: normal form, pseudonym, masked form, and whether its facts fit together."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from vocabulary import plate as vocabulary

from access_records.records.logged import plate_part

KEY_BYTES: Final = 16
"""Length of a plate's pseudonym."""

_REMEMBERED: Final = 1 << 16
_ASCII: Final = re.compile("[^0-9A-Z]+")


@dataclass(frozen=True, slots=True)
class SeenPlate:
    """A plate that was understood."""

    encoded: bytes
    """Fields plate_normal, plate_key and plate_masked of LoggedRecord, serialized."""
    tail: str
    """Its letters and digits, without which no id can reveal it."""
    consistent: bool
    """Whether number, colour and kind go together (GA 36)."""


class PlateReader:
    """Understands plates under one pseudonym key; remembers the last ones, since an entry is followed by its exit."""

    def __init__(self, key: bytes) -> None:
        """The key has 16 to 64 bytes; another key gives other pseudonyms for the same plates."""
        if not 16 <= len(key) <= 64:
            raise ValueError("the plate key has 16 to 64 bytes")
        self._key = key
        self.see = lru_cache(maxsize=_REMEMBERED)(self._see)
        """The plate that number, colour and kind describe; None when the number has the form of no plate."""

    def pseudonym(self, normal: str) -> bytes:
        """The keyed pseudonym of a plate in its normal form: 16 bytes, the same for ever under one key."""
        return hashlib.blake2b(normal.encode(), key=self._key, digest_size=KEY_BYTES).digest()

    def normal(self, number: str) -> str | None:
        """The normal form of a plate's number; None when it has the form of no plate."""
        parsed = vocabulary.parse(number)
        return parsed.number or None if parsed else None

    def _see(self, number: str, colour: int, kind: int) -> SeenPlate | None:
        parsed = vocabulary.parse(number)
        if parsed is None or not parsed.number:
            return None
        normal = parsed.number
        encoded = plate_part(normal, self.pseudonym(normal), vocabulary.mask(normal))
        return SeenPlate(encoded, _ASCII.sub("", normal), not vocabulary.inconsistencies(number, colour, kind))
