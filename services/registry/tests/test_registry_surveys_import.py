"""Censuses against the register, on both databases: what each row means, and what is changed."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from mesh.caller import Caller, CallerKind
from mesh.instants import time_of
from mesh.testing import ManualClock, SequentialIds
from parkmesh.registry.v1.berth_pb2 import ALIAS_TYPE_PAINTED, Berth
from parkmesh.registry.v1.gate_pb2 import SERVICE_STATE_RETIRED, Gate
from parkmesh.registry.v1.lot_pb2 import LOT_STATE_ACTIVE, LOT_STATE_CLOSED, LOT_STATE_PENDING, Lot
from parkmesh.registry.v1.rule_pb2 import RULE_NAME_BERTH_CODE_PATTERN, Rule
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_FORMAT_CSV,
    SURVEY_FORMAT_XLSX,
    SURVEY_OUTCOME_CHANGED,
    SURVEY_OUTCOME_INVALID,
    SURVEY_OUTCOME_MISSING,
    SURVEY_OUTCOME_NEW,
    SURVEY_SUBJECT_BERTHS,
    SURVEY_SUBJECT_GATES,
    SURVEY_SUBJECT_LOTS,
    Survey,
    SurveyOutcome,
    SurveySubject,
    SurveyViolation,
)
from registry.errors import InvalidField, NotRegistered, SurveyConflict, SurveyInvalid, TooManySurveys
from registry.storage.kinds import BERTH, GATE, GRANT, LOT, Kind, M
from registry.storage.store import Store
from registry.storage.tables import AUDIT, CHANGES
from registry.surveys.comparison import Finding
from registry.surveys.report import reported
from registry.surveys.surveys import MOST_WAITING, MOST_WAITING_OF_ONE, Census, Surveys
from registry.surveys.testing import csv_of, xlsx_of
from registry.testing import (
    ADMINISTRATOR,
    a_berth,
    a_gate,
    a_lot,
    a_vendor_with_grants,
    an_operator,
    department,
    kept,
    operator_caller,
)

HOUR = 3_600_000
POLICE = department("police")


class Office:
    """The surveys of a store, and who sends them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.surveys = Surveys(store, self.clock, SequentialIds())

    async def send(
        self,
        rows: Sequence[dict[str, str]],
        subject: SurveySubject.ValueType = SURVEY_SUBJECT_LOTS,
        *,
        by: Caller = ADMINISTRATOR,
        survey_id: str = "s1",
        **stated: Any,
    ) -> Survey:
        census = Census(survey_id, subject, SURVEY_FORMAT_CSV, csv_of(rows), "莆田市公安局 2026 年普查")
        census = dataclasses.replace(census, **stated)
        return await self.surveys.import_survey(by, census)

    async def all(self, kind: Kind[M]) -> list[M]:
        async with self.store.reading() as facts:
            return [held.message for held in await facts.many(kind)]

    async def one(self, kind: Kind[M], key: str) -> M:
        async with self.store.reading() as facts:
            held = await facts.held(kind, key)
            assert held is not None
            return held

    async def revision(self) -> int:
        async with self.store.reading() as facts:
            return (await facts.position())[1]


@pytest.fixture
async def office(store: Store) -> Office:
    return Office(store)


def lot_row(number: int = 1, **changed: str) -> dict[str, str]:
    return {
        "registrationNumber": f"PT-{number}",
        "name": f"莆田停车场 {number}",
        "type": "公共停车场",
        "divisionCode": "350302",
        "openBerths": "120",
    } | changed


def gate_row(gate_id: str = "g1", **changed: str) -> dict[str, str]:
    return {"registrationNumber": "PT-1", "gateId": gate_id, "name": "胜利路一号入口", "lanes": "1:入"} | changed


def berth_row(berth_id: str = "b1", **changed: str) -> dict[str, str]:
    return {"registrationNumber": "PT-1", "berthId": berth_id, "berthClass": "小型车"} | changed


def counts(survey: Survey) -> tuple[int, int, int, int, int]:
    """New, changed, unchanged, missing, invalid."""
    return (
        survey.new_rows,
        survey.changed_rows,
        survey.unchanged_rows,
        survey.missing_rows,
        survey.invalid_rows,
    )


