"""What holds for every census: what was exported comes back unchanged, and edits are found, exactly these."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from mesh.testing import ManualClock, SequentialIds
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_FORMAT_CSV,
    SURVEY_FORMAT_XLSX,
    SURVEY_OUTCOME_CHANGED,
    SURVEY_SUBJECT_BERTHS,
    SURVEY_SUBJECT_GATES,
    SURVEY_SUBJECT_LOTS,
    Survey,
    SurveyFormat,
    SurveySubject,
)
from registry.storage.kinds import BERTH, GATE, LOT, OPERATOR, Kind
from registry.storage.store import Store
from registry.surveys.columns import SUBJECTS, columns
from registry.surveys.surveys import Census, Surveys
from registry.surveys.testing import berth_row, csv_of, gate_row, lot_row, xlsx_of
from registry.testing import ADMINISTRATOR, an_operator, kept

Cells = Mapping[str, tuple[str, ...]]
"""For each column, texts that it may hold, each of which means something else."""

PLACE: Cells = {
    "latitude": ("25.431028", "25.5", "25.00000000000001"),
    "longitude": ("119.007558", "119.1"),
    "coordinateSystem": ("GCJ-02", "WGS-84", "BD-09", "CGCS2000"),
}
TEXTS = ("文献路1号", '引号"与,逗号', "=1+1", "007", "末行")
LOTS: Cells = {
    "name": ("甲停车场", "乙停车场", "0001"),
    "type": ("公共停车场", "专用停车场", "临时停车场"),
    "divisionCode": ("350302", "350303", "350322"),
    "address": TEXTS,
    **PLACE,
    "berths": ("小型车:120/100,快充:10/10", "小型车:121/100", "大型车:5/0,小型车:3/3"),
    "operatorCreditCode": tuple(an_operator(number).credit_code for number in (1, 2, 3)),
    "inScope": ("是", "否"),
    "structure": ("地面", "地下", "停车楼"),
    "landOwnership": ("自有", "租赁", "其他"),
    "managementArea": ("湄洲岛管委会", "北岸"),
    "openingHours": ("全天", "周一至周五 07:30-22:00;周六、周日 09:00-18:00", "22:00-次日06:00", "周日 10:00-11:00"),
    "heightLimitCm": ("210", "220"),
    "vehicleRestrictions": ("禁止大型车,禁止挂车", "禁止挂车", "禁止挂车,禁止大型车"),
    "chargingMethod": ("按时", "按次", "混合"),
    "chargingStandard": ("首小时5元\n之后2元", "每次10元"),
    "servicePhone": ("0594-2691234", "13800000000", "95598"),
    "complaintPhone": ("12345", "4008001234"),
    "remarks": TEXTS,
}
GATES: Cells = {
    "name": ("文献路一号出入口", "胜利路二号出入口"),
    "lanes": ("1:入,2:出", "2:出,1:入", "1:双向", "A-1:入,B_2:双向"),
    "address": TEXTS,
    **PLACE,
    "state": ("停用", "拆除", "在用"),
}
BERTHS: Cells = {
    "berthClass": ("小型车", "大型车", "快充", "无障碍"),
    "paintedNumber": ("001", "01", "A-1"),
    "vendorNumber": ("x", "y"),
    "place": TEXTS,
    **PLACE,
    "state": ("停用", "在用"),
}
NEEDED = {"name", "type", "divisionCode", "lanes", "berthClass", "state"}
"""Columns that are never empty: a state that is not stated means IN_SERVICE as much as the word does."""


def drawn(draw: random.Random, cells: Cells, **key: str) -> dict[str, str]:
    """A row of any cells; coordinates are whole."""
    placed = draw.random() < 0.7
    row = dict(key)
    for name, texts in cells.items():
        wanted = placed if name in PLACE else name in NEEDED or draw.random() < 0.6
        row[name] = draw.choice(texts) if wanted else ""
    return row


def edits(draw: random.Random, cells: Cells, row: Mapping[str, str]) -> dict[str, str]:
    """Other meanings for some columns of a row, also for some that it leaves empty."""
    names = draw.sample([name for name in cells if row["latitude"] or name not in PLACE], draw.randint(1, 3))
    changed = {name: draw.choice([text for text in cells[name] if text != row[name]]) for name in names}
    return changed | ({"openBerths": ""} if "berths" in changed else {})


class Register:
    """A store with the censuses that fill it, and what it would export."""

    def __init__(self, store: Store, draw: random.Random) -> None:
        self._store = store
        self._draw = draw
        self._clock = ManualClock()
        self._surveys = Surveys(store, self._clock, SequentialIds())
        self._sent = 0

    async def send(self, subject: SurveySubject.ValueType, rows: list[dict[str, str]], **stated: Any) -> Survey:
        self._sent += 1
        self._clock.advance(60_000)
        written: list[tuple[SurveyFormat.ValueType, Callable[[], bytes]]] = [
            (SURVEY_FORMAT_CSV, lambda: csv_of(rows)),
            (SURVEY_FORMAT_CSV, lambda: csv_of(rows, encoding="gb18030", delimiter=";", end="\n")),
            (SURVEY_FORMAT_XLSX, lambda: xlsx_of(rows)),
        ]
        form, content = self._draw.choice(written)
        census = Census(f"s{self._sent}", subject, form, content(), "来源", **stated)
        return await self._surveys.import_survey(ADMINISTRATOR, census)

    async def exported(self, kind: Kind[Any]) -> list[dict[str, str]]:
        async with self._store.reading() as facts:
            lots = {held.message.lot_id: held.message for held in await facts.many(LOT)}
            operators = [held.message for held in await facts.many(OPERATOR)]
            held = [held.message for held in await facts.many(kind)]
        match kind.name:
            case "lot":
                return [lot_row(lot, operators) for lot in held]
            case "gate":
                return [gate_row(gate, lots[gate.lot_id]) for gate in held]
            case _:
                return [berth_row(berth, lots[berth.lot_id]) for berth in held]


def title(row: Mapping[str, str]) -> str:
    """What a report calls the object of a row."""
    return "/".join(row[name] for name in ("registrationNumber", "gateId", "berthId") if name in row)


def fields_of(subject: SurveySubject.ValueType, edited: Mapping[str, str]) -> set[str]:
    """The fields that these cells are about, by the names of JSON."""
    message = SUBJECTS[subject].kind.message.DESCRIPTOR
    fields = {column.name: column.field.partition(".")[0] for column in columns(subject)}
    return {message.fields_by_name[fields[name]].json_name for name, text in edited.items() if text}


@pytest.mark.parametrize("seed", range(3))
async def test_exports_come_back_unchanged_and_edits_are_found(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    await kept(store, 1, *(an_operator(number, operator_id=f"op-{number}") for number in (1, 2, 3)))
    register = Register(store, draw)
    lots = [drawn(draw, LOTS, registrationNumber=f"莆-{number:03}") for number in range(20)]
    numbers = [row["registrationNumber"] for row in lots]
    gates = [drawn(draw, GATES, registrationNumber=lot, gateId=f"{at}") for lot in numbers for at in range(2)]
    berths = [
        drawn(draw, BERTHS, registrationNumber=lot, berthId=f"b{at}", policeCode=f"{lot}:{at}")
        for lot in numbers
        for at in range(3)
    ]
    for subject, kind, cells, rows in (
        (SURVEY_SUBJECT_LOTS, LOT, LOTS, lots),
        (SURVEY_SUBJECT_GATES, GATE, GATES, gates),
        (SURVEY_SUBJECT_BERTHS, BERTH, BERTHS, berths),
    ):
        assert (await register.send(subject, rows)).new_rows == len(rows)
        exported = await register.exported(kind)
        draw.shuffle(exported)
        for again in (rows, exported):
            survey = await register.send(subject, again)
            assert (survey.unchanged_rows, survey.revision, list(survey.details)) == (len(rows), 0, [])

        keys = {title(row): row for row in rows}
        some = draw.sample(sorted(keys), len(keys) // 3)
        changed = {key: edits(draw, cells, keys[key]) for key in some}
        file = [row | changed.get(title(row), {}) for row in exported]
        for survey in (await register.send(subject, file, dry_run=True), await register.send(subject, file)):
            assert {row.outcome for row in survey.details} == {SURVEY_OUTCOME_CHANGED}, survey.details
            found = {row.key: set(row.fields) for row in survey.details}
            assert found == {key: fields_of(subject, edited) for key, edited in changed.items()}
            assert survey.changed_rows + survey.unchanged_rows == len(exported)
        assert (await register.send(subject, file)).unchanged_rows == len(file)
