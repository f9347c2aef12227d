"""Census files for tests: from rows of cells, and from what the register holds."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openpyxl
from parkmesh.registry.v1.berth_pb2 import ALIAS_TYPE_PAINTED, ALIAS_TYPE_VENDOR, AliasType, Berth
from parkmesh.registry.v1.gate_pb2 import Gate
from parkmesh.registry.v1.lot_pb2 import Lot, OpeningPeriod
from parkmesh.registry.v1.operator_pb2 import Operator

from registry.surveys import words
from registry.surveys.words import Words

Row = Mapping[str, str]
"""The cells of a row by their column's English heading."""


def csv_of(rows: Sequence[Row], *, encoding: str = "utf-8", delimiter: str = ",", end: str = "\r\n") -> bytes:
    """A file with a column for each cell that some row has."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows(_table(rows))
    return text.getvalue().encode(encoding)


def xlsx_of(rows: Sequence[Row]) -> bytes:
    """The same as a workbook; texts stay texts."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    for line, row in enumerate(_table(rows), 1):
        for column, text in enumerate(row, 1):
            if text:
                sheet.cell(line, column, text).data_type = "s"  # a text, though it begins with =
    return saved(workbook)


def saved(workbook: openpyxl.Workbook) -> bytes:
    """The workbook as a file."""
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _table(rows: Sequence[Row]) -> list[list[str]]:
    heading = list(dict.fromkeys(name for row in rows for name in row))
    return [heading, *([row.get(name, "") for name in heading] for row in rows)]


def lot_row(lot: Lot, operators: Iterable[Operator] = ()) -> dict[str, str]:
    """The row that says of a lot all that a census can."""
    codes = {operator.operator_id: operator.credit_code for operator in operators}
    return {
        "registrationNumber": lot.registration_number,
        "name": lot.name,
        "type": _word(words.LOT_TYPES, lot.type),
        "divisionCode": lot.division_code,
        "address": lot.address,
        **_place(lot),
        "openBerths": str(lot.open_berths) if lot.open_berths else "",
        "berths": ",".join(
            f"{words.BERTH_CLASSES.word(count.berth_class)}:{count.built}/{count.open}" for count in lot.berths
        ),
        "operatorCreditCode": codes.get(lot.operator_id, ""),
        "inScope": ("是" if lot.in_scope else "否") if lot.HasField("in_scope") else "",
        "structure": _word(words.STRUCTURES, lot.structure),
        "landOwnership": _word(words.OWNERSHIPS, lot.land_ownership),
        "managementArea": lot.management_area,
        "openingHours": ";".join(map(_period, lot.opening_hours)),
        "heightLimitCm": str(lot.height_limit_cm) if lot.height_limit_cm else "",
        "vehicleRestrictions": ",".join(map(words.RESTRICTIONS.word, lot.vehicle_restrictions)),
        "chargingMethod": _word(words.CHARGING_METHODS, lot.charging_method),
        "chargingStandard": lot.charging_standard,
        "servicePhone": lot.service_phone,
        "complaintPhone": lot.complaint_phone,
        "remarks": lot.remarks,
    }


def gate_row(gate: Gate, lot: Lot) -> dict[str, str]:
    """The row that says of a gate all that a census can."""
    return {
        "registrationNumber": lot.registration_number,
        "gateId": gate.gate_id,
        "name": gate.name,
        "lanes": ",".join(f"{lane.lane_id}:{words.DIRECTIONS.word(lane.direction)}" for lane in gate.lanes),
        "address": gate.address,
        **_place(gate),
        "state": _word(words.SERVICE_STATES, gate.state),
    }


def berth_row(berth: Berth, lot: Lot) -> dict[str, str]:
    """The row that says of a berth all that a census can."""
    return {
        "registrationNumber": lot.registration_number,
        "berthId": berth.berth_id,
        "policeCode": berth.police_code,
        "berthClass": _word(words.BERTH_CLASSES, berth.berth_class),
        "paintedNumber": _alias(berth, ALIAS_TYPE_PAINTED),
        "vendorNumber": _alias(berth, ALIAS_TYPE_VENDOR),
        "place": berth.place,
        **_place(berth),
        "state": _word(words.SERVICE_STATES, berth.state),
    }


def _word(known: Words, number: int) -> str:
    return known.word(number) if number else ""


def _place(message: Any) -> dict[str, str]:
    given = message.coordinate
    if not message.HasField("coordinate"):
        return {"latitude": "", "longitude": "", "coordinateSystem": ""}
    return {
        "latitude": repr(given.latitude),
        "longitude": repr(given.longitude),
        "coordinateSystem": words.COORDINATE_SYSTEMS.word(given.system),
    }


def _period(period: OpeningPeriod) -> str:
    days = "、".join(f"周{'一二三四五六日'[day - 1]}" for day in period.weekdays)
    return f"{days} {period.opens}-{period.closes}"


def _alias(berth: Berth, alias_type: AliasType.ValueType) -> str:
    held = [alias.text for alias in berth.aliases if alias.type == alias_type and not alias.HasField("end_time")]
    return held[0] if held else ""
