"""The tables of the database, by their columns; types, keys and constraints stand in the migrations, and only there."""

from typing import Final

import sqlalchemy as sa


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns))


NUMBERING: Final = _table("numbering", "id", "epoch", "revision", "audit_number", "audit_hash")
"""One row: the numbers of the last change and of the last entry of the audit trail, and that entry's hash."""

CHANGES: Final = _table(
    "changes",
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
"""Every change there ever was, never altered: `fact` is the object in JSON, as it was when the change became true."""

FACTS: Final = _table(
    "facts",
    "kind",
    "key",
    "revision",
    "lot_id",
    "owner",
    "body",
    "create_ms",
    "update_ms",
    "first_effective_ms",
    "last_effective_ms",
)
"""Every object as it is now, in protobuf: what the changes add up to, kept for those who only want to read it."""

NAMES: Final = _table("names", "kind", "field", "name", "key")
"""Who has which unique value."""

RECEIPTS: Final = _table("receipts", "revision", "department", "account_id", "client_id", "receive_ms")
"""Which department has received which change."""

SURVEYS: Final = _table("surveys", "owner", "survey_id", "content_sha256", "report", "details")
"""The reports of applied surveys and, apart, their rows; a survey's id belongs to who sent it."""

SECRETS: Final = _table("secrets", "client_id", "secret_hash", "public_key_pem")
"""How a credential is proved; of a secret, only its hash is kept."""

CODES: Final = _table("codes", "purpose", "holder", "code_hash", "expire_ms")
"""One-time codes that have not been used; only their hashes are kept."""

PASSWORDS: Final = _table(
    "passwords", "account_id", "password_hash", "factor", "last_step", "failures", "locked_until_ms"
)
"""How a person is known: `factor` numbers the secret of the second factor, `last_step` is its last step used."""

USED_ONCE: Final = _table("used_once", "scope", "value", "expire_ms")
"""What must not be used a second time before it is over by itself."""

DEVICES_SEEN: Final = _table("devices_seen", "key", "seen_ms")
"""When a device last showed a sign of life."""

AUDIT: Final = _table(
    "audit",
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
    "hash",
)
"""Who did what, each entry sealed with the one before."""
