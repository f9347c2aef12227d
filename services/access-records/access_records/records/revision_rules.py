"""The domain's rules for one revision. None of them depends on what else is known of the record, so that a revision is
judged alike whether it comes before or after its record and other revisions.
"""

from typing import Final

from mesh.validation import violations
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import plate as vocabulary

from access_records.records.plates import SeenPlate
from access_records.records.revisions import CORRECTABLE, GROUPS, Revised, stray
from access_records.records.rules import UNEXPLAINED, Approval, LotFacts, Rejection, Rules, misplaced, place_with_plate

_CORRECTION: Final = record_pb2.REVISION_KIND_CORRECTION
_OTHER: Final = record_pb2.REVISION_REASON_OTHER
_MANUAL: Final = record_pb2.RELEASE_METHOD_MANUAL
_NEVER_EMPTY: Final = {"direction": "direction", "event_time": "eventTime", "vehicle_class": "vehicleClass"}
_NANOS: Final = 1_000_000_000
_PLATE, _PLACE, _RELEASE = GROUPS


def broken_contract(revision: revision_pb2.RecordRevision) -> Rejection | None:
    """The first rule of the proto that the revision breaks."""
    for violation in violations(revision):
        return Rejection(reasons.ERROR_REASON_INVALID_FIELD, violation.field, violation.description, violation.chinese)
    for field, time in (("madeTime", revision.made_time), ("changes.eventTime", revision.changes.event_time)):
        if not 0 <= time.nanos < _NANOS:
            return Rejection(
                reasons.ERROR_REASON_INVALID_FIELD,
                field,
                "the nanos of a timestamp lie between 0 and 999,999,999",
                "时间戳的纳秒须在 0 至 999,999,999 之间",
            )
    return None


def judge(
    rules: Rules, revision: revision_pb2.RecordRevision, revised: Revised, lot: LotFacts | None, now_ms: int
) -> Approval | Rejection:
    """The verdict on one revision that keeps the proto's rules; `lot` is None when it is unknown or its records are not
    the caller's to revise.
    """
    if lot is None:
        return Rejection(
            reasons.ERROR_REASON_LOT_NOT_FOUND,
            "lotId",
            "there is no such lot, or you may not revise its records",
            "停车场不存在，或您无权修订其记录",
        )
    return (
        rules.untimely(revised.made_ms, now_ms, "madeTime")
        or _unexplained(revised)
        or _revealing(revised)
        or _misdirected(revision, revised)
        or _wrong_facts(rules, revised, now_ms)
        or _approved(rules, revised, lot)
    )


def _unexplained(revised: Revised) -> Rejection | None:
    if revised.reason == _OTHER and not revised.reason_text:
        return _wrong("reasonText", "the reason OTHER is stated in words", "原因为“其他”时须填写说明")
    return None


def _revealing(revised: Revised) -> Rejection | None:
    for field, text in (("reasonText", revised.reason_text), ("author", revised.author)):
        if vocabulary.contains_plate(text) or vocabulary.id_reveals_plate(text, revised.facts.plate_number):
            return Rejection(
                reasons.ERROR_REASON_ID_REVEALS_PLATE,
                field,
                "the text contains a plate; analysts read it, and must not read plates",
                "文本中包含号牌；该文本供分析人员查阅，不得含号牌",
            )
    return None


def _misdirected(revision: revision_pb2.RecordRevision, revised: Revised) -> Rejection | None:
    """What is wrong with what the revision names: facts of a void, none of a correction, half a group."""
    fields = set(revised.fields)
    if revised.kind != _CORRECTION:
        if fields:
            return _wrong("changes", "only a correction corrects facts", "仅纠正可修改内容")
        return None
    if not fields:
        return _wrong("changes", "a correction corrects at least one fact", "纠正须至少修改一项内容")
    if fields - set(CORRECTABLE):
        return _wrong(
            "updateMask",
            f"the facts that can be corrected are {', '.join(CORRECTABLE)}",
            f"可纠正的字段为 {'、'.join(CORRECTABLE)}",
        )
    unnamed = stray(revision, revised.fields)
    if unnamed:
        return _wrong(
            "updateMask",
            f"`changes` holds {unnamed}, which the mask does not name",
            f"changes 中填写了 {unnamed}，但 updateMask 未列出",
        )
    for group in GROUPS:
        if group & fields and group - fields:
            names = [name for name in CORRECTABLE if name in group]
            return _wrong("updateMask", f"{', '.join(names)} are corrected together", f"{'、'.join(names)} 须一并纠正")
    facts = revised.facts
    empty = {"direction": not facts.direction, "vehicle_class": not facts.vehicle_class}
    empty["event_time"] = not revision.changes.HasField("event_time")
    for name, shown in _NEVER_EMPTY.items():
        if name in fields and empty[name]:
            return _wrong(f"changes.{shown}", "every record states it: it cannot be cleared", "必填内容，不得清空")
    return None


def _wrong_facts(rules: Rules, revised: Revised, now_ms: int) -> Rejection | None:
    fields, facts = set(revised.fields), revised.facts
    found: SeenPlate | Rejection | None = None
    if "event_time" in fields:
        found = rules.untimely(facts.event_time_ms, now_ms, "eventTime")
    if not found and fields & (_PLACE | {"device_id"}):
        found = place_with_plate(facts)
    if not found and fields & _PLACE:
        found = misplaced(facts)
    if not found and fields & _RELEASE and facts.release_method == _MANUAL and not facts.release_reason:
        found = UNEXPLAINED
    if not found and fields & _PLATE:
        found = rules.plate(facts)
    if not isinstance(found, Rejection):
        seen = found
        if seen and any(vocabulary.id_reveals_plate(one, facts.plate_number) for one in _ids(revised)):
            return Rejection(
                reasons.ERROR_REASON_ID_REVEALS_PLATE,
                "changes.plateNumber",
                "an id of this revision contains the plate",
                "本修订的标识中包含号牌",
            )
        return None
    return found._replace(field=f"changes.{found.field}")


def _ids(revised: Revised) -> tuple[str, ...]:
    return (revised.record_id, revised.facts.visit_id, *revised.evidence_ids)


def _approved(rules: Rules, revised: Revised, lot: LotFacts) -> Approval:
    fields, facts = set(revised.fields), revised.facts
    plate = rules.plate(facts) if fields & _PLATE else None
    assert not isinstance(plate, Rejection)
    warnings: list[reasons.Warning.ValueType] = []
    if fields & _PLACE:
        if facts.berth_id:
            if facts.berth_id not in lot.berths:
                warnings.append(reasons.WARNING_UNKNOWN_BERTH)
        elif facts.gate_id not in lot.gates:
            warnings.append(reasons.WARNING_UNKNOWN_GATE)
        elif (facts.gate_id, facts.lane_id) not in lot.lanes:
            warnings.append(reasons.WARNING_UNKNOWN_LANE)
    if facts.device_id and facts.device_id not in lot.devices:
        warnings.append(reasons.WARNING_UNKNOWN_DEVICE)
    if plate is not None and not plate.consistent:
        warnings.append(reasons.WARNING_PLATE_INCONSISTENT)
    return Approval(plate, tuple(warnings))


def _wrong(field: str, message: str, chinese: str) -> Rejection:
    return Rejection(reasons.ERROR_REASON_INVALID_FIELD, field, message, chinese)
