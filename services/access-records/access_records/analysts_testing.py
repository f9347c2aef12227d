"""A small city whose every figure is known, written into a history as the history writer writes it: for tests."""

from datetime import datetime
from typing import Any, Final

from history.client import HistoryClient
from history.writer import BatchWriter
from parkmesh.access.v1 import gate_row_pb2, journal_pb2, lot_row_pb2, operator_row_pb2, record_pb2
from parkmesh.errors.v1 import error_reason_pb2
from parkmesh.registry.v1 import gate_pb2, lot_pb2
from vocabulary import beijing

from access_records import tables
from access_records.writing.record_rows import by_month

ENTRY, EXIT = record_pb2.DIRECTION_ENTRY, record_pb2.DIRECTION_EXIT
EAST, WEST, NEW = "lot-east", "lot-west", "lot-new"
PLATES: Final = ("闽B11111", "闽BD22222", "闽B33333")
"""The plates of the city's vehicles; analysts see none of them."""
AUTHOR: Final = "张三"
"""Who revised; analysts do not see the name."""

_FACTS: Final[dict[str, dict[str, Any]]] = {
    PLATES[0]: {"plate_colour": record_pb2.PLATE_COLOUR_BLUE, "plate_kind": record_pb2.PLATE_KIND_SMALL},
    PLATES[1]: {
        "plate_colour": record_pb2.PLATE_COLOUR_GRADIENT_GREEN,
        "plate_kind": record_pb2.PLATE_KIND_NEW_ENERGY_SMALL,
    },
    PLATES[2]: {
        "plate_colour": record_pb2.PLATE_COLOUR_YELLOW,
        "plate_kind": record_pb2.PLATE_KIND_LARGE,
        "vehicle_class": record_pb2.VEHICLE_CLASS_LARGE,
    },
}


def at(time: str) -> int:
    """A Beijing time such as `2026-02-13 08:10` in epoch milliseconds."""
    return int(datetime.fromisoformat(time).replace(tzinfo=beijing.BEIJING).timestamp() * 1000)


class City:
    """Two lots of one operator and a third that is silent; a workday, a make-up workday, a holiday, a day in March."""

    def __init__(self) -> None:
        self._offset = 0
        self.reports: list[record_pb2.LoggedRecord] = []
        self.current: list[record_pb2.LoggedRecord] = []
        self._live_through_two_months()

    def record(
        self, name: str, lot_id: str, direction: int, time: str, plate: str = "", *, delay_ms: int = 1000, **facts: Any
    ) -> record_pb2.LoggedRecord:
        """A first report that holds."""
        stated: dict[str, Any] = {
            "vehicle_class": record_pb2.VEHICLE_CLASS_SMALL,
            "gate_id": "g1",
            "lane_id": "1",
            "image_ids": ["1", "2"],
            "vendor_id": "vendor-1",
            "plate_state": record_pb2.PLATE_STATE_READ if plate else record_pb2.PLATE_STATE_UNREAD,
            "plate_number": plate,
            "plate_normal": plate,
            "plate_key": plate.encode().ljust(16, b"_")[:16] if plate else b"",
            "plate_masked": f"{plate[:2]}***{plate[-2:]}" if plate else "",
        }
        event_ms = at(time)
        made = record_pb2.LoggedRecord(
            record_id=name,
            lot_id=lot_id,
            direction=direction,  # type: ignore[arg-type]
            event_ms=event_ms,
            accept_ms=event_ms + delay_ms,
            digest=name.encode().ljust(32, b"-"),
            log_offset=self._next(),
            **stated | _FACTS.get(plate, {}) | facts,
        )
        self.reports.append(made)
        self.current.append(made)
        return made

    def revise(self, record: record_pb2.LoggedRecord, kind: int, time: str, number: int = 1, **facts: Any) -> None:
        """A revision; what holds after it is for `put` to say."""
        self.reports.append(
            record_pb2.LoggedRecord(
                record_id=record.record_id,
                lot_id=record.lot_id,
                revision=number,
                revision_kind=kind,  # type: ignore[arg-type]
                author=AUTHOR,
                accept_ms=at(time),
                made_ms=at(time) - 60_000,
                digest=f"{record.record_id}#{kind}".encode().ljust(32, b"-"),
                vendor_id=record.vendor_id,
                log_offset=self._next(),
                **facts,
            )
        )

    def put(self, record: record_pb2.LoggedRecord, **facts: Any) -> None:
        """The current row after the last revision."""
        last = self.reports[-1]
        row = record_pb2.LoggedRecord()
        row.CopyFrom(record)
        revised = record_pb2.LoggedRecord(
            revision=last.revision, revise_ms=last.accept_ms, log_offset=last.log_offset, **facts
        )
        row.MergeFrom(revised)
        self.current.append(row)

    def _next(self) -> int:
        self._offset += 1
        return self._offset

    def _live_through_two_months(self) -> None:
        first, second, third = PLATES
        by_hand: dict[str, Any] = {"release_method": record_pb2.RELEASE_METHOD_MANUAL}
        self.record("e1", EAST, ENTRY, "2026-02-13 08:10", first, visit_id="v1", free_spaces=9)
        self.record("x1", EAST, EXIT, "2026-02-13 08:30", first, visit_id="v1", free_spaces=10)
        self.record("e2", EAST, ENTRY, "2026-02-13 08:40", second, visit_id="v3", free_spaces=8, delay_ms=7000)
        self.record("e3", WEST, ENTRY, "2026-02-13 09:00", first, visit_id="v2", free_spaces=3)
        self.record("x3", WEST, EXIT, "2026-02-13 12:00", first, visit_id="v2", release_reason="设备故障", **by_hand)
        ghost = self.record("x9", WEST, EXIT, "2026-02-13 13:00", third)
        self.revise(ghost, record_pb2.REVISION_KIND_VOID, "2026-02-14 15:00", reason=4, reason_text="无车误触发")
        self.put(ghost, gone=True)
        self.revise(
            ghost, record_pb2.REVISION_KIND_REINSTATEMENT, "2026-02-14 15:05", reason=99, reason_text="另一方 闽B/1A345"
        )
        named: dict[str, Any] = {"release_reason": "闽BD22222 熟人", "image_ids": [], **by_hand}
        self.record("x2", EAST, EXIT, "2026-02-14 09:40", second, visit_id="v3", **named)
        self.record("e4", WEST, ENTRY, "2026-02-14 23:30", vendor_id="vendor-2")
        self.record(
            "e5", EAST, ENTRY, "2026-02-15 00:30", third, visit_id="x-b3_3333-4", resend=True, delay_ms=3_600_000
        )
        wrong = self.record("e6", EAST, ENTRY, "2026-03-02 10:00", first, visit_id="v5")
        corrected = {"vehicle_class": record_pb2.VEHICLE_CLASS_MEDIUM}
        self.revise(
            wrong,
            record_pb2.REVISION_KIND_CORRECTION,
            "2026-03-02 11:00",
            reason=6,
            reason_text="实为B1A345",
            revised_fields=["vehicle_class"],
            **corrected,
        )
        self.put(wrong, **corrected)


