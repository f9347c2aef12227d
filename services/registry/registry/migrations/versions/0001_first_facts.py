"""Lots, gates, lanes, vendors, credentials, grants, and the numbered history of their changes."""

import uuid

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables, and the epoch that belongs to this database alone."""
    # Keys are compared byte by byte on both engines, so that lists have one order.
    key = "TEXT" if op.get_bind().dialect.name == "sqlite" else 'TEXT COLLATE "C"'
    for statement in (
        """
        CREATE TABLE numbering (
            id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
            epoch TEXT NOT NULL,
            revision BIGINT NOT NULL
        )
        """,
        f"INSERT INTO numbering (id, epoch, revision) VALUES (1, '{uuid.uuid4().hex}', 0)",  # noqa: S608 - own value
        f"""
        CREATE TABLE changes (
            revision BIGINT NOT NULL PRIMARY KEY,
            kind {key} NOT NULL,
            key {key} NOT NULL,
            fact TEXT NOT NULL,
            made_ms BIGINT NOT NULL,
            made_by TEXT NOT NULL,
            made_with TEXT NOT NULL,
            UNIQUE (kind, key, revision)
        )
        """,
        f"""
        CREATE TABLE lots (
            lot_id {key} NOT NULL PRIMARY KEY,
            registration_number {key} NOT NULL UNIQUE,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            division_code TEXT NOT NULL,
            address TEXT NOT NULL,
            latitude DOUBLE PRECISION,
            longitude DOUBLE PRECISION,
            coordinate_system TEXT,
            open_berths INTEGER NOT NULL,
            state TEXT NOT NULL,
            create_ms BIGINT NOT NULL
        )
        """,
        f"""
        CREATE TABLE gates (
            lot_id {key} NOT NULL REFERENCES lots,
            gate_id {key} NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (lot_id, gate_id)
        )
        """,
        f"""
        CREATE TABLE lanes (
            lot_id {key} NOT NULL,
            gate_id {key} NOT NULL,
            place INTEGER NOT NULL,
            lane_id {key} NOT NULL,
            direction TEXT NOT NULL,
            PRIMARY KEY (lot_id, gate_id, place),
            UNIQUE (lot_id, gate_id, lane_id),
            FOREIGN KEY (lot_id, gate_id) REFERENCES gates
        )
        """,
        f"""
        CREATE TABLE vendors (
            vendor_id {key} NOT NULL PRIMARY KEY,
            name {key} NOT NULL UNIQUE,
            role TEXT NOT NULL,
            requests_per_second INTEGER NOT NULL,
            create_ms BIGINT NOT NULL
        )
        """,
        f"""
        CREATE TABLE credentials (
            client_id {key} NOT NULL PRIMARY KEY,
            vendor_id {key} NOT NULL REFERENCES vendors,
            issue_revision BIGINT NOT NULL,
            secret_hash TEXT NOT NULL,
            create_ms BIGINT NOT NULL,
            expire_ms BIGINT,
            revoked BOOLEAN NOT NULL
        )
        """,
        "CREATE INDEX credentials_by_vendor ON credentials (vendor_id, issue_revision)",
        f"""
        CREATE TABLE grants (
            vendor_id {key} NOT NULL REFERENCES vendors,
            lot_id {key} NOT NULL REFERENCES lots,
            start_ms BIGINT NOT NULL,
            end_ms BIGINT,
            PRIMARY KEY (vendor_id, lot_id)
        )
        """,
    ):
        op.execute(statement)
