"""The digest of a revision is what docs/canonical-text.md says, by vectors made from the page alone.

Run as a program, this file writes the vectors anew.
"""

import csv
import hashlib
from pathlib import Path

import pytest
from access_records.records.revisions import canonical_of, digest_of, revised_of
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh.access.v1.revision_pb2 import RecordChanges, RecordRevision
from vocabulary.record import Facts

VECTORS = Path(__file__).resolve().parents[3] / "docs" / "vectors" / "revisions.csv"
FACTS = Facts._fields[2:]
COLUMNS = (
    *("lot_id", "record_id", "revision", "kind", "fields"),
    *FACTS,
    *("reason", "reason_text", "author", "evidence_ids", "made_time_ms"),
)
"""The names of the layout, in their order."""
_USUAL = {
    "lot_id": "lot_000000000001",
    "record_id": "20240314-000001",
    "revision": "1",
    "kind": "1",
    "author": "shift-leader 7",
    "made_time_ms": "1710381600000",
}
PUBLISHED = (
    {
        **_USUAL,
        "fields": "plate_number,plate_colour,plate_kind,plate_state",
        "plate_number": "闽BD12345",
        "plate_colour": "94",
        "plate_state": "1",
        "reason": "1",
        "evidence_ids": "img-1,img-2",
    },
    {**_USUAL, "revision": "2", "fields": "event_time", "event_time_ms": "1710374399999", "reason": "2"},
    {**_USUAL, "revision": "3", "fields": "visit_id", "reason": "99", "reason_text": "流水号属于另一辆车"},
    {**_USUAL, "revision": "4", "kind": "2", "reason": "3", "evidence_ids": "img-3", "author": "对账程序"},
    {**_USUAL, "revision": "64", "kind": "3", "reason": "9", "made_time_ms": "1710468000123"},
    {
        **_USUAL,
        "record_id": "20240314-000002",
        "fields": "direction,vehicle_class,gate_id,lane_id,berth_id,parking_type,release_method,release_reason",
        "direction": "2",
        "vehicle_class": "3",
        "berth_id": "莆A-0017",
        "parking_type": "2",
        "release_method": "2",
        "release_reason": "停电, 人工抬杆 🚒",
        "reason": "5",
    },
)


def canonical(row: dict[str, str]) -> str:
    """The text as the page tells it."""
    stated = ((name, row.get(name, "")) for name in COLUMNS)
    lines = [f"{name}={len(value.encode())}:{value}" for name, value in stated if value]
    return "\n".join(["parkmesh.access.revision/1", *lines, ""])


def rows() -> list[list[str]]:
    """The lines of the file."""
    found = []
    for row in PUBLISHED:
        text = canonical(row)
        digest = hashlib.sha256(text.encode()).hexdigest()
        found.append([*(row.get(name, "") for name in COLUMNS), text.replace("\n", "\\n"), digest])
    return found


def test_the_published_vectors_are_what_the_page_says() -> None:
    with VECTORS.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [[*COLUMNS, "canonical", "sha256"], *rows()]


def sent(row: dict[str, str]) -> RecordRevision:
    """The revision as a vendor sends it."""
    changes: dict[str, object] = {
        name: int(row[name]) if isinstance(getattr(RecordChanges(), name, ""), int) else row[name]
        for name in FACTS
        if row.get(name) and name != "event_time_ms"
    }
    if event_ms := row.get("event_time_ms"):
        changes["event_time"] = instant(event_ms)
    revision = RecordRevision(
        lot_id=row["lot_id"],
        record_id=row["record_id"],
        revision=int(row["revision"]),
        kind=int(row["kind"]),  # type: ignore[arg-type]
        changes=RecordChanges(**changes),  # type: ignore[arg-type]
        reason=int(row["reason"]),  # type: ignore[arg-type]
        reason_text=row.get("reason_text", ""),
        author=row["author"],
        evidence_ids=[name for name in row.get("evidence_ids", "").split(",") if name],
        made_time=instant(row["made_time_ms"]),
    )
    # In whatever order a vendor names them.
    revision.update_mask.paths.extend(name for name in reversed(row.get("fields", "").split(",")) if name)
    return revision


def instant(epoch_ms: str) -> Timestamp:
    """The instant, with digits that no digest sees."""
    return Timestamp(seconds=int(epoch_ms) // 1000, nanos=int(epoch_ms) % 1000 * 1_000_000 + 999_999)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"revision {row['revision']} of {row['record_id']}")
def test_the_platform_computes_the_published_digests(row: dict[str, str]) -> None:
    revised = revised_of(sent(row))
    assert canonical_of(revised).decode() == canonical(row)
    assert digest_of(revised) == hashlib.sha256(canonical(row).encode()).digest()


def test_the_vectors_name_facts_in_the_order_of_the_record() -> None:
    order = [field.name for field in AccessRecord.DESCRIPTOR.fields]
    for row in PUBLISHED:
        places = [order.index(name) for name in row.get("fields", "").split(",") if name]
        assert places == sorted(places)


if __name__ == "__main__":
    with VECTORS.open("w", encoding="utf-8", newline="") as written:
        csv.writer(written).writerows([[*COLUMNS, "canonical", "sha256"], *rows()])
