"""The projection makes of any log, cut and begun again anywhere, what pairing makes of the records that hold."""

import random

import pytest
from access_records.tables import VISITS, WITHDRAWALS
from access_records.testing import LOT
from access_records.visits.changes import TABLES
from access_records.visits.pairing import Passage, pair
from access_records.visits.projection import Projection
from access_records.visits.testing import IN, OUT, SMALL, Noted, Table, WrittenLog, passage
from access_records.visits.visit_rows import row_of
from hypothesis import given, note, settings
from hypothesis import strategies as st


def expected(log: WrittenLog) -> Table:
    table = Table()
    visits = pair([one for _, one in log.holding(len(log.noted)).values()], SMALL)
    table.write({VISITS.name: {0: [row_of(visit, 0, SMALL) for visit in visits]}})
    return table


@st.composite
def logs(draw: st.DrawFn) -> WrittenLog:
    names = [f"r{number}" for number in range(draw(st.integers(1, 12)))]
    span = draw(st.sampled_from([60, 300, 900]))

    def drawn(name: str) -> Passage:
        return passage(
            draw(st.sampled_from([IN, OUT])),
            draw(st.integers(0, span)),
            draw(st.sampled_from(["a", "a", "b", ""])),
            visit=draw(st.sampled_from(["", "", "v", "w"])),
            name=name,
        )

    noted = [Noted(name, 0, drawn(name)) for name in names]
    for number in range(1, 1 + draw(st.integers(0, 6))):
        name = draw(st.sampled_from(names))
        noted.append(Noted(name, number, (draw(st.booleans()) and drawn(name)) or None))
    return WrittenLog(draw(st.permutations(noted)))


async def follow(log: WrittenLog, chance: random.Random, *, most: int, most_lines: int, again: float) -> Table:
    """Follows the log in steps; now and then the rows of a step, or those of one table, are written, its place not."""
    projection, table = Projection(log, SMALL, most_lines), Table()
    position = careful_until = log.drained = 0
    while position < len(log.noted):
        until = min(len(log.noted), position + chance.randint(1, most))
        # The history is ahead, and never falls back.
        log.drained = chance.randint(max(until, log.drained), len(log.noted))
        written = await projection.rows(log.batch(position, until), careful=position < careful_until)
        if chance.random() < again:
            table.write({one.name: written[one.name] for one in TABLES[: chance.randrange(len(TABLES) + 1)]})
            projection.forget()
            careful_until = position + most
        else:
            table.write(written)
            position = until
    return table


@settings(max_examples=500, deadline=None)
@given(logs(), st.integers(0, 2**32), st.sampled_from([1, 3, 30]), st.sampled_from([0, 1, 100]))
async def test_any_log_in_any_steps(log: WrittenLog, seed: int, most: int, most_lines: int) -> None:
    note(repr(log))
    table = await follow(log, random.Random(seed), most=most, most_lines=most_lines, again=0.3)
    assert table.standing() == expected(log).standing()
    assert table.found() == expected(log).found()


def named(name: str, direction: int, at: int, plate: str, number: int = 0) -> Noted:
    return Noted(name, number, passage(direction, at, plate, visit="v", name=name))


CAME, WENT = named("r0", IN, 0, "a"), named("r1", OUT, 90, "b")


@pytest.mark.parametrize(
    "noted",
    [
        pytest.param([CAME, WENT, Noted("r0", 1, None)], id="its entry is void"),
        pytest.param([CAME, WENT, Noted("r1", 1, None)], id="its exit is void"),
        pytest.param([CAME, WENT, named("r0", IN, 0, "b", 1)], id="its entry gets the plate of its exit"),
        pytest.param([CAME, WENT, named("r1", OUT, 90, "a", 1)], id="its exit gets the plate of its entry"),
        pytest.param([CAME, WENT, named("r1", OUT, 95, "b", 1)], id="its exit moves"),
        pytest.param([WENT, CAME], id="its exit comes first"),
        pytest.param([named("r1", OUT, 90, "a"), CAME], id="its exit, of the same plate, comes first"),
        pytest.param([CAME, WENT, named("r2", IN, 50, "b")], id="its exit goes to an entry of its own plate"),
        pytest.param([CAME, WENT, named("r2", IN, 260, "c"), Noted("r2", 1, None)], id="it ends near what is void"),
        pytest.param([CAME, WENT, Noted("r1", 1, None), Noted("r0", 1, None)], id="all of it is void"),
    ],
)
async def test_a_visit_is_found_by_the_plates_of_its_records_and_by_no_other(noted: list[Noted]) -> None:
    log = WrittenLog(noted)
    for seed in range(40):
        for most, most_lines in ((1, 0), (1, 100), (3, 100)):
            table = await follow(log, random.Random(seed), most=most, most_lines=most_lines, again=0.3)
            assert table.found() == expected(log).found(), (seed, most, most_lines)


@pytest.mark.parametrize("seed", range(3))
async def test_a_long_log_of_few_vehicles(seed: int) -> None:
    """Lines long enough to be shortened, and late reports for what was forgotten of them."""
    chance = random.Random(seed)
    times = sorted(chance.sample(range(20_000), 600))
    noted = []
    for number, at in enumerate(times):
        made = passage(chance.choice([IN, OUT]), at, chance.choice("abc"), name=f"r{number}")
        noted.append(Noted(made.record_id, 0, made))
    for _ in range(40):
        noted.insert(chance.randrange(len(noted)), noted.pop(chance.randrange(len(noted))))
    log = WrittenLog(noted)
    table = await follow(log, chance, most=40, most_lines=2 if seed else 100, again=0.1)
    assert table.standing() == expected(log).standing()
    assert table.found() == expected(log).found()


async def test_what_does_not_change_is_not_written_again() -> None:
    log = WrittenLog(
        Noted(made.record_id, 0, made) for made in (passage(IN, 0), passage(OUT, 50), passage(IN, 70), passage(OUT, 90))
    )
    projection = Projection(log, SMALL, 10)
    rows = [await projection.rows(log.batch(place, place + 1), careful=False) for place in range(4)]
    assert [sum(map(len, one[VISITS.name].values())) for one in rows] == [1, 1, 1, 1]
    assert not any(one[WITHDRAWALS.name] for one in rows)
    assert {one.lot_id for one in log.batch(0, 4).fresh} == {LOT}
