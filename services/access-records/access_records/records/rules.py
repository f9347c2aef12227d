"""The domain's rules for one record: what refuses it, and what is only unusual about it; bounds are the proto's."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import gate_pb2, lot_pb2
from vocabulary import beijing
from vocabulary import plate as vocabulary
from vocabulary.record import Facts

from access_records.records.plates import PlateReader, SeenPlate

_READ: Final = record_pb2.PLATE_STATE_READ
_UNREAD: Final = record_pb2.PLATE_STATE_UNREAD
_UNLICENSED: Final = record_pb2.PLATE_STATE_UNLICENSED
_MANUAL: Final = record_pb2.RELEASE_METHOD_MANUAL
_ACTIVE: Final = lot_pb2.LOT_STATE_ACTIVE
_BOTH: Final = gate_pb2.LANE_DIRECTION_BOTH
_NO_WARNINGS: Final[tuple[reasons.Warning.ValueType, ...]] = ()


class LotFacts(Protocol):
    """What the rules need to know of a registered lot."""

    @property
    def state(self) -> int:
        """Its LotState."""

    @property
    def gates(self) -> AbstractSet[str]:
        """The numbers of its gates."""

    @property
    def lanes(self) -> Mapping[tuple[str, str], int]:
        """The LaneDirection of each of its lanes, by gate and lane."""

    @property
    def devices(self) -> AbstractSet[str]:
        """The numbers of its devices."""

    @property
    def berths(self) -> AbstractSet[str]:
        """The numbers of its berths."""


class Rejection(NamedTuple):
    """Why a record is refused."""

    reason: reasons.ErrorReason.ValueType
    field: str
    """The JSON name of the field at fault; empty when it is the whole record."""
    message: str
    """What is wrong and what would be right, never a value that was sent."""
    chinese: str
    """The same in Chinese."""


class Approval(NamedTuple):
    """A record that may be stored."""

    plate: SeenPlate | None
    """None when the plate was not read or there is none."""
    warnings: tuple[reasons.Warning.ValueType, ...]
    """Numbers of Warning."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits that may change with a regulation or a deployment."""

    plates: PlateReader
    future_tolerance_ms: int
    """How far a lot's clock may be ahead."""
    earliest_event_ms: int
    """The first instant that can be an event."""

    def judge(self, facts: Facts, images: tuple[str, ...], lot: LotFacts | None, now_ms: int) -> Approval | Rejection:
        """The verdict on one record whose fields keep the proto's rules; `lot` is None when it is unknown or not the
        caller's to report for.
        """
        if lot is None:
            return Rejection(
                reasons.ERROR_REASON_LOT_NOT_FOUND,
                "lotId",
                "there is no such lot, or you may not report for it",
                "停车场不存在，或您未获得该停车场的授权",
            )
        untimely = self.untimely(facts.event_time_ms, now_ms, "eventTime")
        if untimely:
            return untimely
        places = facts.gate_id + facts.lane_id + facts.berth_id + facts.device_id
        # Pure ASCII is left alone: a serial number may match letters and digits of a plate by chance.
        revealed = None if places.isascii() else place_with_plate(facts)
        if revealed:
            return revealed
        if not facts.gate_id or not facts.lane_id or facts.berth_id:
            nowhere = misplaced(facts)
            if nowhere:
                return nowhere
        if facts.release_method == _MANUAL and not facts.release_reason:
            return UNEXPLAINED
        seen = self.plate(facts)
        if isinstance(seen, Rejection):
            return seen
        revealing = _revealing(facts, images, seen) if seen else ""
        if revealing:
            return Rejection(
                reasons.ERROR_REASON_ID_REVEALS_PLATE,
                revealing,
                "the id contains the plate; choose one that does not",
                "标识中包含号牌，请更换不含号牌的标识",
            )
        return Approval(seen, _warnings(facts, lot, seen))

    def untimely(self, at_ms: int, now_ms: int, field: str) -> Rejection | None:
        """What is wrong with an instant that the lot's clock told, stated in the field of that JSON name."""
        ahead = at_ms - now_ms
        if ahead > self.future_tolerance_ms:
            return self._too_early(ahead, field)
        if at_ms < self.earliest_event_ms:
            earliest = beijing.text(self.earliest_event_ms)
            return Rejection(
                reasons.ERROR_REASON_EVENT_TOO_OLD,
                field,
                f"the first possible event time is {earliest}",
                f"最早可接受的事件时间为 {earliest}",
            )
        return None

    def plate(self, facts: Facts) -> SeenPlate | Rejection | None:
        """The plate that the facts state, or what is wrong with it; None when it was not read or there is none."""
        if facts.plate_number and facts.plate_number != UNPLATED:
            if facts.plate_state not in (0, _READ):
                return _contradiction(
                    "plateState",
                    "a record with a plate number has the state PLATE_STATE_READ",
                    "有号牌号码的记录，其识别状态须为 PLATE_STATE_READ",
                )
            if not facts.plate_colour:
                return _contradiction(
                    "plateColour",
                    "a plate that was read states its colour; OTHER if unsure",
                    "已识别的号牌须填写颜色；不确定时填 OTHER",
                )
            seen = self.plates.see(facts.plate_number, facts.plate_colour, facts.plate_kind)
            return seen or Rejection(
                reasons.ERROR_REASON_PLATE_MALFORMED,
                "plateNumber",
                "the number has the form of no plate; send PLATE_STATE_UNREAD without it when it was not read",
                "号码不符合任何号牌种类的格式；未识别时请不填号码并发送 PLATE_STATE_UNREAD",
            )
        if facts.plate_state not in (_UNREAD, _UNLICENSED) and not (facts.plate_number and not facts.plate_state):
            return _contradiction(
                "plateState",
                "a record without a plate number states PLATE_STATE_UNREAD or PLATE_STATE_UNLICENSED",
                "无号牌号码的记录须填写 PLATE_STATE_UNREAD 或 PLATE_STATE_UNLICENSED",
            )
        return None

    def _too_early(self, ahead_ms: int, field: str) -> Rejection:
        difference = f"the event lies {ahead_ms / 1000:.3f} s after the platform's clock"
        in_chinese = f"事件时间比平台时钟超前 {ahead_ms / 1000:.3f} 秒"
        if beijing.looks_like_beijing_marked_utc(ahead_ms, self.future_tolerance_ms + _CLOCK_SLACK_MS):
            return Rejection(
                reasons.ERROR_REASON_BEIJING_TIME_MARKED_UTC,
                field,
                f"{difference}, about eight hours: was Beijing time marked with Z? Write it with +08:00",
                f"{in_chinese}，约八小时：北京时间是否误标为 Z？请使用 +08:00",
            )
        tolerated = f"{self.future_tolerance_ms / 1000:g}"
        return Rejection(
            reasons.ERROR_REASON_EVENT_IN_FUTURE,
            field,
            f"{difference}; {tolerated} s are tolerated",
            f"{in_chinese}；允许误差为 {tolerated} 秒",
        )