def told(survey: Survey) -> list[tuple[int, SurveyOutcome.ValueType, str]]:
    return [(row.line, row.outcome, row.key) for row in survey.details]


def wrong(survey: Survey) -> list[tuple[int, str, str]]:
    """Line, column and rule of each violation; each has both languages."""
    found = []
    for row in survey.details:
        for violation in row.violations:
            assert violation.description
            assert any(character >= "\u4e00" for character in violation.description_zh)
            found.append((row.line, violation.column, violation.rule))
    return found


async def add_lots(office: Office, *numbers: int, **stated: Any) -> None:
    lots = [a_lot(number, lot_id=f"lot-{number:02}", state=LOT_STATE_ACTIVE, **stated) for number in numbers]
    await kept(office.store, office.clock.now_ms() - HOUR, *lots)


async def test_new_lots_wait_for_review_whoever_counted_them(office: Office) -> None:
    survey = await office.send([lot_row(1, address="文献路1号"), lot_row(2)], by=POLICE)
    assert counts(survey) == (2, 0, 0, 0, 0)
    assert [row.name for row in survey.details] == ["lots/lot-1", "lots/lot-2"]
    first, second = await office.all(LOT)
    assert (first.registration_number, first.address, first.open_berths) == ("PT-1", "文献路1号", 120)
    assert first.state == second.state == LOT_STATE_PENDING
    assert list(first.flags), "derived as in any other way of registration"


async def test_a_vendor_may_speak_for_the_lots_that_it_files(office: Office) -> None:
    vendor = await a_vendor_with_grants(office.store, 1, office.clock.now_ms())
    await office.send([lot_row(1)], by=vendor)
    (grant,) = await office.all(GRANT)
    assert (grant.vendor_id, grant.lot_id) == ("vendor-1", "lot-1")
    assert counts(await office.send([lot_row(1)], by=vendor, survey_id="s2")) == (0, 0, 1, 0, 0)


async def test_an_operator_files_its_own_lots(office: Office) -> None:
    await kept(office.store, 1, an_operator(1, operator_id="op-1"))
    await office.send([lot_row(1)], by=operator_caller("op-1"))
    (lot,) = await office.all(LOT)
    assert lot.operator_id == "op-1"


async def test_a_dry_run_reports_everything_and_changes_nothing(office: Office) -> None:
    await add_lots(office, 1, 2)
    before = await office.revision()
    rows = [lot_row(1, name="改名停车场"), lot_row(3), lot_row(4, divisionCode="1")]
    survey = await office.send(rows, dry_run=True)
    assert survey.dry_run
    assert survey.revision == 0
    assert told(survey) == [
        (4, SURVEY_OUTCOME_INVALID, "PT-4"),
        (2, SURVEY_OUTCOME_CHANGED, "PT-1"),
        (3, SURVEY_OUTCOME_NEW, "PT-3"),
        (0, SURVEY_OUTCOME_MISSING, "PT-2"),
    ]
    assert [row.name for row in survey.details] == ["", "lots/lot-01", "", "lots/lot-02"]
    assert list(survey.details[1].fields) == ["name"]
    assert await office.revision() == before
    with pytest.raises(NotRegistered):
        await office.surveys.survey(ADMINISTRATOR, "s1", "")


async def test_it_is_one_change_set_with_its_source_and_time(office: Office) -> None:
    await add_lots(office, 1)
    counted = office.clock.now_ms() - 60_000
    survey = await office.send([lot_row(1, name="甲"), lot_row(2)], by=POLICE, effective_ms=counted)
    async with office.store.reading() as facts:
        rows = await facts.rows(sa.select(CHANGES).where(CHANGES.c.change_set == "s1").order_by(CHANGES.c.revision))
        (entry,) = await facts.rows(sa.select(AUDIT).where(AUDIT.c.target == "surveys/s1"))
    assert {(row.reason, row.effective_ms, row.subject) for row in rows} == {
        ("莆田市公安局 2026 年普查", counted, "police")
    }
    assert [row.key for row in rows] == ["lot-01", "lot-1"]
    assert (entry.first_revision, entry.last_revision) == (rows[0].revision, rows[-1].revision)
    assert survey.revision == rows[-1].revision
    assert (survey.author, survey.effective_time) == ("police", time_of(counted))


