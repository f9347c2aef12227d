"""A record's facts are read from its message as the digest needs them."""

from access_records.testing import entry
from parkmesh.access.v1.record_pb2 import AccessRecord
from vocabulary.record import Facts, digest_of, facts_of, first_difference


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


def test_a_difference_is_named_as_the_json_of_the_message_names_it() -> None:
    facts = facts_of(entry())
    for name in Facts._fields:
        value = getattr(facts, name)
        other = facts._replace(**{name: value + "x" if isinstance(value, str) else value + 1})  # type: ignore[arg-type]
        field = AccessRecord.DESCRIPTOR.fields_by_name[name.removesuffix("_ms")]
        assert first_difference(facts, other) == field.json_name
