"""One history for every kind of object, with its effective times; accounts, surveys, receipts, and the audit trail."""

from alembic import op

from registry.migrations import carry_over

FIRST_HASH = "0" * 64

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the tables and carries over what the first schema held, under the numbers that it had."""
    connection = op.get_bind()
    changes, secrets = carry_over.read(connection)
    for table in ("changes", "grants", "credentials", "vendors", "lanes", "gates", "lots"):
        op.execute(f"DROP TABLE {table}")
    lite = connection.dialect.name == "sqlite"
    # Keys are compared byte by byte on both engines, so that lists have one order.
    key = "TEXT" if lite else 'TEXT COLLATE "C"'
    body = "BLOB" if lite else "BYTEA"
    for statement in (
        "ALTER TABLE numbering ADD COLUMN audit_number BIGINT NOT NULL DEFAULT 0",
        f"ALTER TABLE numbering ADD COLUMN audit_hash TEXT NOT NULL DEFAULT '{FIRST_HASH}'",
        f"""
        CREATE TABLE changes (
            revision BIGINT NOT NULL PRIMARY KEY,
            kind {key} NOT NULL,
            key {key} NOT NULL,
            lot_id {key} NOT NULL,
            fields TEXT NOT NULL,
            fact TEXT NOT NULL,
            effective_ms BIGINT NOT NULL,
            report_ms BIGINT NOT NULL,
            role TEXT NOT NULL,
            subject {key} NOT NULL,
            account_id TEXT NOT NULL,
            client_id TEXT NOT NULL,
            reason TEXT NOT NULL,
            change_set {key} NOT NULL,
            UNIQUE (kind, key, revision)
        )
        """,
        "CREATE INDEX changes_of_kind ON changes (kind, revision)",
        "CREATE INDEX changes_of_lot ON changes (lot_id, revision)",
        "CREATE INDEX changes_by_author ON changes (subject, revision)",
        "CREATE INDEX changes_of_set ON changes (change_set, revision)",
        f"""
        CREATE TABLE facts (
            kind {key} NOT NULL,
            key {key} NOT NULL,
            revision BIGINT NOT NULL UNIQUE REFERENCES changes,
            lot_id {key} NOT NULL,
            owner {key} NOT NULL,
            body {body} NOT NULL,
            create_ms BIGINT NOT NULL,
            update_ms BIGINT NOT NULL,
            first_effective_ms BIGINT NOT NULL,
            last_effective_ms BIGINT NOT NULL,
            PRIMARY KEY (kind, key)
        )
        """,
        "CREATE INDEX facts_of_lot ON facts (kind, lot_id, key)",
        "CREATE INDEX facts_by_owner ON facts (kind, owner, key)",
        f"""
        CREATE TABLE names (
            kind {key} NOT NULL,
            field {key} NOT NULL,
            name {key} NOT NULL,
            key {key} NOT NULL,
            PRIMARY KEY (kind, field, name)
        )
        """,
        f"""
        CREATE TABLE receipts (
            revision BIGINT NOT NULL REFERENCES changes,
            department {key} NOT NULL,
            account_id TEXT NOT NULL,
            client_id TEXT NOT NULL,
            receive_ms BIGINT NOT NULL,
            PRIMARY KEY (revision, department)
        )
        """,
        f"""
        CREATE TABLE surveys (
            owner {key} NOT NULL,
            survey_id {key} NOT NULL,
            content_sha256 TEXT NOT NULL,
            report {body} NOT NULL,
            details {body} NOT NULL,
            PRIMARY KEY (owner, survey_id)
        )
        """,
        f"""
        CREATE TABLE secrets (
            client_id {key} NOT NULL PRIMARY KEY,
            secret_hash TEXT NOT NULL,
            public_key_pem TEXT NOT NULL
        )
        """,
        f"""
        CREATE TABLE codes (
            purpose {key} NOT NULL,
            holder {key} NOT NULL,
            code_hash {key} NOT NULL UNIQUE,
            expire_ms BIGINT NOT NULL,
            PRIMARY KEY (purpose, holder)
        )
        """,
        f"""
        CREATE TABLE passwords (
            account_id {key} NOT NULL PRIMARY KEY,
            password_hash TEXT NOT NULL,
            factor INTEGER NOT NULL,
            last_step BIGINT NOT NULL,
            failures INTEGER NOT NULL,
            locked_until_ms BIGINT NOT NULL
        )
        """,
        f"""
        CREATE TABLE used_once (
            scope {key} NOT NULL,
            value {key} NOT NULL,
            expire_ms BIGINT NOT NULL,
            PRIMARY KEY (scope, value)
        )
        """,
        "CREATE INDEX used_once_ends ON used_once (expire_ms)",
        f"CREATE TABLE devices_seen (key {key} NOT NULL PRIMARY KEY, seen_ms BIGINT NOT NULL)",
        f"""
        CREATE TABLE audit (
            number BIGINT NOT NULL PRIMARY KEY,
            at_ms BIGINT NOT NULL,
            action {key} NOT NULL,
            target TEXT NOT NULL,
            role TEXT NOT NULL,
            subject {key} NOT NULL,
            account_id {key} NOT NULL,
            client_id TEXT NOT NULL,
            outcome TEXT NOT NULL,
            refusal TEXT NOT NULL,
            first_revision BIGINT NOT NULL,
            last_revision BIGINT NOT NULL,
            changes_sha256 TEXT NOT NULL,
            previous_hash TEXT NOT NULL,
            hash TEXT NOT NULL UNIQUE
        )
        """,
        "CREATE INDEX audit_by_time ON audit (at_ms, number)",
        "CREATE INDEX audit_by_account ON audit (account_id, number)",
    ):
        op.execute(statement)
    carry_over.write(connection, changes, secrets)