async def test_only_what_is_stated_is_compared_and_changed(office: Office) -> None:
    await add_lots(office, 1, address="文献路1号", remarks="旧")
    rows = [{"registrationNumber": "PT-1", "address": "", "remarks": "新", "coordinateSystem": "GCJ-02"}]
    survey = await office.send(rows)
    assert list(survey.details[0].fields) == ["remarks"]
    lot = await office.one(LOT, "lot-01")
    assert (lot.address, lot.remarks, lot.state) == ("文献路1号", "新", LOT_STATE_ACTIVE)


async def test_phones_codes_and_numbers_that_differ_only_in_form_are_the_same(office: Office) -> None:
    await kept(office.store, 1, an_operator(1, operator_id="op-1"))
    code = an_operator(1).credit_code
    rows = [
        lot_row(
            1,
            servicePhone="0594-2691234",
            operatorCreditCode=code,
            latitude="25.43",
            longitude="119.01",
            coordinateSystem="GCJ-02",
            openingHours="全天",
        )
    ]
    await office.send(rows)
    again = [
        rows[0]
        | {
            "servicePhone": "(0594) 2691234",
            "operatorCreditCode": f" {code.lower()} ",
            "latitude": "25.430",
            "coordinateSystem": "国测局坐标",
            "openingHours": "00:00-24:00",
        }
    ]
    assert counts(await office.send(again, survey_id="s2")) == (0, 0, 1, 0, 0)


async def test_new_classes_bring_their_own_sum(office: Office) -> None:
    await office.send([lot_row(1, openBerths="", berths="小型车:100/90")])
    survey = await office.send([{"registrationNumber": "PT-1", "berths": "小型车:100/80,快充:5/5"}], survey_id="s2")
    assert list(survey.details[0].fields) == ["berths"]
    (lot,) = await office.all(LOT)
    assert lot.open_berths == 85


async def test_what_is_missing_is_listed_within_the_division_and_never_changed(office: Office) -> None:
    await add_lots(office, 1, 2)
    await add_lots(office, 3, division_code="350303")
    await kept(office.store, 1, a_lot(4, lot_id="lot-04", state=LOT_STATE_CLOSED))
    before = await office.all(LOT)
    survey = await office.send([lot_row(1)], division_code="350302")
    assert told(survey) == [(0, SURVEY_OUTCOME_MISSING, "PT-2")]
    everywhere = await office.send([lot_row(1)], survey_id="s2")
    assert [row.key for row in everywhere.details] == ["PT-2", "PT-3"]
    assert await office.all(LOT) == before


async def test_an_invalid_row_is_no_missing_object(office: Office) -> None:
    await add_lots(office, 1)
    survey = await office.send([lot_row(1, divisionCode="1")], dry_run=True)
    assert counts(survey) == (0, 0, 0, 0, 1)


async def test_gates_are_known_by_lot_and_number(office: Office) -> None:
    await add_lots(office, 1, 2)
    gates = [
        a_gate("g1", lot_id="lot-01"),
        a_gate("g2", lot_id="lot-01"),
        a_gate("g3", lot_id="lot-01", state=SERVICE_STATE_RETIRED),
        a_gate("g1", lot_id="lot-02"),
    ]
    await kept(office.store, 1, *gates)
    rows = [gate_row("g1", lanes="1:入,2:双向"), gate_row("g9", name="胜利路二号出口", lanes="1:出", state="在用")]
    survey = await office.send(rows, SURVEY_SUBJECT_GATES)
    assert told(survey) == [
        (2, SURVEY_OUTCOME_CHANGED, "PT-1/g1"),
        (3, SURVEY_OUTCOME_NEW, "PT-1/g9"),
        (0, SURVEY_OUTCOME_MISSING, "PT-1/g2"),
    ]
    assert [row.name for row in survey.details] == [
        "lots/lot-01/gates/g1",
        "lots/lot-01/gates/g9",
        "lots/lot-01/gates/g2",
    ]
    assert len((await office.one(GATE, "lot-01/g1")).lanes) == 2
    assert (await office.one(GATE, "lot-01/g9")).name == "胜利路二号出口"


