"""Databases of the first schema: nothing that they held is lost."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from google.protobuf.field_mask_pb2 import FieldMask
from mesh.instants import time_of
from mesh.testing import ManualClock, SequentialIds
from parkmesh.registry.v1.coordinate_pb2 import COORDINATE_SYSTEM_GCJ02, Coordinate
from parkmesh.registry.v1.gate_pb2 import LANE_DIRECTION_BOTH, LANE_DIRECTION_ENTRY, Gate, Lane
from parkmesh.registry.v1.lot_pb2 import LOT_STATE_ACTIVE, LOT_TYPE_PUBLIC, Lot
from parkmesh.registry.v1.role_pb2 import ROLE_ADMINISTRATOR, ROLE_VENDOR
from parkmesh.registry.v1.vendor_pb2 import CREDENTIAL_METHOD_SECRET, Credential, Grant, Vendor
from registry.errors import AlreadyRegistered, EtagMismatch
from registry.history.audit import Audit
from registry.history.changes import Changes, Wanted
from registry.static.moments import Moment
from registry.static.register import Register
from registry.storage.engine import engine_of
from registry.storage.kinds import CREDENTIAL, GATE, GRANT, LOT, VENDOR
from registry.storage.store import opened
from registry.storage.tables import CHANGES
from registry.testing import ADMINISTRATOR, a_lot, kept, vendor_caller

MADE = 1_800_000_000_000
NOW = 4_102_444_800_000
LOT_1: dict[str, Any] = {
    "lot_id": "lot-1",
    "registration_number": "PT-1",
    "name": "旧停车场",
    "type": "PUBLIC",
    "division_code": "350302",
    "address": "胜利路 1 号",
    "coordinate": {"latitude": 25.431, "longitude": 119.007, "system": "GCJ02"},
    "open_berths": 120,
    "state": "ACTIVE",
    "create_ms": MADE + 1,
}
GATE_1 = {
    "lot_id": "lot-1",
    "gate_id": "g1",
    "name": "东门",
    "lanes": [{"lane_id": "b", "direction": "ENTRY"}, {"lane_id": "a", "direction": "BOTH"}],
}


def vendor(vendor_id: str, name: str, role: str) -> dict[str, Any]:
    return {"vendor_id": vendor_id, "name": name, "role": role, "requests_per_second": 9, "create_ms": MADE}


def credential(client_id: str, vendor_id: str, *, expire_ms: int | None = None, revoked: bool = False) -> Any:
    stated = {"client_id": client_id, "vendor_id": vendor_id, "create_ms": MADE}
    return stated | {"expire_ms": expire_ms, "revoked": revoked}


def grant(end_ms: int | None) -> dict[str, Any]:
    return {"vendor_id": "vendor-1", "lot_id": "lot-1", "start_ms": MADE, "end_ms": end_ms}


HELD: list[tuple[str, str, dict[str, Any]]] = [
    ("vendor", "platform", vendor("platform", "platform", "ADMINISTRATOR")),
    ("credential", "admin", credential("admin", "platform")),
    ("vendor", "vendor-1", vendor("vendor-1", "厂商", "VENDOR")),
    ("lot", "lot-1", LOT_1),
    ("lot", "lot-2", LOT_1 | {"lot_id": "lot-2", "registration_number": "PT-2", "coordinate": None}),
    ("gate", "lot-1/g1", GATE_1),
    ("credential", "client-1", credential("client-1", "vendor-1")),
    ("grant", "vendor-1/lot-1", grant(None)),
    ("credential", "client-1", credential("client-1", "vendor-1", expire_ms=MADE + 50, revoked=True)),
    ("grant", "vendor-1/lot-1", grant(MADE + 10_000)),
    ("grant", "vendor-1/lot-1", grant(None)),
]


async def of_the_first_schema(url: str, held: list[tuple[str, str, dict[str, Any]]]) -> str:
    """Makes a database of the first schema; its epoch."""
    engine = engine_of(url)

    def made(connection: sa.Connection) -> str:
        config = Config()
        config.set_main_option("script_location", "registry:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for number, (kind, key, fact) in enumerate(held, 1):
            row = {"revision": number, "kind": kind, "key": key, "fact": json.dumps(fact, ensure_ascii=False)}
            row |= {"made_ms": MADE + number, "made_by": "platform", "made_with": "admin"}
            connection.execute(sa.insert(sa.table("changes", *map(sa.column, row))).values(row))
        connection.execute(sa.text(f"UPDATE numbering SET revision = {len(held)}"))
        for name in ("platform", "vendor-1") if held else ():
            row = {"vendor_id": name, "name": name, "role": "VENDOR", "requests_per_second": 9, "create_ms": MADE}
            connection.execute(sa.insert(sa.table("vendors", *map(sa.column, row))).values(row))
        for client_id, vendor_id in (("admin", "platform"), ("client-1", "vendor-1")) if held else ():
            row = {"client_id": client_id, "vendor_id": vendor_id, "issue_revision": 1, "create_ms": MADE}
            row |= {"secret_hash": f"hash of {client_id}", "expire_ms": None, "revoked": False}
            connection.execute(sa.insert(sa.table("credentials", *map(sa.column, row))).values(row))
        return str(connection.execute(sa.text("SELECT epoch FROM numbering")).scalar_one())

    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            epoch = await connection.run_sync(made)
    await engine.dispose()
    return epoch


async def test_every_object_is_there_as_it_was(bare_database_url: str) -> None:
    epoch = await of_the_first_schema(bare_database_url, HELD)
    async with opened(bare_database_url) as store, store.reading() as facts:
        assert await facts.position() == (epoch, len(HELD))
        coordinate = Coordinate(latitude=25.431, longitude=119.007, system=COORDINATE_SYSTEM_GCJ02)
        lot = Lot(
            lot_id="lot-1",
            registration_number="PT-1",
            name="旧停车场",
            type=LOT_TYPE_PUBLIC,
            division_code="350302",
            address="胜利路 1 号",
            coordinate=coordinate,
            open_berths=120,
            state=LOT_STATE_ACTIVE,
        )
        assert await facts.held(LOT, "lot-1") == lot
        held = await facts.find(LOT, "lot-1")
        assert held is not None
        assert (held.etag, held.create_ms, held.first_effective_ms) == ("4", MADE + 4, MADE + 4)
        other = await facts.held(LOT, "lot-2")
        assert other is not None
        assert not other.HasField("coordinate")
        lanes = [Lane(lane_id="b", direction=LANE_DIRECTION_ENTRY), Lane(lane_id="a", direction=LANE_DIRECTION_BOTH)]
        assert [held.message for held in await facts.many(GATE, lot_id="lot-1")] == [
            Gate(lot_id="lot-1", gate_id="g1", name="东门", lanes=lanes)
        ]
        assert await facts.held(VENDOR, "vendor-1") == Vendor(vendor_id="vendor-1", name="厂商", requests_per_second=9)
        admin = await facts.held(CREDENTIAL, "admin")
        assert admin == Credential(
            client_id="admin", role=ROLE_ADMINISTRATOR, subject_id="platform", method=CREDENTIAL_METHOD_SECRET
        )
        (ended,) = await facts.many(CREDENTIAL, owner="vendor-1")
        assert (ended.message.role, ended.message.revoked) == (ROLE_VENDOR, True)
        assert (ended.message.expire_time, ended.create_ms, ended.update_ms) == (
            time_of(MADE + 50),
            MADE + 7,
            MADE + 9,
        )
        assert await facts.held(GRANT, "vendor-1/lot-1") == Grant(
            vendor_id="vendor-1", lot_id="lot-1", start_time=time_of(MADE)
        )
        secrets = await facts.rows(sa.select(sa.text("client_id, secret_hash FROM secrets ORDER BY client_id")))
        assert [tuple(row) for row in secrets] == [("admin", "hash of admin"), ("client-1", "hash of client-1")]


async def test_every_change_keeps_its_number_and_the_trail_begins_with_them(bare_database_url: str) -> None:
    await of_the_first_schema(bare_database_url, HELD)
    async with opened(bare_database_url) as store:
        async with store.reading() as facts:
            rows = await facts.rows(sa.select(CHANGES).order_by(CHANGES.c.revision))
            assert [(row.revision, row.kind, row.key) for row in rows] == [
                (number, kind, key) for number, (kind, key, _) in enumerate(HELD, 1)
            ]
            assert {(row.subject, row.client_id) for row in rows} == {("platform", "admin")}
            ends = [grant.after.HasField("end_time") for grant in await facts.revisions(GRANT, "vendor-1/lot-1")]
            assert ends == [False, True, False]
        verdict = await Audit(store).verify()
        assert (verdict.entries, verdict.changes, verdict.first_broken) == (1, len(HELD), 0)
        changes = await Changes(store, ManualClock(NOW)).list(ADMINISTRATOR, Wanted(lot_id="lot-1"), None, 99)
        assert [change.after.WhichOneof("object") for change in changes] == ["lot", "gate", "grant", "grant", "grant"]
        async with store._engine.begin() as connection:
            await connection.execute(sa.text("UPDATE changes SET subject = 'other' WHERE revision = 1"))
        assert (await Audit(store).verify()).first_broken == 1


async def test_they_are_changed_like_any_other(bare_database_url: str) -> None:
    await of_the_first_schema(bare_database_url, HELD)
    async with opened(bare_database_url) as store:
        register = Register(store, ManualClock(NOW), SequentialIds())
        vendor_1 = vendor_caller(1)
        lot = await register.lot(vendor_1, "lot-1", Moment())

        async def renamed(etag: str) -> Lot:
            patch = Lot(name="新停车场", etag=etag)
            return await register.update_lot(vendor_1, "lot-1", patch, FieldMask(), reason="", effective_ms=None)

        with pytest.raises(EtagMismatch):
            await renamed("3")
        again = await renamed(lot.etag)
        assert (again.name, again.etag) == ("新停车场", str(len(HELD) + 1))
        was = await register.lot(vendor_1, "lot-1", Moment(as_of_ms=MADE + 4))
        assert (was.name, was.create_time) == ("旧停车场", time_of(MADE + 4))
        with pytest.raises(AlreadyRegistered):
            await register.create_lot(ADMINISTRATOR, a_lot(registration_number="PT-2"))
        with pytest.raises(AlreadyRegistered):
            await kept(store, NOW, Vendor(vendor_id="vendor-2", name="厂商"))
        async with store.reading() as facts:
            credential_held = await facts.held(CREDENTIAL, "client-1")
        await kept(store, NOW, credential_held)  # nothing differs, so nothing happens
        async with store.reading() as facts:
            assert (await facts.position())[1] == len(HELD) + 1
        assert (await Audit(store).verify()).first_broken == 0


async def test_an_empty_one_begins_an_empty_trail(bare_database_url: str) -> None:
    epoch = await of_the_first_schema(bare_database_url, [])
    async with opened(bare_database_url) as store:
        async with store.reading() as facts:
            assert await facts.position() == (epoch, 0)
            assert (await facts.page("", 0, 9)).facts == ()
        assert (await Audit(store).verify()).entries == 0
