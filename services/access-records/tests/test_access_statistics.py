"""Figures over a real history: exact on a small known set, each caller's own, empty where nothing was recorded."""

import asyncio
from typing import Any

import grpc
import pytest
from access_records.statistics import figures
from access_records.testing import OPERATOR, VENDOR, Platform
from access_records.turns import Turns
from directory.testing import grant, lot, rule
from history.client import HistoryClient
from mesh.caller import Caller, CallerKind
from mesh.errors import MeshError
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1 import statistics_service_pb2 as messages
from parkmesh.access.v1.statistics_service_pb2_grpc import StatisticsServiceStub
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import lot_pb2, rule_pb2
from vocabulary import beijing

DAY = "2099-12-30"
NEXT = "2099-12-31"
START = beijing.day_bounds_of(DAY).start_ms
HOUR = beijing.HOUR_MS
TOWN = "350398"
A, B, IDLE, CLOSED = (f"lot_{TOWN}-{name}" for name in ("a", "b", "idle", "closed"))
SUPERVISOR = Caller(CallerKind.SUPERVISOR, "police", "client-s", "account-s")
DEPARTMENT = Caller(CallerKind.DEPARTMENT, "housing", "client-d", "account-d")
VENDORS = Caller(CallerKind.VENDOR, VENDOR, "client-1")
ENTRY, EXIT = record_pb2.DIRECTION_ENTRY, record_pb2.DIRECTION_EXIT
BY_LOT = messages.STATISTICS_GROUP_LOT


def rows(lot_id: str, name: str, count: int, ms: int, **facts: Any) -> list[dict[str, Any]]:
    stated = {
        "lot_id": lot_id,
        "direction": "entry",
        "vehicle_class": 1,
        "plate_state": 1,
        "delay_ms": 100,
        "accept_time": ms,
    }
    stated |= {"image_ids": ["i-1", "i-2"], "warnings": [], "resend": False, "log_offset": 1, "gone": 0}
    return [
        stated | {"record_id": f"{name}-{number}", "event_time": ms + number, "accept_time": ms + number} | facts
        for number in range(count)
    ]


@pytest.fixture(scope="module")
async def town(access: Platform) -> Platform:
    """Lot a (operator-1): 12 in at 08, 7 out at 09, 7 in at 23, 1 in a day later; lot b: 3 in at 08, one void."""
    access.registry.state(
        lot(A, division_code=TOWN, operator_id=OPERATOR.subject, open_berths=4),
        lot(B, division_code=TOWN, open_berths=0),
        lot(IDLE, division_code=TOWN, operator_id=OPERATOR.subject, state=lot_pb2.LOT_STATE_SUSPENDED),
        lot(CLOSED, division_code=TOWN, state=lot_pb2.LOT_STATE_CLOSED),
        grant(VENDOR, B),
        rule("delay", rule_pb2.RULE_NAME_RECORD_DELAY_SECONDS, number=5),
        rule("delay-next", rule_pb2.RULE_NAME_RECORD_DELAY_SECONDS, number=1, start_ms=START + beijing.DAY_MS),
        rule("pictures", rule_pb2.RULE_NAME_PICTURES_PER_RECORD, number=2),
    )
    access.put(
        "records_current",
        [
            *rows(A, "in", 10, START + 8 * HOUR),
            *rows(A, "large", 2, START + 8 * HOUR, vehicle_class=3, delay_ms=4_999, image_ids=["i-1"]),
            *rows(A, "out", 7, START + 9 * HOUR, direction="exit", delay_ms=5_000, plate_state=2),
            *rows(A, "late", 7, START + 23 * HOUR, resend=True, delay_ms=3_600_000, image_ids=[]),
            *rows(B, "in", 3, START + 8 * HOUR, plate_state=3, warnings=[1], delay_ms=-20),
            *rows(B, "void", 1, START + 8 * HOUR),
            *rows(B, "void", 1, START + 8 * HOUR, log_offset=2, gone=1),
            *rows(IDLE, "in", 1, START),
            *rows(A, "next", 1, START + beijing.DAY_MS, delay_ms=1_000),
        ],
    )
    revised = {"accept_time": START + HOUR, "log_offset": 9}
    revisions = [(1, 1), (2, 1), (3, 2), (4, 3)]
    access.put(
        "record_revisions",
        [{"lot_id": A, "record_id": "in-0", "revision": n, "revision_kind": kind, **revised} for n, kind in revisions],
    )
    refused = {"lot_id": A, "digest": "0" * 32, "note_time": START + HOUR}
    access.put("rejections", [refused | {"record_id": f"x-{n}", "reason": why} for n, why in enumerate((30, 30, 33))])
    stub = StatisticsServiceStub(access.service.channel(SUPERVISOR))
    async with asyncio.timeout(10):
        while (await stub.GetFlows(asked(include_inactive=True))).source.lots != 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return access