async def test_a_state_that_was_never_stated_is_in_service(office: Office) -> None:
    await add_lots(office, 1)
    await kept(office.store, 1, Gate(lot_id="lot-01", **_fields(a_gate("g1"))))
    assert counts(await office.send([gate_row("g1", state="在用")], SURVEY_SUBJECT_GATES)) == (0, 0, 1, 0, 0)
    survey = await office.send([gate_row("g1", state="停用")], SURVEY_SUBJECT_GATES, survey_id="s2")
    assert list(survey.details[0].fields) == ["state"]


def _fields(message: Any) -> dict[str, Any]:
    return {field.name: value for field, value in message.ListFields()}


async def test_berths_are_known_by_lot_and_number_or_by_the_police_code_alone(office: Office) -> None:
    await add_lots(office, 1, 2)
    await kept(office.store, 1, a_berth("b1", lot_id="lot-01", police_code="PT0000001"), a_berth("b2", lot_id="lot-01"))
    rows = [
        {"policeCode": "PT0000001", "place": "一层"},
        berth_row("b2", policeCode="PT0000002"),
        {"policeCode": "PT0000001", "registrationNumber": "PT-2", "place": "二层"},
        {"policeCode": "PT0000009", "berthClass": "小型车"},
    ]
    survey = await office.send(rows, SURVEY_SUBJECT_BERTHS, dry_run=True)
    assert [(row.line, row.key, list(row.fields)) for row in survey.details if not row.violations] == [
        (2, "PT-1/b1", ["place"]),
        (3, "PT-1/b2", ["policeCode"]),
    ]
    assert wrong(survey) == [
        (4, "policeCode", "berth.of_other_lot"),
        (5, "registrationNumber", "required"),
        (5, "berthId", "required"),
    ]


async def test_a_new_painted_number_ends_the_one_of_before(office: Office) -> None:
    await add_lots(office, 1)
    await office.send([berth_row(paintedNumber="001", vendorNumber="A")], SURVEY_SUBJECT_BERTHS)
    office.clock.advance(HOUR)
    rows = [berth_row(paintedNumber="002", vendorNumber="A")]
    survey = await office.send(rows, SURVEY_SUBJECT_BERTHS, survey_id="s2")
    assert list(survey.details[0].fields) == ["aliases"]
    berth: Berth = await office.one(BERTH, "lot-01/b1")
    painted = [alias for alias in berth.aliases if alias.type == ALIAS_TYPE_PAINTED]
    now = time_of(office.clock.now_ms())
    assert [(alias.text, alias.HasField("end_time")) for alias in painted] == [("001", True), ("002", False)]
    assert painted[0].end_time == painted[1].start_time == now
    assert len(berth.aliases) == 3
    assert counts(await office.send(rows, SURVEY_SUBJECT_BERTHS, survey_id="s3")) == (0, 0, 1, 0, 0)


LOT_VIOLATIONS = [
    ({"registrationNumber": ""}, "registrationNumber", "required"),
    ({"registrationNumber": "9" * 65}, "registrationNumber", "string.max_len"),
    ({"name": ""}, "name", "required"),
    ({"type": "飞机场"}, "type", "cell.word"),
    ({"type": ""}, "type", "required"),
    ({"divisionCode": "999999"}, "divisionCode", "division.unknown"),
    ({"divisionCode": "35030"}, "divisionCode", "string.pattern"),
    ({"openBerths": "很多"}, "openBerths", "cell.number"),
    ({"openBerths": "999999999"}, "openBerths", "int32.gte_lte"),
    ({"latitude": "25.4"}, "latitude", "coordinate.incomplete"),
    (
        {"latitude": "25.4", "longitude": "119", "coordinateSystem": ""},
        "coordinateSystem",
        "coordinate.system_required",
    ),
    ({"latitude": "125.4", "longitude": "119", "coordinateSystem": "GCJ-02"}, "latitude", "double.gte_lte"),
    ({"latitude": "北", "longitude": "119", "coordinateSystem": "GCJ-02"}, "latitude", "cell.degrees"),
    ({"latitude": "25", "longitude": "119", "coordinateSystem": "北京54"}, "coordinateSystem", "cell.word"),
    ({"berths": "小型车:1/1,小型车:2/2"}, "berths", "berths.class_unique"),
    ({"berths": "小型车:1/1", "openBerths": "9"}, "openBerths", "lot.open_berths_sum"),
    ({"operatorCreditCode": "1"}, "operatorCreditCode", "credit_code.length"),
    ({"operatorCreditCode": "911522010783762860"}, "operatorCreditCode", "operator.unknown"),
    ({"inScope": "也许"}, "inScope", "cell.yes_no"),
    ({"inScope": "是", "chargingMethod": "免费"}, "inScope", "lot.in_scope_free"),
    ({"openingHours": "08:00-12:00,11:00-13:00"}, "openingHours", "opening_hours.overlap"),
    ({"openingHours": "25:00-26:00"}, "openingHours", "string.pattern"),
    ({"vehicleRestrictions": "禁止挂车,禁止挂车"}, "vehicleRestrictions", "repeated.unique"),
    ({"heightLimitCm": "9999"}, "heightLimitCm", "int32.gte_lte"),
    ({"servicePhone": "123456789012345"}, "servicePhone", "phone."),
    ({"complaintPhone": "电话"}, "complaintPhone", "phone."),
    ({"name": "#N/A"}, "name", "cell.formula_failed"),
]