def rejections() -> list[journal_pb2.Rejection]:
    """Two malformed plates of one vendor, a contradiction of the other."""
    malformed, contradiction = (
        error_reason_pb2.ERROR_REASON_PLATE_MALFORMED,
        error_reason_pb2.ERROR_REASON_FIELDS_CONTRADICT,
    )
    told = (
        ("bad-1", "vendor-2", malformed, "plateNumber", "2026-02-13 10:00"),
        ("bad-2", "vendor-2", malformed, "plateNumber", "2026-02-13 10:01"),
        ("bad-3", "vendor-1", contradiction, "berthId", "2026-02-14 10:00"),
    )
    return [
        journal_pb2.Rejection(
            lot_id=WEST,
            record_id=record_id,
            digest=record_id.encode().ljust(32, b"-"),
            reason=reason,
            field=field,
            vendor_id=vendor_id,
            event_ms=at(time) - 1000,
            note_ms=at(time),
            log_offset=number,
        )
        for number, (record_id, vendor_id, reason, field, time) in enumerate(told, start=1)
    ]


def register() -> dict[str, list[Any]]:
    """The rows of the registry's facts, by table."""
    lots = [
        lot_row_pb2.LotRow(
            lot_id=lot_id,
            name=name,
            division_name="城厢区",
            open_berths=berths,
            state=lot_pb2.LOT_STATE_ACTIVE,
            operator_id=operator_id,
            in_scope=True,
            version=1,
        )
        for lot_id, name, berths, operator_id in (
            (EAST, "东门停车场", 10, "operator-1"),
            (WEST, "西门停车场", 4, "operator-1"),
            (NEW, "新区停车场", 5, "operator-2"),
        )
    ]
    free = lot_row_pb2.LotRow(
        lot_id="lot-free", name="免费停车场", state=lot_pb2.LOT_STATE_ACTIVE, in_scope=False, version=1
    )
    operators = [
        operator_row_pb2.OperatorRow(operator_id=operator_id, name=name, version=1)
        for operator_id, name in (("operator-1", "甲公司"), ("operator-2", "乙公司"))
    ]
    gates = [
        gate_row_pb2.GateRow(
            lot_id=lot_id,
            gate_id="g1",
            name=name,
            state=gate_pb2.SERVICE_STATE_IN_SERVICE,
            lane_ids=["1"],
            lane_directions=[gate_pb2.LANE_DIRECTION_BOTH],
            version=1,
        )
        for lot_id, name in ((EAST, "文献路一号出入口"), (WEST, "学园路一号出入口"))
    ]
    return {tables.LOTS.name: [*lots, free], tables.OPERATORS.name: operators, tables.GATES.name: gates}


async def settle(client: HistoryClient) -> None:
    """Writes the city into a history whose schema is there, through the writer's account."""
    city, refused = City(), rejections()
    rows: dict[str, dict[int, list[bytes]]] = {
        name: {0: [row.SerializeToString() for row in made]} for name, made in register().items()
    }
    instants = {
        tables.REVISIONS.name: [(row.accept_ms, row.SerializeToString()) for row in city.reports],
        tables.CURRENT.name: [(row.event_ms, row.SerializeToString()) for row in city.current],
        tables.JOURNAL["rejection"].name: [(row.note_ms, row.SerializeToString()) for row in refused],
    }
    rows |= {name: by_month(made) for name, made in instants.items()}
    known = [tables.LOTS, tables.OPERATORS, tables.GATES, tables.REVISIONS, tables.CURRENT, tables.JOURNAL["rejection"]]
    await BatchWriter(client, known).write(rows)