def asked(kind: Any = messages.GetFlowsRequest, **facts: Any) -> Any:
    return kind(**({"start_date": DAY, "division_code": TOWN} | facts))


def stub(town: Platform, caller: Caller = SUPERVISOR) -> StatisticsServiceStub:
    return StatisticsServiceStub(town.service.channel(caller))


async def test_flows_by_hour_direction_and_class(town: Platform) -> None:
    answer = await stub(town).GetFlows(asked(lot_id=A, step=messages.STATISTICS_STEP_HOUR))
    told = [
        ((f.start_time.ToMilliseconds() - START) // HOUR, f.direction, f.vehicle_class, f.records) for f in answer.flows
    ]
    assert told == [(8, ENTRY, 1, 10), (8, ENTRY, 3, 2), (9, EXIT, 1, 7), (23, ENTRY, 1, 7)]
    assert (answer.source.query_name, answer.source.lots, answer.source.rounded_to) == ("flows", 1, 1)
    assert answer.source.as_of_time.ToMilliseconds() == town.clock.now_ms()


async def test_flows_by_day_and_group(town: Platform) -> None:
    answer = await stub(town).GetFlows(asked(end_date=NEXT, group_by=BY_LOT))
    told = [(f.group_id, beijing.day_key(f.start_time.ToMilliseconds()), f.direction, f.records) for f in answer.flows]
    assert told == [(A, DAY, ENTRY, 17), (A, DAY, ENTRY, 2), (A, DAY, EXIT, 7), (A, NEXT, ENTRY, 1), (B, DAY, ENTRY, 3)]
    by_operator = await stub(town).GetFlows(asked(group_by=messages.STATISTICS_GROUP_OPERATOR))
    assert [(f.group_id, f.records) for f in by_operator.flows if f.direction == ENTRY] == [
        ("", 3),
        (OPERATOR.subject, 17),
        (OPERATOR.subject, 2),
    ]
    together = await stub(town).GetFlows(asked())
    assert [(f.group_id, f.vehicle_class, f.records) for f in together.flows] == [("", 1, 20), ("", 3, 2), ("", 1, 7)]


async def test_the_peak_is_the_busiest_hour(town: Platform) -> None:
    answer = await stub(town).GetPeaks(asked(messages.GetPeaksRequest, end_date=NEXT, lot_id=A))
    told = [(p.date, (p.start_time.ToMilliseconds() - START) // HOUR, p.entries, p.exits) for p in answer.peaks]
    assert told == [(DAY, 8, 12, 0), (NEXT, 24, 1, 0)]


async def test_of_equal_hours_the_first_is_the_peak(town: Platform) -> None:
    town.put("records_current", [row for hour in (5, 3, 4) for row in rows(A, f"tie{hour}", 1, START - HOUR * hour)])
    answer = await stub(town).GetPeaks(asked(messages.GetPeaksRequest, start_date="2099-12-29", lot_id=A))
    assert [(p.start_time.ToMilliseconds() - START) // HOUR for p in answer.peaks] == [-5]


async def test_turnover_is_exits_per_open_berth(town: Platform) -> None:
    answer = await stub(town).GetTurnover(asked(messages.GetTurnoverRequest, group_by=BY_LOT))
    told = [(t.group_id, t.entries, t.exits, t.open_berths, t.turnover_permille) for t in answer.turnovers]
    assert told == [(A, 19, 7, 4, 1750), (B, 3, 0, 0, 0)]
    assert [t.HasField("turnover_permille") for t in answer.turnovers] == [True, False]


async def test_utilisation_is_the_share_of_the_day_for_which_berths_were_taken(town: Platform) -> None:
    first = START + 200 * 24 * HOUR
    stays = [(0, 12, 2, 0), (18, 30, 2, 0), (2, 4, 3, 0), (2, 4, 2, 1)]  # the last two are doubtful, and gone
    visits = [
        {"lot_id": A, "record_id": f"u{number}", "anchor_time": first + came * HOUR, "entry_time": first + came * HOUR}
        | {
            "exit_time": first + left * HOUR,
            "dwell_ms": (left - came) * HOUR,
            "state": state,
            "version": 1,
            "gone": gone,
        }
        for number, (came, left, state, gone) in enumerate(stays)
    ]
    town.put("visits", visits)
    town.put(
        "records_current", [row for day in (0, 1) for row in rows(A, f"u{day}-", 1, first + (day * 24 + 1) * HOUR)]
    )
    days = {"start_date": beijing.day_key(first), "end_date": beijing.day_key(first + 24 * HOUR)}
    request = asked(messages.GetTurnoverRequest, lot_id=A, **days)
    told = (await stub(town).GetTurnover(request)).turnovers
    # Four berths for a day are 96 hours: 12 and 6 of them, then 6.
    assert [one.utilisation_permille for one in told] == [round(18_000 / 96), round(6_000 / 96)]
    department = (await stub(town, DEPARTMENT).GetTurnover(request)).turnovers
    assert not any(one.HasField("utilisation_permille") for one in department)


async def test_durations_by_length_of_visits_that_ended(town: Platform) -> None:
    minute = beijing.MINUTE_MS
    stays = [(10, 2, 0), (15, 2, 0), (29, 2, 0), (180, 2, 0), (3000, 2, 0), (20, 3, 0), (20, 2, 1)]
    visits = [
        {"lot_id": A, "record_id": f"v{number}", "anchor_time": START + 50 * HOUR - stayed * minute}
        | {"exit_time": START + 50 * HOUR, "dwell_ms": stayed * minute, "state": state, "version": 1, "gone": gone}
        for number, (stayed, state, gone) in enumerate(stays)
    ]
    town.put("visits", [*visits, visits[0] | {"record_id": "next", "exit_time": START + 80 * HOUR}])
    day = beijing.day_key(START + 50 * HOUR)
    request = asked(messages.GetDurationsRequest, start_date=day, lot_id=A)
    (told,) = (await stub(town).GetDurations(request)).durations
    counted = {one.from_minutes: one.visits for one in told.buckets if one.visits}
    assert (told.visits, counted) == (5, {0: 1, 15: 2, 120: 1, 1440: 1})
    assert (told.p50_seconds, told.p90_seconds, told.longest_seconds) == (29 * 60, 180_000, 180_000)
    assert [one.HasField("to_minutes") for one in told.buckets] == [True] * 8 + [False]


async def test_delays_live_and_resent_apart_by_the_rule_of_each_day(town: Platform) -> None:
    answer = await stub(town).GetDelays(asked(messages.GetDelaysRequest, lot_id=A, end_date=NEXT))
    told = [(d.resend, d.records, d.late, d.ahead, d.p50_ms, d.p95_ms, d.longest_ms) for d in answer.delays]
    # Late live: the seven of 5,000 ms, which is not below 5 s, and the next day's of 1,000 ms by the rule of that day.
    assert told == [(False, 20, 8, 0, 1_000, 5_000, 5_000), (True, 7, 7, 0, 3_600_000, 3_600_000, 3_600_000)]
    assert answer.limit_seconds == 1
    (ahead,) = (await stub(town).GetDelays(asked(messages.GetDelaysRequest, lot_id=B))).delays
    assert (ahead.records, ahead.late, ahead.ahead, ahead.p50_ms) == (3, 0, 3, -20)


async def test_quality(town: Platform) -> None:
    answer = await stub(town).GetQuality(asked(messages.GetQualityRequest, group_by=BY_LOT))
    first, second = answer.qualities
    told = (first.records, first.without_pictures, first.too_few_pictures, first.unread, first.corrections, first.voids)
    assert told == (26, 7, 9, 7, 2, 1)
    assert [(one.reason, one.items) for one in first.rejections] == [(30, 2), (33, 1)]
    assert (second.records, second.unlicensed, second.warned, answer.pictures_required) == (3, 3, 3, 2)


@pytest.mark.parametrize(
    ("caller", "lots", "more"),
    [
        (SUPERVISOR, 2, {}),
        (SUPERVISOR, 4, {"include_inactive": True}),
        (SUPERVISOR, 1, {"lot_id": IDLE}),
        (SUPERVISOR, 2, {"operator_id": OPERATOR.subject, "include_inactive": True}),
        (OPERATOR, 2, {}),
        (VENDORS, 1, {}),
        (DEPARTMENT, 2, {"include_inactive": True}),
        (Caller(CallerKind.OPERATOR, "operator-9", "c", "a"), 0, {}),
    ],
)
async def test_everybody_sees_their_own(town: Platform, caller: Caller, lots: int, more: dict[str, Any]) -> None:
    answer = await stub(town, caller).GetFlows(asked(**more))
    assert answer.source.lots == lots
    assert bool(answer.flows) == bool(lots)


@pytest.mark.parametrize(
    ("caller", "lot_id"),
    [(OPERATOR, B), (VENDORS, A), (DEPARTMENT, IDLE), (SUPERVISOR, "nowhere"), (OPERATOR, "nowhere")],
)
async def test_a_lot_out_of_sight_is_unknown(town: Platform, caller: Caller, lot_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub(town, caller).GetFlows(asked(lot_id=lot_id))
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND


async def test_departments_are_told_no_small_count(town: Platform) -> None:
    answer = await stub(town, DEPARTMENT).GetFlows(asked(group_by=BY_LOT))
    assert answer.source.rounded_to == 5
    # The 17 and 7 of lot a, the 3 of lot b; the two large ones of lot a, which round to nothing, are left out.
    assert [(f.group_id, f.direction, f.vehicle_class, f.records) for f in answer.flows] == [
        (A, ENTRY, 1, 15),
        (A, EXIT, 1, 5),
        (B, ENTRY, 1, 5),
    ]
    small = asked(messages.GetPeaksRequest, start_date=NEXT)
    assert [len((await stub(town, who).GetPeaks(small)).peaks) for who in (SUPERVISOR, DEPARTMENT)] == [1, 0]
    small = asked(messages.GetTurnoverRequest, start_date=NEXT)
    assert [len((await stub(town, who).GetTurnover(small)).turnovers) for who in (SUPERVISOR, DEPARTMENT)] == [1, 0]
    small = asked(messages.GetQualityRequest, start_date=NEXT)
    assert [len((await stub(town, who).GetQuality(small)).qualities) for who in (SUPERVISOR, DEPARTMENT)] == [1, 0]
    quality = await stub(town, DEPARTMENT).GetQuality(asked(messages.GetQualityRequest))
    assert [(q.records, len(q.rejections)) for q in quality.qualities] == [(30, 0)]


async def test_departments_are_told_nothing_of_single_records(town: Platform) -> None:
    week = "2099-12-20"
    some = beijing.day_bounds_of(week).start_ms
    town.put("records_current", [*rows(A, "n", 19, some), *rows(B, "n", 20, some), *rows(B, "r", 2, some, resend=True)])
    request = asked(messages.GetDelaysRequest, start_date=week, group_by=BY_LOT)
    delays = (await stub(town, DEPARTMENT).GetDelays(request)).delays
    # Of 20 the percentile 90 has but one above it, and the 99 is the longest itself.
    assert [(d.group_id, d.resend, [field.name for field, _ in d.ListFields()][-1]) for d in delays] == [
        (A, False, "late"),
        (B, False, "p50_ms"),
    ]
    day = beijing.day_key(some + 5 * beijing.DAY_MS)
    exit_ms = beijing.day_bounds_of(day).start_ms
    stay = {"anchor_time": exit_ms - HOUR, "exit_time": exit_ms, "dwell_ms": HOUR, "state": 2, "version": 1, "gone": 0}
    town.put(
        "visits", [{"lot_id": lot, "record_id": f"s{n}"} | stay for lot, n in [(B, 1), *((A, n) for n in range(20))]]
    )
    durations_of = asked(messages.GetDurationsRequest, start_date=day, group_by=BY_LOT)
    (told,) = (await stub(town, DEPARTMENT).GetDurations(durations_of)).durations
    assert (told.group_id, told.visits, told.p50_seconds) == (A, 20, 3600)
    assert not told.HasField("longest_seconds")
    assert len((await stub(town).GetDurations(durations_of)).durations) == 2


async def test_one_caller_asks_one_question_at_a_time_and_all_together_only_some() -> None:
    turns = Turns(at_once=2, wait_s=0.05)
    others = [Caller(CallerKind.DEPARTMENT, "housing", f"client-{number}") for number in range(2)]
    async with turns.turn(DEPARTMENT):
        with pytest.raises(MeshError) as own:
            async with turns.turn(DEPARTMENT):
                pass
        async with turns.turn(others[0]):
            with pytest.raises(MeshError) as more:
                async with turns.turn(others[1]):
                    pass
    for refusal in (own.value, more.value):
        assert refusal.reason == reasons.ERROR_REASON_RATE_LIMITED
        assert refusal.retry_after_ms
    # Who was refused left nothing behind.
    async with turns.turn(DEPARTMENT), turns.turn(others[1]):
        pass


async def test_figures_of_one_caller_are_computed_one_after_the_other(
    town: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_of, running, most = HistoryClient.rows, 0, 0

    async def counted(client: HistoryClient, sql: str, *given: Any, **named: Any) -> list[Any]:
        nonlocal running, most
        figure = "group_id" in sql
        running += figure
        most = max(most, running)
        try:
            return await rows_of(client, sql, *given, **named)
        finally:
            running -= figure

    monkeypatch.setattr(HistoryClient, "rows", counted)
    await asyncio.gather(*(stub(town, DEPARTMENT).GetFlows(asked()) for _ in range(4)))
    assert most == 1


async def test_a_figure_leads_back_to_its_query(town: Platform) -> None:
    answer = await stub(town).GetStatisticsQuery(messages.GetStatisticsQueryRequest(query_name="flows"))
    assert answer.sql.startswith("-- ")
    assert "FINAL" in answer.sql
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub(town).GetStatisticsQuery(messages.GetStatisticsQueryRequest(query_name="nothing"))
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND


async def test_too_much_at_once_is_refused(town: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST_ROWS", 3)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub(town).GetFlows(asked(group_by=BY_LOT))
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "facts",
    [
        {"start_date": ""},
        {"start_date": "2099-02-30"},
        {"start_date": DAY, "end_date": "2099-12-29"},
        {"start_date": "2098-12-29", "end_date": DAY},
        {"group_by": 9},
        {"lot_id": "a b"},
    ],
)
async def test_a_bad_request_is_refused(town: Platform, facts: dict[str, Any]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub(town).GetFlows(asked(**facts))
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