async def test_every_violation_names_its_line_and_column(office: Office) -> None:
    base = {"latitude": "", "longitude": "", "coordinateSystem": ""}
    rows = [lot_row(at, **(base | cell)) for at, (cell, _, _) in enumerate(LOT_VIOLATIONS, 2)]
    survey = await office.send(rows, dry_run=True)
    found = wrong(survey)
    for line, (_, column, rule) in enumerate(LOT_VIOLATIONS, 2):
        mine = [(named, broken) for at, named, broken in found if at == line]
        assert any(named == column and broken.startswith(rule) for named, broken in mine), (line, column, rule, mine)
    assert survey.invalid_rows == len(LOT_VIOLATIONS)
    text = str(survey)
    for sent in ("飞机场", "很多", "北京54", "911522010783762860", "123456789012345", "9" * 65, "也许"):
        assert sent not in text


async def test_a_violation_names_the_heading_of_the_file(office: Office) -> None:
    survey = await office.send([{"备案编号": "PT-1", "停车场名称": "甲", "停车场类型": "x", "楼主": "y"}], dry_run=True)
    assert wrong(survey) == [(2, "停车场类型", "cell.word"), (2, "行政区划代码", "required")]
    assert list(survey.unknown_columns) == ["楼主"]


async def test_rows_that_stand_twice_are_wrong_but_the_first(office: Office) -> None:
    rows = [lot_row(1), lot_row(2), lot_row(1, name="另一名称"), lot_row(1)]
    survey = await office.send(rows, dry_run=True)
    assert wrong(survey) == [(4, "", "survey.row_twice"), (5, "", "survey.row_twice")]
    assert "2" in survey.details[0].violations[0].description
    assert counts(survey) == (2, 0, 0, 0, 2)


async def test_cells_beyond_the_heading_are_wrong(office: Office) -> None:
    content = csv_of([lot_row(1)]).rstrip() + b",,surplus\r\n"
    survey = await office.send([], content=content, dry_run=True)
    assert wrong(survey) == [(2, "", "survey.cells_beyond_heading")]


async def test_police_codes_are_one_berths_and_keep_the_rule(office: Office) -> None:
    await add_lots(office, 1, 2)
    await kept(
        office.store,
        1,
        Rule(rule_id="r", name=RULE_NAME_BERTH_CODE_PATTERN, text=r"^PT\d{7}$", basis="第八条", start_time=time_of(0)),
        a_berth("b9", lot_id="lot-02", police_code="PT0000009"),
    )
    rows = [
        berth_row("b1", policeCode="PT0000001"),
        berth_row("b2", policeCode="PT0000001"),
        berth_row("b3", policeCode="PT0000009"),
        berth_row("b4", policeCode="X"),
    ]
    survey = await office.send(rows, SURVEY_SUBJECT_BERTHS, dry_run=True)
    assert wrong(survey) == [
        (3, "policeCode", "survey.police_code_twice"),
        (4, "policeCode", "already_registered"),
        (5, "policeCode", "berth.police_code"),
    ]


