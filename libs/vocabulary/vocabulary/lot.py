"""The id of a parking lot as the platform issues it: `lot_` and twelve characters, safe in URLs and by phone."""

import re
from typing import Final

ID_BITS: Final = 60
"""How many random bits an id is made of: 60 keep a chance clash among a million lots below one in two million."""

PATTERN: Final = "^lot_[0-9a-hjkmnp-tv-z]{12}$"
"""What a lot id looks like; RE2 and Python alike. Lower case only, so that one lot has one spelling."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_ID: Final = re.compile(PATTERN.removeprefix("^").removesuffix("$"))


def lot_id(bits: int) -> str:
    """The id made of `ID_BITS` bits, in Crockford's base 32 (no i, l, o, u), most significant first.

    Where the bits come from is the caller's choice; the same bits give the same id. Raises ValueError out of range.
    """
    if bits < 0 or bits >> ID_BITS:
        raise ValueError("a lot id is made of 60 bits")
    return "lot_" + "".join(_ALPHABET[bits >> shift & 31] for shift in range(ID_BITS - 5, -1, -5))


def is_lot_id(text: str) -> bool:
    """Whether the text is well-formed as a lot id; whether that lot exists is the registry's to say."""
    return _ID.fullmatch(text) is not None
