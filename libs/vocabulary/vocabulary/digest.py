"""The canonical text of stated facts and its SHA-256: the same facts give the same 32 bytes in every language.

The layout, in ABNF over UTF-8 bytes:

    text   = tag LF *fact
    fact   = name "=" length ":" value LF
    name   = %x61-7A *( %x61-7A / %x30-39 / "_" )     ; a-z, then a-z, 0-9 and _
    length = "0" / ( %x31-39 *%x30-39 )               ; how many bytes the value has, in decimal
    value  = *OCTET                                    ; exactly that many

A fact that was not stated is left out, which is not the same as an empty one. A string is taken as it was sent:
nothing is trimmed, folded or normalised. A whole number is written in decimal, with a leading `-` when negative; true
and false are 1 and 0; there are no fractions. The order of the facts is part of the layout that a tag names. Because
every value has its length before it, no value can pass for another fact.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

Value = str | int | None
"""What a fact states; None when it was not stated."""

_TAG: Final = re.compile(r"[a-z0-9./_-]+")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_SMALL: Final = 100
_decimal: Final = int.__repr__  # refuses what is no whole number, and writes an enum or a boolean as its number


class Layout:
    """The facts that a tag names, in their order."""

    __slots__ = ("_facts", "_opening", "names", "tag")

    def __init__(self, tag: str, names: Iterable[str]) -> None:
        """Raises ValueError when the tag or a name is not of the documented form, or a name comes twice."""
        self.tag = tag
        self.names = tuple(names)
        if not _TAG.fullmatch(tag):
            raise ValueError("a tag has only a-z, 0-9 and ./_-")
        if len(set(self.names)) != len(self.names) or not all(map(_NAME.fullmatch, self.names)):
            raise ValueError("names are distinct, begin with a-z and have only a-z, 0-9 and _")
        self._opening = tag + "\n"
        # Most numbers are small enum values: their whole lines are written once.
        self._facts = tuple(
            (f"{name}=", [_line(f"{name}=", _decimal(n)) for n in range(_SMALL)]) for name in self.names
        )

    def canonical(self, values: Sequence[Value]) -> bytes:
        """The canonical text of the values, one for each name, in the order of the names.

        Raises ValueError when their count differs from the names' or a string is not valid Unicode, and TypeError when
        a value is neither text nor a whole number.
        """
        parts = [self._opening]
        add = parts.append
        for (head, small), value in zip(self._facts, values, strict=True):
            if type(value) is str:
                add(f"{head}{len(value) if value.isascii() else len(value.encode())}:{value}\n")
            elif type(value) is int and 0 <= value < _SMALL:
                add(small[value])
            elif value is not None:
                add(_line(head, value if isinstance(value, str) else _decimal(value)))
        return "".join(parts).encode()

    def digest(self, values: Sequence[Value]) -> bytes:
        """SHA-256 of the canonical text: 32 bytes; raises as `canonical` does."""
        return sha256(self.canonical(values)).digest()


def _line(head: str, text: str) -> str:
    return f"{head}{len(text.encode())}:{text}\n"
