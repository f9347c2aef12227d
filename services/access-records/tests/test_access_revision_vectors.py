"""The digest of a revision is what docs/canonical-text.md says, by vectors made from the page alone.

Run as a program, this file writes the vectors anew.
"""

import csv
import hashlib
from pathlib import Path

from parkmesh.access.v1.record_pb2 import AccessRecord
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


def test_the_vectors_name_facts_in_the_order_of_the_record() -> None:
    order = [field.name for field in AccessRecord.DESCRIPTOR.fields]
    for row in PUBLISHED:
        places = [order.index(name) for name in row.get("fields", "").split(",") if name]
        assert places == sorted(places)


if __name__ == "__main__":
    with VECTORS.open("w", encoding="utf-8", newline="") as written:
        csv.writer(written).writerows([[*COLUMNS, "canonical", "sha256"], *rows()])
