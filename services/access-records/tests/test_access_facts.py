"""The digest covers what it says, in the layout that is published."""

import csv
import pathlib

from access_records.facts import LAYOUT, Facts, canonical_of, digest_of, facts_of, first_difference
from access_records.testing import entry
from hypothesis import given
from hypothesis import strategies as st

VECTORS = pathlib.Path(__file__).parents[3] / "docs" / "vectors" / "records.csv"

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


def test_what_may_change_between_two_honest_uploads_does_not_count() -> None:
    first = entry(free_spaces=3, image_ids=["a"], confidence_permille=900)
    again = entry(free_spaces=9, image_ids=["b", "c"], confidence_permille=1, resend=True)
    assert digest_of(facts_of(first)) == digest_of(facts_of(again))


def test_times_are_cut_off_to_whole_milliseconds() -> None:
    record, other = entry(), entry()
    other.event_time.nanos += 999_999
    assert facts_of(record) == facts_of(other)
    other.event_time.nanos += 1
    assert facts_of(other).event_time_ms == facts_of(record).event_time_ms + 1


def test_the_difference_is_named_as_json_names_it() -> None:
    facts = facts_of(entry())
    assert first_difference(facts, facts) == ""
    assert first_difference(facts, facts._replace(plate_number="闽B54321")) == "plateNumber"
    assert first_difference(facts, facts._replace(event_time_ms=5)) == "eventTime"


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


def _publish() -> None:
    records = [
        entry("20240314-000001", ms=1_710_374_400_000),
        entry(
            "20240314-000002",
            ms=1_710_378_000_123,
            direction=2,
            lane_id="out",
            visit_id="V-77",
            plate_kind=2,
            plate_state=1,
            device_id="cam-3",
            parking_type=1,
            release_method=2,
            release_reason="停电，人工抬杆",
        ),
        entry("u1", ms=1_710_378_000_124, plate_number="", plate_colour=0, plate_state=3),
        entry(
            "s1",
            ms=1_710_378_000_125,
            gate_id="",
            lane_id="",
            berth_id="莆A-0017",
            plate_number="闽BD12345",
            plate_colour=94,
        ),
    ]
    with VECTORS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*Facts._fields, "canonical", "sha256"])
        for record in records:
            facts = facts_of(record)
            text = canonical_of(facts).decode().replace("\n", "\\n")
            writer.writerow([*(value or "" for value in facts), text, digest_of(facts).hex()])


if __name__ == "__main__":
    _publish()
