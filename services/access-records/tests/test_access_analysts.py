"""What analysts read: the published views, and the worked queries with what they answer over a city that is known."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from access_records.analysts_testing import AUTHOR, PLATES, City, settle
from access_records.history_writer import filled, migrate
from access_records.queries import query, worked
from history.client import Account, HistoryClient
from history.errors import HistoryRejected
from history.server.testing import RunningServer, running_server
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("analysts")) as server:
        yield server


def client(server: RunningServer, who: str) -> HistoryClient:
    database = "parkmesh" if who == "analyst" else "default"
    return HistoryClient(Account(server.url, who, server.secrets[who], database=database))


@pytest.fixture(scope="module")
async def owner(server: RunningServer) -> AsyncIterator[HistoryClient]:
    async with client(server, "owner") as owner, client(server, "writer") as writer:
        await migrate(owner)
        await filled(writer)
        await settle(writer)
        yield owner


@pytest.fixture(scope="module")
async def analyst(server: RunningServer, owner: HistoryClient) -> AsyncIterator[HistoryClient]:
    async with client(server, "analyst") as analyst:
        yield analyst


def beijing(time: str) -> datetime:
    return datetime.fromisoformat(time).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


DAYS = (date(2026, 2, 13), date(2026, 2, 16))
MONTHS = (date(2026, 2, 1), date(2026, 4, 1))
EAST, WEST, NEW = "东门停车场", "西门停车场", "新区停车场"
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "01_flows_by_hour": [(0, 3, 1, 0), (8, 1, 2, 1), (9, 1, 1, 1), (12, 1, 0, 1), (23, 1, 1, 0)],
    "02_peak_hour": [(EAST, 8, 3), (WEST, 9, 1)],
    "03_turnover": [(WEST, 4, 2, 0.17), (EAST, 10, 3, 0.1)],
    "04_utilisation": [(EAST, 8, 0.1, 3), (WEST, 9, 0.25, 1)],
    "05_new_energy_share": [(EAST, 1, 3, 0.333), (WEST, 0, 1, 0.0)],
    "06_dwell": [("0-30 min", 1, 0.333), ("2-8 h", 1, 0.333), ("24 h+", 1, 0.333)],
    "07_delay": [("vendor-1", 6, 1000, 7000, 7000, 0.167), ("vendor-2", 1, 1000, 1000, 1000, 0.0)],
    "08_silent_lots": [(NEW, "乙公司", "城厢区")],
    "09_rejections": [
        ("vendor-2", "PLATE_MALFORMED", "plateNumber", 2, 1),
        ("vendor-1", "FIELDS_CONTRADICT", "berthId", 1, 1),
    ],
    "10_revision_rate": [("甲公司", 8, 0.0, 125.0)],
    "11_late_night_entries": [(WEST, 1, 2, 0.5), (EAST, 1, 3, 0.333)],
    "12_vehicles_in_most_lots": [
        ("e997bd4231313131315f5f5f5f5f5f5f", "闽B***11", 2, 4),
        ("e997bd424432323232325f5f5f5f5f5f", "闽B***22", 1, 2),
        ("e997bd4233333333335f5f5f5f5f5f5f", "闽B***33", 1, 1),
    ],
    "13_missing_pictures": [(EAST, 1, 5, 0.2)],
    "14_manual_releases": [(EAST, "***", 1), (WEST, "设备故障", 1)],
    "15_unread_by_gate": [(WEST, "学园路一号出入口", 1, 3, 0.333), (EAST, "文献路一号出入口", 0, 5, 0.0)],
    "16_journeys": [(EAST, WEST, 1)],
    "17_months": [(date(2026, 2, 1), 5, None, None), (date(2026, 3, 1), 1, 5, -0.8)],
    "18_day_types": [("workday", 1, 3, 3.0), ("holiday", 1, 1, 1.0), ("makeup", 1, 1, 1.0)],
    "19_imbalance": [(EAST, 3, 2, 1), (WEST, 2, 1, 1)],
    "20_what_was_changed": [
        ("lot-west", "x9", 1, 2, [], 4, "无车误触发", beijing("2026-02-14 15:00"), False),
        ("lot-west", "x9", 1, 3, [], 99, "***", beijing("2026-02-14 15:05"), True),
    ],
}
"""What each worked query answers over the city of `analysts_testing`."""


@pytest.mark.parametrize("name", worked())
async def test_a_worked_query_answers_what_is_known(name: str, analyst: HistoryClient) -> None:
    start, end = MONTHS if name.endswith("_months") else DAYS
    assert await analyst.rows(query(name), {"from": start, "to": end}) == ANSWERS[name.partition("/")[2]]


def test_there_are_twenty_worked_queries() -> None:
    assert [name.partition("/")[2] for name in worked()] == list(ANSWERS)
    assert len(ANSWERS) == 20


async def columns_of(owner: HistoryClient) -> dict[str, list[str]]:
    rows = await owner.rows(
        "SELECT table, groupArray(name) FROM (SELECT table, name FROM system.columns WHERE database = 'parkmesh'"
        " ORDER BY table, position) GROUP BY table"
    )
    return {table: list(columns) for table, columns in rows}


async def test_every_published_column_can_be_asked_for_by_its_name(
    owner: HistoryClient, analyst: HistoryClient
) -> None:
    """The guard refuses names of functions that analysts may not call; a column with such a name would be lost."""
    published = await columns_of(owner)
    assert published.keys() >= {
        "records", "records_audit", "rejections", "lot_hour", "lot_day", "operator_day", "vendor_day", "lot_latest",
        "lots", "operators", "gates", "calendar", "codes",
    }  # fmt: skip
    for view, columns in published.items():
        assert await analyst.rows(f"SELECT {', '.join(columns)} FROM {view} LIMIT 1") is not None


async def test_every_published_column_is_explained_in_both_languages(owner: HistoryClient) -> None:
    bare = await owner.rows(
        "SELECT table, name FROM system.columns WHERE database = 'parkmesh'"
        " AND NOT match(comment, '^[^|]*\\p{Han}[^|]* \\| [^|\\p{Han}]*[A-Za-z][^|\\p{Han}]*$')"
    )
    assert bare == []


async def test_no_published_view_shows_a_plate_or_an_author(owner: HistoryClient, analyst: HistoryClient) -> None:
    for view in await columns_of(owner):
        shown = repr(await analyst.rows(f"SELECT * FROM {view}"))
        assert [secret for secret in (*PLATES, AUTHOR) if secret in shown] == [], view


async def test_no_published_view_shows_a_digest(owner: HistoryClient, analyst: HistoryClient) -> None:
    """A digest has no key: whoever reads it with the other facts finds the hidden part of the plate by trying."""
    digests = {row.digest.hex() for row in City().reports}
    views = await owner.rows("SELECT name, as_select FROM system.tables WHERE database = 'parkmesh'")
    assert {name for name, _ in views} >= {"records", "records_audit", "rejections", "visits", "lot_day"}
    for name, definition in views:
        shown = repr(await analyst.rows(f"SELECT * FROM {name}")).lower()
        assert [digest for digest in digests if digest in shown] == [], name
        published = definition.replace("uniqExactIf(tuple(record_id, revision, digest), ", "countIf(")
        assert re.search("digest|vendor_sum|platform_sum|plate_number", published) is None, name


async def test_a_reason_in_words_that_may_hold_a_plate_is_not_shown(analyst: HistoryClient) -> None:
    """However the plate is written: what the check of uploads does not take for one may still be one."""
    rows = await analyst.rows(
        "SELECT record_id, revision_kind, reason_text FROM records_audit WHERE revision > 0 ORDER BY accept_time"
    )
    assert rows == [("x9", 2, "无车误触发"), ("x9", 3, "***"), ("e6", 1, "***")]


async def test_a_visits_number_that_holds_the_plate_is_not_shown(owner: HistoryClient, analyst: HistoryClient) -> None:
    """It may after a correction; visits, which take the number of either record, do not show it at all."""
    rows = await analyst.rows("SELECT record_id, visit_id FROM records WHERE notEmpty(visit_id)")
    shown: dict[str, str] = dict(rows)
    assert shown == {"e1": "v1", "x1": "v1", "e2": "v3", "x2": "v3", "e3": "v2", "x3": "v2", "e5": "***", "e6": "v5"}
    columns = await columns_of(owner)
    assert [view for view in columns if "visit_id" in columns[view]] == ["records"]


async def test_what_is_void_is_not_counted_and_what_was_corrected_counts_as_it_is_now(analyst: HistoryClient) -> None:
    rows = await analyst.rows(
        "SELECT lot_id, day, records, entries_small, entries_medium, corrected, corrections, voids, reinstatements"
        " FROM lot_day WHERE day IN ('2026-02-13', '2026-02-14') AND lot_id = 'lot-west' OR day = '2026-03-02'"
        " ORDER BY day"
    )
    assert rows == [
        ("lot-west", date(2026, 2, 13), 2, 1, 0, 0, 0, 0, 0),
        ("lot-west", date(2026, 2, 14), 1, 1, 0, 0, 0, 1, 1),
        ("lot-east", date(2026, 3, 2), 1, 0, 1, 1, 1, 0, 0),
    ]


async def test_sums_of_hours_operators_and_vendors_are_those_of_the_days(analyst: HistoryClient) -> None:
    ((days, entries, exits, delayed, resent),) = await analyst.rows(
        "SELECT sum(records), sum(entries), sum(exits), sum(delayed_over_5s), sum(resent) FROM lot_day"
    )
    assert (days, entries, exits, delayed, resent) == (9, 6, 3, 1, 1)
    assert await analyst.rows("SELECT sum(entries), sum(exits) FROM lot_hour") == [(entries, exits)]
    assert await analyst.rows(
        "SELECT operator_id, sum(records), sum(delayed_over_5s), sum(resent) FROM operator_day GROUP BY operator_id"
    ) == [("operator-1", days, delayed, resent)]
    assert await analyst.rows(
        "SELECT vendor_id, sum(records), sum(delayed_over_5s), sum(resent), sum(rejections)"
        " FROM vendor_day GROUP BY vendor_id ORDER BY vendor_id"
    ) == [("vendor-1", 8, delayed, resent, 1), ("vendor-2", 1, 0, 0, 2)]


async def test_every_code_has_the_name_that_its_enum_gives_it(analyst: HistoryClient) -> None:
    told = {(kind, code): name for kind, code, name in await analyst.rows("SELECT kind, code, name FROM codes")}
    for name, number in ErrorReason.items():
        assert told["ErrorReason", number] == name.removeprefix("ERROR_REASON_")
    assert told["PlateColour", 94] == "GRADIENT_GREEN"
    assert told["LotState", 2] == "ACTIVE"


@pytest.mark.parametrize(
    ("view", "condition", "index"),
    [
        ("records", "toDate(event_time) = '2026-02-13'", "Min-Max"),
        ("records", "lot_id = 'lot-east'", "PrimaryKey"),
        ("lot_day", "day = '2026-02-13'", "Min-Max"),
        ("lot_day", "lot_id = 'lot-east'", "PrimaryKey"),
        ("lot_hour", "day = '2026-02-13'", "Min-Max"),
        ("lot_hour", "lot_id = 'lot-east'", "PrimaryKey"),
        ("operator_day", "day = '2026-02-13'", "Min-Max"),
        ("vendor_day", "day = '2026-02-13'", "Min-Max"),
        ("records_audit", "lot_id = 'lot-east' AND record_id = 'e1'", "PrimaryKey"),
    ],
)
async def test_a_filter_reaches_the_index(view: str, condition: str, index: str, owner: HistoryClient) -> None:
    """A view that read the whole history for one day would still answer rightly, and too late."""
    plan = await owner.rows(f"EXPLAIN indexes = 1 SELECT * FROM parkmesh.{view} WHERE {condition}")
    read = "\n".join(line for (line,) in plan).split("ReadFromMergeTree (store.record")[1:]
    assert read
    for table in read:
        used = table.partition("ReadFromMergeTree")[0].partition(index)[2]
        found = re.search(r"Condition: (.*)", used)
        assert found is not None, table
        assert found[1] != "true", table


async def test_the_store_itself_stays_closed(analyst: HistoryClient) -> None:
    for table in ("record_revisions", "operators", "gates", "calendar"):
        with pytest.raises(HistoryRejected):
            await analyst.rows(f"SELECT count() FROM store.{table}")
