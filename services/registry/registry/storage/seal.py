"""The audit trail's chain, as pure functions: what an entry's hash covers, and whether a row of entries holds.

The canonical text of an entry is its fields in the order of `FIELDS`, each as its length in UTF-8 bytes (decimal), a
colon and the text, numbers in decimal. Its hash is the SHA-256 of that, in lower hexadecimal. Since `previous_hash` is
one of the fields, no entry can be altered, dropped or added without changing every hash after it; since
`changes_sha256` covers the changes that the act made, neither can these.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

FIRST_HASH: Final = "0" * 64
"""Stands for the hash before the first entry."""

FIELDS: Final = (
    "number",
    "at_ms",
    "action",
    "target",
    "role",
    "subject",
    "account_id",
    "client_id",
    "outcome",
    "refusal",
    "first_revision",
    "last_revision",
    "changes_sha256",
    "previous_hash",
)
CHANGE_FIELDS: Final = (
    "revision",
    "kind",
    "key",
    "lot_id",
    "fields",
    "fact",
    "effective_ms",
    "report_ms",
    "role",
    "subject",
    "account_id",
    "client_id",
    "reason",
    "change_set",
)
"""Everything that is kept of a change."""


def hash_of(entry: Mapping[str, Any]) -> str:
    """The hash of an entry."""
    return hashlib.sha256(_canonical(entry, FIELDS)).hexdigest()


def digest_of(changes: Iterable[Mapping[str, Any]]) -> str:
    """The digest over changes, in the order of their numbers."""
    digest = Digest()
    for change in changes:
        digest.add(change)
    return digest.text()


class Digest:
    """The digest over changes that come one by one, in the order of their numbers."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def add(self, change: Mapping[str, Any]) -> None:
        """Takes the next one in."""
        self._sha256.update(_canonical(change, CHANGE_FIELDS))

    def text(self) -> str:
        """In lower hexadecimal, over those until now."""
        return self._sha256.hexdigest()


def _canonical(row: Mapping[str, Any], fields: Iterable[str]) -> bytes:
    texts = (str(row[field]).encode() for field in fields)
    return b"".join(b"%d:%s" % (len(text), text) for text in texts)