_CLOCK_SLACK_MS: Final = 10 * beijing.MINUTE_MS
"""How far from eight hours a record sent as it happened can be, when its time zone is wrong."""


UNPLATED: Final = "无牌车"
"""What many cameras write for a vehicle without a plate; taken as PLATE_STATE_UNLICENSED."""


def _contradiction(field: str, message: str, chinese: str) -> Rejection:
    return Rejection(reasons.ERROR_REASON_FIELDS_CONTRADICT, field, message, chinese)


UNEXPLAINED: Final = _contradiction("releaseReason", "a release by hand states its reason", "人工放行须填写原因")
"""Of a release by hand without a reason."""


def misplaced(facts: Facts) -> Rejection | None:
    """What is wrong with where the facts say that it was: at a gate and lane, or on the street at a berth."""
    if facts.berth_id:
        if facts.gate_id or facts.lane_id:
            return _contradiction(
                "berthId",
                "an event is at a gate and lane or at a berth, not at both",
                "出入口与车道、泊位二者只能填写其一",
            )
        return None
    if not facts.gate_id:
        return _contradiction(
            "gateId",
            "an event states its gate and lane, or on the street its berth",
            "须填写出入口与车道；路内停车填写泊位",
        )
    if not facts.lane_id:
        return _contradiction(
            "laneId", "an event at a gate states its lane (R5.2d)", "填写出入口时须同时填写车道（R5.2d）"
        )
    return None


def place_with_plate(facts: Facts) -> Rejection | None:
    """Of a gate, lane, berth or device whose number contains a plate; None when none does."""
    places = {
        "gateId": facts.gate_id,
        "laneId": facts.lane_id,
        "berthId": facts.berth_id,
        "deviceId": facts.device_id,
    }
    name = next((name for name, place in places.items() if vocabulary.contains_plate(place)), "")
    if not name:
        return None
    return Rejection(
        reasons.ERROR_REASON_ID_REVEALS_PLATE,
        name,
        "the number contains a plate; analysts read it, and must not read plates",
        "编号中包含号牌；编号供分析人员查阅，不得含号牌",
    )


def _revealing(facts: Facts, images: tuple[str, ...], seen: SeenPlate) -> str:
    """The JSON name of the first id that contains the plate; empty when none does."""
    every = "".join((facts.record_id, "\n", facts.visit_id, "\n", *images))
    if seen.tail not in every.upper().replace("-", "").replace("_", ""):
        return ""
    number = facts.plate_number
    reveals = vocabulary.id_reveals_plate
    if reveals(facts.record_id, number):
        return "recordId"
    if facts.visit_id and reveals(facts.visit_id, number):
        return "visitId"
    if images and any(reveals(image, number) for image in images):
        return "imageIds"
    return ""


def _warnings(facts: Facts, lot: LotFacts, seen: SeenPlate | None) -> tuple[reasons.Warning.ValueType, ...]:
    berth_id, device_id = facts.berth_id, facts.device_id
    lane = lot.lanes.get((facts.gate_id, facts.lane_id))
    if (
        (berth_id in lot.berths if berth_id else lane == facts.direction or lane == _BOTH)
        and (not device_id or device_id in lot.devices)
        and lot.state == _ACTIVE
        and (seen is None or seen.consistent)
    ):
        return _NO_WARNINGS
    found: list[reasons.Warning.ValueType] = []
    if berth_id:
        if berth_id not in lot.berths:
            found.append(reasons.WARNING_UNKNOWN_BERTH)
    elif facts.gate_id not in lot.gates:
        found.append(reasons.WARNING_UNKNOWN_GATE)
    elif lane is None:
        found.append(reasons.WARNING_UNKNOWN_LANE)
    elif lane not in (facts.direction, _BOTH):
        found.append(reasons.WARNING_LANE_DIRECTION)
    if device_id and device_id not in lot.devices:
        found.append(reasons.WARNING_UNKNOWN_DEVICE)
    if lot.state != _ACTIVE:
        found.append(reasons.WARNING_LOT_NOT_ACTIVE)
    if seen is not None and not seen.consistent:
        found.append(reasons.WARNING_PLATE_INCONSISTENT)
    return tuple(found)
