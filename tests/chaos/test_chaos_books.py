"""The checker itself: it must see what the other tests would otherwise pass over."""

from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from .books import Books, Fate, Stored, faults, holding

A, B = (record_pb2.AccessRecord(record_id=name, lot_id="1", plate_number="闽B12345") for name in "ab")
STORED_A, STORED_B = (Stored(name, "1", 0, "闽B12345", "00") for name in "ab")


def answered(**outcomes: messages.Outcome.ValueType) -> messages.UploadRecordsResponse:
    items = [messages.ItemResult(index="ab".index(name), outcome=outcome) for name, outcome in outcomes.items()]
    return messages.UploadRecordsResponse(items=items)


def acknowledged() -> Books:
    books = Books()
    books.send([A, B])
    books.answer([A, B], answered(b=messages.OUTCOME_DUPLICATE))
    return books


def test_what_is_acknowledged_must_be_there_once_as_sent() -> None:
    books = acknowledged()
    assert not faults(books, [STORED_A, STORED_B])
    assert faults(books, [STORED_A]) == ["b was acknowledged, and is lost"]
    assert faults(books, [STORED_A, STORED_B, STORED_B]) == ["b is stored 2 times"]
    assert faults(books, [STORED_A, STORED_B, STORED_B._replace(digest="11")]) == ["b is stored 2 times"]
    assert faults(books, [STORED_A, STORED_B._replace(event_ms=1)]) == ["b is not what was sent"]
    assert faults(books, [STORED_A, STORED_B, STORED_A._replace(key="c")]) == ["c was never sent"]


def test_what_was_never_answered_is_there_at_most_once() -> None:
    books = Books()
    books.send([A])
    books.refuse([A], "UNAVAILABLE", nothing_stored=False)
    assert books.with_fate(Fate.UNKNOWN) == ["a"]
    assert not faults(books, [])
    assert not faults(books, [STORED_A])
    assert faults(books, [STORED_A, STORED_A]) == ["a is stored 2 times"]


def test_what_was_refused_is_not_there_unless_another_attempt_may_have_stored_it() -> None:
    books = Books()
    books.send([A])
    books.refuse([A], "RESOURCE_EXHAUSTED", nothing_stored=True)
    assert faults(books, [STORED_A]) == ["a was refused, and is stored"]
    books.send([A])
    assert not faults(books, [STORED_A])
    books.send([A])
    books.answer([A], answered(a=messages.OUTCOME_DEFERRED))
    assert books.fate("a") is Fate.UNKNOWN
    books.answer([A], answered())
    books.send([A])
    books.answer([A], answered(a=messages.OUTCOME_REJECTED))
    assert books.fate("a") is Fate.ACKED
    assert books.fate("c") is None


def test_a_log_that_did_not_answer_leaves_it_open() -> None:
    books = Books()
    books.send([A])
    item = messages.ItemResult(index=0, outcome=messages.OUTCOME_DEFERRED, reason=reasons.ERROR_REASON_LOG_UNAVAILABLE)
    books.answer([A], messages.UploadRecordsResponse(items=[item]))
    assert books.fate("a") is Fate.UNKNOWN


def test_what_holds_follows_from_the_revisions_by_their_numbers() -> None:
    books = acknowledged()
    moved = revision_pb2.RecordRevision(record_id="a", revision=2, kind=record_pb2.REVISION_KIND_CORRECTION)
    moved.changes.event_time.FromMilliseconds(7)
    moved.update_mask.paths.append("event_time")
    void = revision_pb2.RecordRevision(record_id="a", revision=1, kind=record_pb2.REVISION_KIND_VOID)
    back = revision_pb2.RecordRevision(record_id="a", revision=3, kind=record_pb2.REVISION_KIND_REINSTATEMENT)
    books.send([moved, void, back])
    assert holding(books, ["a", "b"]) == {"a": (0, "闽B12345"), "b": (0, "闽B12345")}
    assert holding(books, ["a", "a#2", "a#1", "b"]) == {"b": (0, "闽B12345")}
    assert holding(books, ["a", "a#3", "a#2", "a#1"]) == {"a": (7, "闽B12345")}
