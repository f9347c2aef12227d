"""Which records make one visit: every rule by an example, and all of them against a model that knows no shortcuts."""

import random
from collections.abc import Sequence

import pytest
from access_records.visits.pairing import MOST_OF_ONE_ID, Limits, Passage, Visit, pair, parts
from access_records.visits.testing import IN, OUT, SMALL, passage
from hypothesis import given
from hypothesis import strategies as st
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.visit_pb2 import (
    VISIT_REASON_CROSSED,
    VISIT_REASON_DOUBLED,
    VISIT_REASON_MISSING_ENTRY,
    VISIT_REASON_MISSING_EXIT,
    VISIT_REASON_PLATE_DIFFERS,
    VISIT_REASON_PLATE_UNREAD,
    VISIT_REASON_UNLICENSED,
    VISIT_STATE_CLOSED,
    VISIT_STATE_DOUBTFUL,
    VISIT_STATE_OPEN,
)

Told = tuple[str, str, int, tuple[int, ...]]


def told(passages: Sequence[Passage]) -> list[Told]:
    """The visits as ids of entry and exit, state and reasons."""
    found = [
        (visit.entry.record_id if visit.entry else "", visit.exit.record_id if visit.exit else "", visit)
        for visit in pair(passages, SMALL)
    ]
    return sorted((entry, leaving, visit.state, visit.reasons) for entry, leaving, visit in found)


def test_an_entry_and_the_exit_behind_it_are_a_visit() -> None:
    assert told([passage(IN, 0), passage(OUT, 50), passage(IN, 70), passage(OUT, 90)]) == [
        ("in-0", "out-50", VISIT_STATE_CLOSED, ()),
        ("in-70", "out-90", VISIT_STATE_CLOSED, ()),
    ]


def test_a_vehicle_that_has_not_gone_is_in_the_lot() -> None:
    assert told([passage(IN, 0)]) == [("in-0", "", VISIT_STATE_OPEN, ())]


def test_an_entry_behind_which_the_vehicle_comes_in_again_misses_its_exit() -> None:
    assert told([passage(IN, 0), passage(IN, 50), passage(OUT, 60)]) == [
        ("in-0", "", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_EXIT,)),
        ("in-50", "out-60", VISIT_STATE_CLOSED, ()),
    ]


def test_an_exit_behind_no_entry_misses_it() -> None:
    assert told([passage(IN, 0), passage(OUT, 10), passage(OUT, 60)]) == [
        ("", "out-60", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_ENTRY,)),
        ("in-0", "out-10", VISIT_STATE_CLOSED, ()),
    ]


@pytest.mark.parametrize(("stay", "pairs"), [(100, True), (101, False)])
def test_nothing_stays_longer_than_the_longest_stay(stay: int, pairs: bool) -> None:
    found = told([passage(IN, 0), passage(OUT, stay)])
    if pairs:
        assert found == [("in-0", f"out-{stay}", VISIT_STATE_CLOSED, ())]
    else:
        assert found == [
            ("", f"out-{stay}", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_ENTRY,)),
            ("in-0", "", VISIT_STATE_OPEN, ()),
        ]


@pytest.mark.parametrize("apart", [5, 6])
def test_reports_of_one_passage_are_one_when_they_follow_closely(apart: int) -> None:
    found = told([passage(IN, 0), passage(IN, apart), passage(OUT, 50), passage(OUT, 50 + apart)])
    if apart == SMALL.doubled_ms:
        assert found == [("in-0", "out-55", VISIT_STATE_DOUBTFUL, (VISIT_REASON_DOUBLED,))]
    else:
        assert found == [
            ("", "out-56", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_ENTRY,)),
            ("in-0", "", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_EXIT,)),
            ("in-6", "out-50", VISIT_STATE_CLOSED, ()),
        ]


def test_the_reports_that_do_not_count_are_told() -> None:
    chain = [passage(IN, 0), passage(IN, 4), passage(IN, 8), passage(OUT, 50)]
    (visit,) = pair(chain, SMALL)
    assert visit.others == (chain[1], chain[2])
    assert (visit.entry, visit.exit) == (chain[0], chain[3])