@pytest.mark.parametrize("subject", [SURVEY_SUBJECT_GATES, SURVEY_SUBJECT_BERTHS])
async def test_foreign_lots_and_unknown_ones_are_not_told_apart(
    office: Office, subject: SurveySubject.ValueType
) -> None:
    await add_lots(office, 1, 2)
    vendor = await a_vendor_with_grants(office.store, 1, office.clock.now_ms(), "lot-01")
    row = gate_row if subject == SURVEY_SUBJECT_GATES else berth_row
    reports = [
        await office.send([row("1", registrationNumber=number)], subject, by=vendor, dry_run=True)
        for number in ("PT-2", "PT-3")
    ]
    assert wrong(reports[0]) == [(2, "registrationNumber", "lot.unknown")]
    assert list(reports[0].details) == list(reports[1].details)


async def test_a_foreign_berth_is_not_told_from_an_unknown_one(office: Office) -> None:
    await add_lots(office, 1, 2)
    await kept(office.store, 1, a_berth("b1", lot_id="lot-02", police_code="PT0000001"))
    vendor = await a_vendor_with_grants(office.store, 1, office.clock.now_ms(), "lot-01")
    reports = [
        await office.send([{"policeCode": code, "place": "x"}], SURVEY_SUBJECT_BERTHS, by=vendor, dry_run=True)
        for code in ("PT0000001", "PT0000002")
    ]
    assert list(reports[0].details) == list(reports[1].details)
    assert reports[0].missing_rows == 0


async def test_a_foreign_lots_number_is_taken_and_its_operator_unknown(office: Office) -> None:
    await kept(office.store, 1, an_operator(1, operator_id="op-1"))
    await add_lots(office, 1, operator_id="op-1")
    vendor = await a_vendor_with_grants(office.store, 1, office.clock.now_ms())
    rows = [lot_row(1), lot_row(2, operatorCreditCode=an_operator(1).credit_code)]
    survey = await office.send(rows, by=vendor, dry_run=True)
    assert wrong(survey) == [
        (2, "registrationNumber", "already_registered"),
        (3, "operatorCreditCode", "operator.unknown"),
    ]
    assert survey.missing_rows == 0


async def test_a_wrong_row_refuses_the_survey_unless_it_may_be_passed_over(office: Office) -> None:
    rows = [lot_row(1), lot_row(2, divisionCode="1")]
    before = await office.revision()
    with pytest.raises(SurveyInvalid) as refused:
        await office.send(rows)
    assert refused.value.metadata == {"invalid_rows": "1"}
    assert [violation.field for violation in refused.value.fields] == ["content[3].divisionCode"]
    assert await office.revision() == before
    survey = await office.send(rows, skip_invalid=True)
    assert counts(survey) == (1, 0, 0, 0, 1)
    assert [lot.registration_number for lot in await office.all(LOT)] == ["PT-1"]


async def test_the_same_survey_again_does_nothing_and_says_the_same(office: Office) -> None:
    first = await office.send([lot_row(1), lot_row(2)])
    before = await office.revision()
    office.clock.advance(HOUR)
    assert await office.send([lot_row(1), lot_row(2)]) == first
    assert await office.revision() == before
    assert await office.surveys.survey(ADMINISTRATOR, "s1", "") == first


