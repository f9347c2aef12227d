"""The digest of a record covers what it says, in the layout that is published.

Run as a program, this file writes the vectors anew; as a test it proves that the published ones are still what the code
says.
"""

import csv
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from vocabulary.record import LAYOUT, Facts, canonical_of, digest_of, first_difference

VECTORS = Path(__file__).resolve().parents[3] / "docs" / "vectors" / "records.csv"
USUAL = Facts(
    record_id="20240314-000001",
    lot_id="lot_000000000001",
    direction=1,
    event_time_ms=1_710_374_400_000,
    plate_number="闽B12345",
    plate_colour=1,
    plate_kind=0,
    plate_state=0,
    vehicle_class=1,
    gate_id="g1",
    lane_id="in",
    berth_id="",
    device_id="",
    visit_id="",
    parking_type=0,
    release_method=0,
    release_reason="",
)
"""The shortest useful record."""

_text = st.text(st.characters(codec="utf-8"), max_size=12)
_code = st.integers(0, 99)
_facts = st.builds(
    Facts,
    **{
        name: {str: _text, int: _code}[Facts.__annotations__[name]]
        for name in Facts._fields
        if name not in ("record_id", "event_time_ms")
    },
    record_id=st.text("ab-1", min_size=1, max_size=64),
    event_time_ms=st.integers(1, 253_402_300_799_999),
)


@given(_facts)
def test_the_fast_canonical_text_is_the_layouts(facts: Facts) -> None:
    assert canonical_of(facts) == LAYOUT.canonical([value or None for value in facts])


@given(_facts, st.sampled_from(Facts._fields))
def test_every_fact_counts(facts: Facts, name: str) -> None:
    value = getattr(facts, name)
    other = facts._replace(**{name: value + "x" if isinstance(value, str) else value + 1})  # type: ignore[arg-type]
    assert digest_of(facts) != digest_of(other)
    assert first_difference(facts, other)


def test_the_difference_is_named_as_json_names_it() -> None:
    assert first_difference(USUAL, USUAL) == ""
    assert first_difference(USUAL, USUAL._replace(plate_number="闽B54321")) == "plateNumber"
    assert first_difference(USUAL, USUAL._replace(event_time_ms=5)) == "eventTime"


def test_the_published_vectors_hold() -> None:
    with VECTORS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 4
    for row in rows:
        facts = Facts(**{name: _typed(name, row[name]) for name in Facts._fields})  # type: ignore[arg-type]
        assert canonical_of(facts).decode() == row["canonical"].replace("\\n", "\n")
        assert digest_of(facts).hex() == row["sha256"]


def _typed(name: str, text: str) -> str | int:
    return text if Facts.__annotations__[name] is str else int(text or 0)


def published() -> list[Facts]:
    """The records whose digests are published."""
    return [
        USUAL,
        USUAL._replace(
            record_id="20240314-000002",
            direction=2,
            event_time_ms=1_710_378_000_123,
            plate_kind=2,
            plate_state=1,
            lane_id="out",
            device_id="cam-3",
            visit_id="V-77",
            parking_type=1,
            release_method=2,
            release_reason="停电，人工抬杆",
        ),
        USUAL._replace(record_id="u1", event_time_ms=1_710_378_000_124, plate_number="", plate_colour=0, plate_state=3),
        USUAL._replace(
            record_id="s1",
            event_time_ms=1_710_378_000_125,
            plate_number="闽BD12345",
            plate_colour=94,
            gate_id="",
            lane_id="",
            berth_id="莆A-0017",
        ),
        # Outside the first plane of Unicode a UTF-16 length is not a count of characters, let alone of bytes.
        USUAL._replace(record_id="e1", direction=2, release_method=2, release_reason=" 🚒 出警=1:2; e\u0301 ≠ é "),
        USUAL._replace(record_id="1", event_time_ms=1, gate_id="0", lane_id=" "),
        USUAL._replace(
            record_id="f1", event_time_ms=4_102_416_000_999, vehicle_class=9, visit_id="-", device_id="设备 1"
        ),
    ]


def _publish() -> None:
    with VECTORS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*Facts._fields, "canonical", "sha256"])
        for facts in published():
            text = canonical_of(facts).decode().replace("\n", "\\n")
            writer.writerow([*(value or "" for value in facts), text, digest_of(facts).hex()])


if __name__ == "__main__":
    _publish()