@pytest.mark.parametrize("apart", [6, 7])
def test_an_exit_stamped_shortly_before_its_entry_is_its_exit(apart: int) -> None:
    found = told([passage(OUT, 0), passage(IN, apart)])
    if apart == SMALL.crossing_ms:
        assert found == [("in-6", "out-0", VISIT_STATE_DOUBTFUL, (VISIT_REASON_CROSSED,))]
    else:
        assert found == [
            ("", "out-0", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_ENTRY,)),
            ("in-7", "", VISIT_STATE_OPEN, ()),
        ]


def test_a_vehicle_that_leaves_and_comes_back_at_once_has_not_crossed() -> None:
    assert told([passage(IN, 0), passage(OUT, 50), passage(IN, 53)]) == [
        ("in-0", "out-50", VISIT_STATE_CLOSED, ()),
        ("in-53", "", VISIT_STATE_OPEN, ()),
    ]
    assert told([passage(OUT, 50), passage(IN, 53), passage(OUT, 90)]) == [
        ("", "out-50", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_ENTRY,)),
        ("in-53", "out-90", VISIT_STATE_CLOSED, ()),
    ]


def test_plates_and_lots_are_kept_apart() -> None:
    assert told([passage(IN, 0, "a"), passage(OUT, 50, "b"), passage(OUT, 60, "a", lot_id="other")]) == [
        ("", "out-50", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_ENTRY,)),
        ("", "out-60", VISIT_STATE_DOUBTFUL, (VISIT_REASON_MISSING_ENTRY,)),
        ("in-0", "", VISIT_STATE_OPEN, ()),
    ]


def test_what_has_no_plate_pairs_with_nothing() -> None:
    unlicensed = record_pb2.PLATE_STATE_UNLICENSED
    assert told([passage(IN, 0, ""), passage(OUT, 50, ""), passage(IN, 60, "", state=unlicensed)]) == [
        ("", "out-50", VISIT_STATE_DOUBTFUL, (VISIT_REASON_PLATE_UNREAD,)),
        ("in-0", "", VISIT_STATE_DOUBTFUL, (VISIT_REASON_PLATE_UNREAD,)),
        ("in-60", "", VISIT_STATE_DOUBTFUL, (VISIT_REASON_UNLICENSED,)),
    ]


def test_a_visit_id_pairs_what_the_plate_cannot() -> None:
    assert told([passage(IN, 0, "", visit="v"), passage(OUT, 50, "a", visit="v"), passage(IN, 30, "a")]) == [
        ("in-0", "out-50", VISIT_STATE_CLOSED, ()),
        ("in-30", "", VISIT_STATE_OPEN, ()),
    ]


def test_a_visit_id_with_two_plates_is_doubted() -> None:
    assert told([passage(IN, 0, "a", visit="v"), passage(OUT, 50, "b", visit="v")]) == [
        ("in-0", "out-50", VISIT_STATE_DOUBTFUL, (VISIT_REASON_PLATE_DIFFERS,)),
    ]


def test_a_visit_id_pairs_though_its_clocks_are_further_apart() -> None:
    assert told([passage(OUT, 0, visit="v"), passage(IN, 40, visit="v"), passage(IN, 80, visit="v")]) == [
        ("in-40", "out-0", VISIT_STATE_DOUBTFUL, (VISIT_REASON_DOUBLED, VISIT_REASON_CROSSED)),
    ]


def test_a_visit_id_that_only_one_end_has_pairs_by_plate() -> None:
    assert told([passage(IN, 0, visit="v"), passage(OUT, 50, visit="w")]) == [
        ("in-0", "out-50", VISIT_STATE_CLOSED, ()),
    ]


def test_a_visit_id_used_again_names_two_visits() -> None:
    line = [
        passage(IN, 0, visit="1"),
        passage(OUT, 10, visit="1"),
        passage(IN, 40, visit="1"),
        passage(OUT, 60, visit="1"),
    ]
    assert told(line) == [
        ("in-0", "out-10", VISIT_STATE_CLOSED, ()),
        ("in-40", "out-60", VISIT_STATE_CLOSED, ()),
    ]