@pytest.mark.parametrize(
    "changed",
    [
        {"content": csv_of([lot_row(3)])},
        {"source": "另一来源"},
        {"skip_invalid": True},
        {"division_code": "350302"},
        {"effective_ms": 5},
        {"format": SURVEY_FORMAT_XLSX, "content": xlsx_of([lot_row(1)])},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_another_survey_under_the_same_id_is_refused(office: Office, changed: dict[str, Any]) -> None:
    await office.send([lot_row(1)])
    before = await office.revision()
    with pytest.raises(SurveyConflict):
        await office.send([lot_row(1)], **changed)
    assert await office.revision() == before


async def test_ids_belong_to_their_senders_and_dry_runs_use_none_up(office: Office) -> None:
    await office.send([lot_row(1)], dry_run=True)
    await office.send([lot_row(2)])
    await office.send([lot_row(3)], by=POLICE)
    vendor = await a_vendor_with_grants(office.store, 1, office.clock.now_ms())
    await office.send([lot_row(4)], by=vendor)
    await office.send([lot_row(9)], by=POLICE, dry_run=True)
    assert (await office.surveys.survey(vendor, "s1", "")).author == "vendor-1"
    assert (await office.surveys.survey(POLICE, "s1", "vendor-1")).author == "vendor-1"
    for author in ("police", "vendor-2"):
        with pytest.raises(NotRegistered):
            await office.surveys.survey(vendor, "s1", author)
    everybodys = await office.surveys.surveys(POLICE, "", 10)
    assert [key for key, _ in everybodys] == ["s1/platform", "s1/police", "s1/vendor-1"]
    assert [key for key, _ in await office.surveys.surveys(POLICE, "s1/platform", 1)] == ["s1/police"]
    ((key, own),) = await office.surveys.surveys(vendor, "", 10)
    assert key == "s1/vendor-1"
    assert own.new_rows == 1
    assert not own.details


async def test_what_the_register_says_of_a_later_time_stays(office: Office) -> None:
    start = office.clock.now_ms() - 10 * HOUR
    await kept(office.store, start, a_lot(1, lot_id="lot-01", remarks="一", address="甲"))
    await kept(office.store, start + 5 * HOUR, a_lot(1, lot_id="lot-01", remarks="三", address="甲"))
    rows = [{"registrationNumber": "PT-1", "remarks": "二", "address": "乙"}]
    counted = start + 2 * HOUR
    survey = await office.send(rows, effective_ms=counted)
    assert list(survey.details[0].fields) == ["address", "remarks"]
    lot = await office.one(LOT, "lot-01")
    assert (lot.remarks, lot.address) == ("三", "乙")
    assert counts(await office.send(rows, survey_id="s2", effective_ms=counted)) == (0, 0, 1, 0, 0)


async def test_a_census_from_before_an_object_was_there_changes_none_of_it(office: Office) -> None:
    start = office.clock.now_ms() - HOUR
    await kept(office.store, start, a_lot(1, lot_id="lot-01"))
    changed = {"registrationNumber": "PT-1", "remarks": "早"}
    survey = await office.send([changed], effective_ms=start - 1, dry_run=True)
    assert wrong(survey) == [(2, "", "effective_time.before_first")]
    same = await office.send([{"registrationNumber": "PT-1", "type": "公共"}], effective_ms=start - 1, dry_run=True)
    assert counts(same) == (0, 0, 1, 0, 0)


async def test_nothing_is_counted_in_the_future(office: Office) -> None:
    with pytest.raises(InvalidField):
        await office.send([lot_row(1)], effective_ms=office.clock.now_ms() + HOUR)


async def test_a_row_that_fails_in_the_database_takes_all_others_with_it(office: Office) -> None:
    async with office.store._engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql(
                "CREATE TRIGGER fails BEFORE INSERT ON facts WHEN NEW.key = 'lot-90'"
                " BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        else:
            await connection.exec_driver_sql(
                "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN IF NEW.key = 'lot-90' THEN RAISE 'no' USING ERRCODE = '23514'; END IF; RETURN NEW; END $$"
            )
            await connection.exec_driver_sql(
                "CREATE TRIGGER fails BEFORE INSERT ON facts FOR EACH ROW EXECUTE FUNCTION fails()"
            )
    before = await office.revision()
    with pytest.raises(sa.exc.IntegrityError):
        await office.send([lot_row(number) for number in range(100)])
    assert await office.revision() == before
    assert await office.all(LOT) == []
    with pytest.raises(NotRegistered):
        await office.surveys.survey(ADMINISTRATOR, "s1", "")


async def test_what_somebody_changes_meanwhile_is_taken_into_account(office: Office) -> None:
    lot, operator = a_lot(1, lot_id="lot-x"), an_operator(1, operator_id="op-1")

    class Meanwhile(Store):
        """Lets somebody change the register between the comparison and the census's own transaction."""

        def writing(self, act: Any) -> Any:
            return _after(office.store, kept(office.store, 7, lot, operator), act)

    surveys = Surveys(Meanwhile(office.store._engine), office.clock, SequentialIds())
    # When it is compared first, the second lot's operator is unknown.
    content = csv_of([lot_row(1), lot_row(2, operatorCreditCode=operator.credit_code)])
    census = Census("s1", SURVEY_SUBJECT_LOTS, SURVEY_FORMAT_CSV, content, "来源", skip_invalid=True)
    survey = await surveys.import_survey(ADMINISTRATOR, census)
    assert counts(survey) == (1, 0, 1, 0, 0)
    assert sorted(each.operator_id for each in await office.all(LOT)) == ["", "op-1"]


class _after:  # noqa: N801 - reads as a word
    def __init__(self, store: Store, change: Any, act: Any) -> None:
        self._change = change
        self._writing = store.writing(act)

    async def __aenter__(self) -> Any:
        await self._change
        return await self._writing.__aenter__()

    async def __aexit__(self, *error: Any) -> Any:
        return await self._writing.__aexit__(*error)


async def test_censuses_wait_for_their_turn_but_not_too_many(office: Office) -> None:
    async def send(number: int) -> Survey:
        return await office.send([lot_row(number)], survey_id=f"s{number}", by=department(f"d{number}"))

    answers = await asyncio.gather(*map(send, range(MOST_WAITING + 5)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, TooManySurveys)]
    assert 0 < len(refused) <= 5
    assert all(answer.retry_after_ms for answer in refused)
    assert len(await office.all(LOT)) == len(answers) - len(refused)
    await send(99)


async def test_nobody_keeps_others_out_by_sending_many_censuses(office: Office) -> None:
    async def send(number: int, by: Caller) -> Survey:
        return await office.send([lot_row(number)], survey_id=f"s{number}", by=by, dry_run=True)

    senders = [POLICE] * (MOST_WAITING + 2) + [ADMINISTRATOR]
    answers = await asyncio.gather(*map(send, range(len(senders)), senders), return_exceptions=True)
    served = [isinstance(answer, Survey) for answer in answers]
    assert served == [True] * (1 + MOST_WAITING_OF_ONE) + [False] * (MOST_WAITING + 1 - MOST_WAITING_OF_ONE) + [True]
    assert isinstance(await send(99, POLICE), Survey)


async def test_who_hangs_up_while_waiting_leaves_no_trace_and_who_is_at_work_is_served(office: Office) -> None:
    working, waiting = (
        asyncio.create_task(office.send([lot_row(number)], survey_id=f"s{number}")) for number in (1, 2)
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in (working, waiting):
        task.cancel()
    await asyncio.gather(working, waiting, return_exceptions=True)
    assert counts(await office.send([lot_row(3)], survey_id="s3", dry_run=True))[3] == 1
    assert [lot.registration_number for lot in await office.all(LOT)] == ["PT-1"]


async def test_two_of_the_same_at_once_are_done_once(office: Office) -> None:
    other = Surveys(office.store, office.clock, SequentialIds())
    census = Census("s1", SURVEY_SUBJECT_LOTS, SURVEY_FORMAT_CSV, csv_of([lot_row(1)]), "来源")
    first, second = await asyncio.gather(
        office.surveys.import_survey(ADMINISTRATOR, census), other.import_survey(ADMINISTRATOR, census)
    )
    assert first == second
    assert len(await office.all(LOT)) == 1


def test_reports_are_bounded_and_tell_what_is_wrong_first() -> None:
    new = [Finding(line, SURVEY_OUTCOME_NEW, f"PT-{line}") for line in range(2, 12_002)]
    violation = SurveyViolation(column="c" * 100, description="d" * 1000)
    invalid = [Finding(line, SURVEY_OUTCOME_INVALID, "", violations=[violation]) for line in range(20_000, 25_000)]
    few = reported(Survey(), LOT, [*new, *invalid[:10]])
    assert (few.rows, few.new_rows, few.invalid_rows, len(few.details)) == (12_010, 12_000, 10, 10_000)
    assert [row.line for row in few.details[9:12]] == [20_009, 2, 3]
    many = reported(Survey(), LOT, [*new, *invalid])
    assert (many.rows, many.invalid_rows) == (17_000, 5_000)
    assert 1_900 * 1024 < many.ByteSize() < 2_100 * 1024


async def test_no_caller_but_those_who_see_a_lot_change_it(office: Office) -> None:
    await add_lots(office, 1)
    stranger = Caller(CallerKind.OPERATOR, "op-9", "c", "a")
    survey = await office.send([lot_row(1, name="改")], by=stranger, dry_run=True)
    assert wrong(survey) == [(2, "registrationNumber", "already_registered")]
    lot: Lot = await office.one(LOT, "lot-01")
    assert lot.name == "莆田停车场 1"
