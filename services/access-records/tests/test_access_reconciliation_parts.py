"""The parts of reconciliation by themselves: classification, explanation, buckets, the ledger's reading, the report."""

import random
from typing import Any

import pytest
from access_records.reconciliation import explain, ledger
from access_records.reconciliation.buckets import LENGTH_MS, Buckets
from access_records.reconciliation.classify import ACTIONS, Held, Known, Refusal, classify, differs
from access_records.reconciliation.report import Finding, Report, read, text_of
from access_records.reconciliation.signing import ReportKey, proves
from access_records.testing import LOT, NOW_MS, entry
from eventlog import Position
from history.errors import HistoryUnavailable
from hypothesis import given
from hypothesis import strategies as st
from mesh.caller import generate_key_pair
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint
from vocabulary.record import digest_of, facts_of

WINDOW = Bounds(NOW_MS - beijing.DAY_MS, NOW_MS)
WHERE = [
    "same",
    "missing",
    "refused",
    "refused and changed since",
    "arriving",
    "extra",
    "altered",
    "moved away",
    "voided",
    "just voided",
    "just revised",
    "correction refused",
    "absent",
]
KINDS = {
    "missing": messages.DIFFERENCE_KIND_MISSING,
    "refused": messages.DIFFERENCE_KIND_REFUSED,
    "refused and changed since": messages.DIFFERENCE_KIND_MISSING,
    "arriving": messages.DIFFERENCE_KIND_EXPECTED,
    "extra": messages.DIFFERENCE_KIND_EXTRA,
    "altered": messages.DIFFERENCE_KIND_DIFFERENT,
    "moved away": messages.DIFFERENCE_KIND_DIFFERENT,
    "voided": messages.DIFFERENCE_KIND_VOIDED_HERE,
    "just voided": messages.DIFFERENCE_KIND_EXPECTED,
    "just revised": messages.DIFFERENCE_KIND_EXPECTED,
    "correction refused": messages.DIFFERENCE_KIND_REFUSED,
}


def digest(text: str) -> bytes:
    return digest_of(facts_of(entry(text)))


def staged(cases: list[str]) -> tuple[dict[str, bytes], Known]:
    """What the vendor sends and what the platform knows, one id for each case."""
    vendor: dict[str, bytes] = {}
    here: dict[str, list[Held]] = {}
    elsewhere: dict[str, Held] = {}
    refusals: dict[str, list[Refusal]] = {}
    arriving: set[str] = set()
    inside, settled = WINDOW.start_ms + 5, WINDOW.end_ms
    for number, case in enumerate(cases):
        name = f"r{number}"
        theirs, ours = digest(name), digest(f"{name}-other")
        if case not in ("extra", "absent"):
            vendor[name] = theirs
        match case:
            case "same":
                here[name] = [Held(theirs, inside)]
            case "extra" | "altered":
                here[name] = [Held(ours, inside)]
            case "just revised":
                here[name] = [Held(ours, inside, 1, settled)]
            case "correction refused":
                here[name] = [Held(ours, inside, 1, inside)]
                refusals[name] = [
                    Refusal(digest("x"), 2, reasons.ERROR_REASON_PLATE_MALFORMED, "changes", inside),
                    Refusal(digest("y"), 1, reasons.ERROR_REASON_PLATE_MALFORMED, "changes", inside + 1),
                ]
            case "moved away":
                elsewhere[name] = Held(ours, WINDOW.start_ms - 7, 1, WINDOW.start_ms)
            case "voided":
                elsewhere[name] = Held(theirs, inside, 1, inside, voided=True)
            case "just voided":
                elsewhere[name] = Held(theirs, inside, 1, settled, voided=True)
            case "arriving":
                arriving.add(name)
            case "refused" | "refused and changed since":
                sent = theirs if case == "refused" else ours
                refusals[name] = [Refusal(sent, 0, reasons.ERROR_REASON_PLATE_MALFORMED, "plateNumber", inside)]
    return vendor, Known(
        window=WINDOW, settled_ms=settled, here=here, elsewhere=elsewhere, refusals=refusals, on_their_way=arriving
    )


@given(st.lists(st.sampled_from(WHERE), max_size=40))
def test_each_record_is_classified_once_by_what_is_known_of_it(cases: list[str]) -> None:
    found = classify(*staged(cases))
    expected = {f"r{number}": KINDS[case] for number, case in enumerate(cases) if case in KINDS}
    assert {one.record_id: one.kind for one in found} == expected
    assert [one.record_id for one in found] == sorted(expected)
    assert all(one.action == ACTIONS[one.kind] for one in found)
    assert differs(found) == any(kind != messages.DIFFERENCE_KIND_EXPECTED for kind in expected.values())


def test_what_may_still_arrive_is_expected() -> None:
    vendor, known = staged(["missing", "extra", "altered"])
    late = Known(window=WINDOW, settled_ms=WINDOW.start_ms, here=known.here)
    assert {one.kind for one in classify(vendor, late)} == {messages.DIFFERENCE_KIND_EXPECTED}