def test_a_visit_id_that_everybody_has_names_no_visit() -> None:
    crowd = [
        one
        for number in range(MOST_OF_ONE_ID)
        for one in (passage(IN, number, f"p{number}", visit="0"), passage(OUT, 50 + number, f"p{number}", visit="0"))
    ]
    assert {visit.state for visit in pair(crowd, SMALL)} == {VISIT_STATE_CLOSED}


def model(line: list[Passage], limits: Limits) -> list[Visit]:
    """The visits along one plate's line, by asking of every run what it is."""
    runs: dict[int, list[Passage]] = {}
    for place, one in enumerate(line):
        before = line[place - 1] if place else None
        joined = before and before.direction == one.direction and one.at_ms - before.at_ms <= limits.doubled_ms
        runs.setdefault(len(runs) - 1 if joined else len(runs), []).append(one)

    def way(number: int) -> int:
        return runs[number][0].direction if number in runs else 0

    def closed(number: int) -> bool:
        there = way(number) == IN and way(number + 1) == OUT
        return there and runs[number + 1][-1].at_ms - runs[number][0].at_ms <= limits.longest_ms

    def crossed(number: int) -> bool:
        free = way(number) == OUT and not closed(number - 1) and way(number + 1) == IN and not closed(number + 1)
        return free and runs[number + 1][0].at_ms - runs[number][-1].at_ms <= limits.crossing_ms

    visits: list[Visit] = []
    for number, run in runs.items():
        entries = run if way(number) == IN else []
        exits = run if way(number) == OUT else []
        reasons: set[int] = set()
        if closed(number):
            exits = runs[number + 1]
        elif crossed(number):
            entries = runs[number + 1]
            reasons.add(VISIT_REASON_CROSSED)
        elif closed(number - 1) or crossed(number - 1):
            continue
        elif exits:
            reasons.add(VISIT_REASON_MISSING_ENTRY)
        elif number + 1 in runs and runs[number + 1][0].at_ms - run[0].at_ms <= limits.longest_ms:
            reasons.add(VISIT_REASON_MISSING_EXIT)
        if len(entries) > 1 or len(exits) > 1:
            reasons.add(VISIT_REASON_DOUBLED)
        state = VISIT_STATE_DOUBTFUL if reasons else VISIT_STATE_CLOSED if exits else VISIT_STATE_OPEN
        entry, leaving = entries[0] if entries else None, exits[-1] if exits else None
        visits.append(Visit(entry, leaving, (*entries[1:], *exits[:-1]), state, tuple(sorted(reasons))))
    return visits


ways = st.sampled_from([IN, OUT])
lines = st.lists(st.tuples(ways, st.integers(0, 400)), unique=True, max_size=14).map(
    lambda drawn: sorted(passage(way, at) for way, at in drawn)
)


@given(lines, st.integers(0, 2**32))
def test_a_line_is_paired_as_the_model_says_in_any_order(line: list[Passage], seed: int) -> None:
    shuffled = line.copy()
    random.Random(seed).shuffle(shuffled)
    assert sorted(pair(shuffled, SMALL), key=str) == sorted(model(line, SMALL), key=str)


@given(lines)
def test_a_line_may_be_cut_where_it_is_said_to_be_separable(line: list[Passage]) -> None:
    if not line:
        return
    apart = [visit for part in parts(line, SMALL) for visit in pair(part, SMALL)]
    assert sorted(apart, key=str) == sorted(pair(line, SMALL), key=str)


named = st.lists(
    st.tuples(ways, st.integers(0, 300), st.sampled_from(["", "a", "b"]), st.sampled_from(["", "v", "w"])),
    unique_by=lambda drawn: drawn[:2],
    max_size=14,
).map(lambda drawn: [passage(way, at, plate, visit=visit) for way, at, plate, visit in drawn])


@given(named, st.integers(0, 2**32))
def test_every_record_is_in_one_visit_whatever_the_order(passages: list[Passage], seed: int) -> None:
    found = pair(passages, SMALL)
    held = [one for visit in found for one in (visit.entry, visit.exit, *visit.others) if one]
    assert sorted(held) == sorted(passages)
    shuffled = passages.copy()
    random.Random(seed).shuffle(shuffled)
    assert sorted(pair(shuffled, SMALL), key=str) == sorted(found, key=str)
