"""Takes what the first schema held into the second: every change under its number, and the objects as they are now."""

import json
from typing import Any

import sqlalchemy as sa
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import gate_pb2, lot_pb2, vendor_pb2

from registry.storage import seal

_MESSAGES: dict[str, Any] = {
    "lot": lot_pb2.Lot,
    "gate": gate_pb2.Gate,
    "vendor": vendor_pb2.Vendor,
    "credential": vendor_pb2.Credential,
    "grant": vendor_pb2.Grant,
}
_UNIQUE = {"lot": "registration_number", "vendor": "name"}


def read(connection: sa.Connection) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The changes and the secrets of the first schema."""
    changes = connection.execute(sa.text("SELECT * FROM changes ORDER BY revision")).mappings()
    secrets = connection.execute(sa.text("SELECT client_id, secret_hash FROM credentials")).mappings()
    return [dict(row) for row in changes], [dict(row) for row in secrets]


def write(connection: sa.Connection, changes: list[dict[str, Any]], secrets: list[dict[str, Any]]) -> None:
    """Writes them into the second schema."""
    roles = {}
    carried = []
    now: dict[tuple[str, str], dict[str, Any]] = {}
    for old in changes:
        fact = json.loads(old["fact"])
        if old["kind"] == "vendor":
            roles[fact["vendor_id"]] = fact["role"]
        message = json_format.ParseDict(_proto_json(old["kind"], fact, roles), _MESSAGES[old["kind"]]())
        before = now.get((old["kind"], old["key"]))
        was = type(message)() if before is None else type(message).FromString(before["body"])
        # What a change cleared is a field that it changed, though it no longer shows.
        fields = [field.name for field in message.DESCRIPTOR.fields if _differs(was, message, field)]
        row = _change(old, message, fields)
        connection.execute(_insert("changes", row), row)
        carried.append(row)
        now[old["kind"], old["key"]] = _fact(row, message, before or row)
    for row in now.values():
        connection.execute(_insert("facts", row), row)
        if field := _UNIQUE.get(row["kind"]):
            name = getattr(_MESSAGES[row["kind"]].FromString(row["body"]), field)
            named = {"kind": row["kind"], "field": field, "name": name, "key": row["key"]}
            connection.execute(_insert("names", named), named)
    for secret in secrets:
        kept = secret | {"public_key_pem": ""}
        connection.execute(_insert("secrets", kept), kept)
    if carried:
        _seal(connection, carried)


def _seal(connection: sa.Connection, changes: list[dict[str, Any]]) -> None:
    """Begins the audit trail with an entry that seals them: from now on nobody alters them unseen."""
    entry = {
        "number": 1,
        "at_ms": changes[-1]["report_ms"],
        "action": "registry.carry_over",
        "target": "changes",
        "role": "SERVICE",
        "subject": "registry",
        "account_id": "",
        "client_id": "",
        "outcome": "DONE",
        "refusal": "",
        "first_revision": changes[0]["revision"],
        "last_revision": changes[-1]["revision"],
        "changes_sha256": seal.digest_of(changes),
        "previous_hash": seal.FIRST_HASH,
    }
    entry["hash"] = seal.hash_of(entry)
    connection.execute(_insert("audit", entry), entry)
    connection.execute(sa.text("UPDATE numbering SET audit_number = 1, audit_hash = :hash"), {"hash": entry["hash"]})


def _proto_json(kind: str, fact: dict[str, Any], roles: dict[str, str]) -> dict[str, Any]:
    """The old form of a fact as the proto's JSON."""
    match kind:
        case "lot":
            at = fact.pop("coordinate")
            fact |= {"type": f"LOT_TYPE_{fact['type']}", "state": f"LOT_STATE_{fact['state']}"}
            fact.pop("create_ms")
            return fact | ({"coordinate": at | {"system": f"COORDINATE_SYSTEM_{at['system']}"}} if at else {})
        case "gate":
            lanes = [lane | {"direction": f"LANE_DIRECTION_{lane['direction']}"} for lane in fact["lanes"]]
            return fact | {"lanes": lanes}
        case "vendor":
            return {name: fact[name] for name in ("vendor_id", "name", "requests_per_second")}
        case "credential":
            return {
                "client_id": fact["client_id"],
                "role": f"ROLE_{roles.get(fact['vendor_id'], 'VENDOR')}",
                "subject_id": fact["vendor_id"],
                "method": "CREDENTIAL_METHOD_SECRET",
                "expire_time": _time(fact["expire_ms"]),
                "revoked": fact["revoked"],
            }
        case _:
            return {
                "vendor_id": fact["vendor_id"],
                "lot_id": fact["lot_id"],
                "start_time": _time(fact["start_ms"]),
                "end_time": _time(fact["end_ms"]),
            }


def _change(old: dict[str, Any], message: Any, fields: list[str]) -> dict[str, Any]:
    return {
        "revision": old["revision"],
        "kind": old["kind"],
        "key": old["key"],
        "lot_id": getattr(message, "lot_id", ""),
        "fields": json.dumps(fields, separators=(",", ":")),
        "fact": json_format.MessageToJson(
            message, preserving_proto_field_name=True, indent=None, ensure_ascii=False, sort_keys=True
        ),
        "effective_ms": old["made_ms"],
        "report_ms": old["made_ms"],
        "role": "",
        "subject": old["made_by"],
        "account_id": "",
        "client_id": old["made_with"],
        "reason": "",
        "change_set": "",
    }


def _differs(was: Any, message: Any, field: Any) -> bool:
    if field.has_presence and was.HasField(field.name) != message.HasField(field.name):
        return True
    return bool(getattr(was, field.name) != getattr(message, field.name))


def _fact(row: dict[str, Any], message: Any, first: dict[str, Any]) -> dict[str, Any]:
    owner = {"credential": "subject_id", "grant": "vendor_id"}.get(row["kind"])
    return {
        "kind": row["kind"],
        "key": row["key"],
        "revision": row["revision"],
        "lot_id": row["lot_id"],
        "owner": getattr(message, owner) if owner else "",
        "body": message.SerializeToString(deterministic=True),
        "create_ms": first.get("create_ms", row["report_ms"]),
        "update_ms": row["report_ms"],
        "first_effective_ms": first.get("first_effective_ms", row["effective_ms"]),
        "last_effective_ms": row["effective_ms"],
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000).ToJsonString()


def _insert(table: str, row: dict[str, Any]) -> sa.Insert:
    return sa.insert(sa.table(table, *(sa.column(column) for column in row)))