def test_an_id_that_was_used_again_in_one_window_differs_once() -> None:
    one, two = Held(digest("a"), WINDOW.start_ms), Held(digest("b"), WINDOW.start_ms + 1)
    known = Known(window=WINDOW, settled_ms=NOW_MS, here={"a": [one, two]})
    (found,) = classify({"a": digest("a")}, known)
    assert (found.kind, found.held) == (messages.DIFFERENCE_KIND_DIFFERENT, two)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"vehicle_class": record_pb2.VEHICLE_CLASS_LARGE}, ("vehicleClass",)),
        ({"plate_colour": record_pb2.PLATE_COLOUR_GRADIENT_GREEN}, ("plateColour",)),
        ({"device_id": ""}, ("deviceId",)),
        ({"event_time_ms": NOW_MS - 789 - 789 % 1000}, ()),
        ({"event_time_ms": (NOW_MS - 789) // 1000 * 1000}, ("eventTime",)),
        ({"event_time_ms": NOW_MS - 789 + 8 * beijing.HOUR_MS}, ("eventTime",)),
        ({"event_time_ms": (NOW_MS - 789) // 1000 * 1000 - 8 * beijing.HOUR_MS}, ("eventTime",)),
        ({"plate_number": "闽B12346"}, ()),
        ({"device_id": "", "vehicle_class": record_pb2.VEHICLE_CLASS_LARGE}, ()),
    ],
)
def test_the_field_is_named_where_the_digest_tells(changed: dict[str, Any], told: tuple[str, ...]) -> None:
    present = facts_of(entry(ms=NOW_MS - 789, device_id="d1"))
    copy = present._replace(**changed)
    assert explain.by_trial(present, digest_of(copy)) == told
    assert set(explain.by_states(present, [copy], digest_of(copy))) == {
        {"event_time_ms": "eventTime", "vehicle_class": "vehicleClass", "plate_colour": "plateColour"}.get(
            name, "deviceId" if name == "device_id" else "plateNumber"
        )
        for name in changed
    }


def test_buckets_know_which_days_they_fill() -> None:
    day = beijing.day_bounds(NOW_MS)
    hours = Buckets(day.start_ms - 3 * beijing.HOUR_MS, beijing.HOUR_MS, 3 + 48 + 5)
    assert hours.aligned
    assert list(hours.days()) == [
        (day, range(3, 27)),
        (Bounds(day.end_ms, day.end_ms + beijing.DAY_MS), range(27, 51)),
    ]
    assert not Buckets(day.start_ms + 1, beijing.MINUTE_MS, 1).aligned
    # Midnight in Beijing is none in Greenwich.
    assert not Buckets(day.start_ms + 8 * beijing.HOUR_MS, beijing.DAY_MS, 1).aligned
    assert set(LENGTH_MS) == set(messages.Step.values()) - {messages.STEP_UNSPECIFIED}


@given(st.integers(-(10**9), 10**9), st.integers(1, 1500))
def test_only_buckets_that_have_ended_are_compared(offset: int, count: int) -> None:
    buckets = Buckets(WINDOW.start_ms, beijing.MINUTE_MS, count)
    settled = buckets.until(WINDOW.start_ms + offset)
    assert 0 <= settled.count <= count
    assert settled.bounds.end_ms <= max(WINDOW.start_ms, WINDOW.start_ms + offset)
    assert settled.count == count or settled.bounds.end_ms + beijing.MINUTE_MS > WINDOW.start_ms + offset


async def test_two_readings_hold_together_or_are_taken_again() -> None:
    """What is touched between the two questions is neither lost nor counted twice."""
    touched: list[list[ledger.Place]] = [[(1, "a")], [(1, "a"), (2, "b")], [(1, "a"), (2, "b")]]
    asked = iter(touched)
    state: list[ledger.Place] = []

    async def untouched() -> list[str]:
        return [name for name in ("a", "b", "c") if name not in {one for _, one in state}]

    async def places() -> list[ledger.Place]:
        state[:] = next(asked)
        return list(state)

    found, after = await ledger.unmoved(untouched, places)
    assert (found, after) == (["c"], [(1, "a"), (2, "b")])

    chance = random.Random(1)

    async def ever_changing() -> list[ledger.Place]:
        return [(chance.randrange(10**9), "a")]

    with pytest.raises(HistoryUnavailable):
        await ledger.unmoved(untouched, ever_changing)


def made_report(**facts: Any) -> Report:
    report = Report(
        lot_id=LOT,
        date="2100-01-31",
        vendor=Fingerprint.of([digest("a")]),
        platform=Fingerprint.of([digest("b")]),
        position=Position("abc", 0, 17),
        settled_ms=NOW_MS,
        close_ms=NOW_MS + 1,
        author="夜班",
        closed_by="vendor-1",
        account_id="",
        accept_differences=True,
        reason="设备\\损坏=1:",
        differences_found=2,
        differences_repaired=1,
        differences=(Finding("a", 1, NOW_MS, repaired=True), Finding("b", 3, NOW_MS, repaired=False)),
    )
    return report._replace(**facts)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64), st.booleans())
def test_a_report_is_read_back_from_its_text(author: str, accepted: bool) -> None:
    report = made_report(author=author, accept_differences=accepted, differences=())
    assert read(text_of(report)) == report
    assert read(text_of(made_report())) == made_report()


@pytest.mark.parametrize("text", ["", "parkmesh.access.record/1\n", "parkmesh.access.day-report/1\nlot_id=1:a\n"])
def test_what_is_no_report_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="report"):
        read(text)


def test_a_signature_is_good_for_one_text_and_one_key() -> None:
    private, _ = generate_key_pair()
    key, other = ReportKey(private.encode()), ReportKey(generate_key_pair()[0].encode())
    signed = key.sign(text_of(made_report()))
    assert proves(key.public_pem, signed)
    assert not proves(other.public_pem, signed)
    assert key.key_id != other.key_id
    assert not proves(key.public_pem, signed._replace(text=text_of(made_report(differences_repaired=2))))
