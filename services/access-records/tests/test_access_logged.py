"""The joined bytes are the message that building it field by field would give."""

from access_records import tables
from access_records.records import logged
from access_records.records.plates import PlateReader
from access_records.testing import NOW_MS, PLATE_KEY, entry
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary.record import digest_of, facts_of


def test_the_stated_facts_have_the_same_numbers_in_both_messages() -> None:
    logged_fields = record_pb2.LoggedRecord.DESCRIPTOR.fields_by_name
    for field in record_pb2.AccessRecord.DESCRIPTOR.fields:
        other = logged_fields[field.name]
        assert (other.number, other.type, other.is_repeated, other.has_presence) == (
            field.number,
            field.type,
            field.is_repeated,
            field.has_presence,
        )


def test_joined_parts_read_as_one_message() -> None:
    record = entry(free_spaces=0, image_ids=["a", "b"], resend=True)
    facts = facts_of(record)
    seen = PlateReader(PLATE_KEY).see(facts.plate_number, facts.plate_colour, facts.plate_kind)
    assert seen is not None
    warnings = (reasons.WARNING_UNKNOWN_GATE, reasons.WARNING_UNKNOWN_LANE)
    derived = logged.reporter_part("vendor-1") + seen.encoded + logged.warnings_part(warnings)
    payload = logged.logged(record.SerializeToString(), derived, digest_of(facts), NOW_MS, facts.event_time_ms)
    placed = logged.read(logged.placed(payload, 3, 2**40))

    expected = record_pb2.LoggedRecord.FromString(record.SerializeToString())
    expected.MergeFrom(
        record_pb2.LoggedRecord(
            event_ms=facts.event_time_ms,
            accept_ms=NOW_MS,
            digest=digest_of(facts),
            vendor_id="vendor-1",
            plate_normal="闽B12345",
            plate_key=PlateReader(PLATE_KEY).pseudonym("闽B12345"),
            plate_masked="闽B·1**45",
            warnings=warnings,
            log_shard=3,
            log_offset=2**40,
        )
    )
    assert placed == expected
    assert logged.times(payload) == (NOW_MS, facts.event_time_ms)


def test_another_key_gives_another_pseudonym_and_one_key_the_same() -> None:
    first, again, other = PlateReader(PLATE_KEY), PlateReader(PLATE_KEY), PlateReader(PLATE_KEY[::-1])
    assert first.pseudonym("闽B12345") == again.pseudonym("闽B12345") != other.pseudonym("闽B12345")


def test_clickhouse_is_told_of_every_field_but_the_timestamp() -> None:
    fields = {field.name for field in record_pb2.LoggedRecord.DESCRIPTOR.fields}
    told = set(tables.REVISIONS.columns) | set(tables.CURRENT.columns)
    assert told == fields - {"event_time"}
    assert set(tables.REVISIONS.columns) ^ set(tables.CURRENT.columns) == {
        *(
            "revision_kind",
            "revised_fields",
            "reason",
            "reason_text",
            "author",
            "evidence_ids",
            "made_ms",
            "account_id",
        ),
        *("revise_ms", "gone"),
    }
