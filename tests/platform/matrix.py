"""Requests for every method, straight from the descriptors, and the ids that may stand in them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from mesh import contract
from mesh.caller import CallerKind
from parkmesh.access.v1 import reconciliation_service_pb2, record_pb2, revision_pb2
from parkmesh.annotations.v1 import resource_pb2
from parkmesh.annotations.v1.resource_pb2 import Resource
from parkmesh.registry.v1 import berth_pb2, device_pb2, gate_pb2, lot_pb2, operator_pb2, survey_service_pb2, vendor_pb2
from vocabulary import credit_code

Ids = dict[Resource.ValueType, str]
"""An id of each resource."""

MALFORMED: Final = "no id\n" + "x" * 70
UNKNOWN: Final = "nobody-ever-had-this"
_FREE: Final = (resource_pb2.RESOURCE_FREE, resource_pb2.RESOURCE_UNSPECIFIED)
_count = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A field of a request that names something."""

    method: MethodDescriptor
    path: tuple[str, ...]
    resource: Resource.ValueType

    def __str__(self) -> str:
        return f"{self.method.containing_service.name}.{self.method.name}:{'.'.join(self.path)}"


def places(kind: CallerKind) -> list[Place]:
    """Every field that names something, of every method that this kind of caller may call."""
    return [
        Place(method, path, resource)
        for method in contract.methods()
        if kind in contract.kinds_of(method)
        for path, resource in _walk(method.input_type)
        if resource not in _FREE
    ]


def unnamed_ids() -> list[str]:
    """The id fields of requests that do not say what they name."""
    return [
        f"{method.full_name}:{'.'.join(path)}"
        for method in contract.methods()
        if contract.kinds_of(method) - {CallerKind.SERVICE} or contract.is_public(method)
        for path, resource in _walk(method.input_type)
        if resource == resource_pb2.RESOURCE_UNSPECIFIED
    ]


def request(method: MethodDescriptor, ids: Ids) -> Message:
    """A request that the method carries out for who owns these ids; what must be new is new."""
    made = GetMessageClass(method.input_type)()
    number = next(_count)
    for field in method.input_type.fields:
        if field.message_type is not None and field.message_type.full_name in _SAMPLES:
            sample = _SAMPLES[field.message_type.full_name](ids, number)
            if field.is_repeated:
                getattr(made, field.name).append(sample)
            else:
                getattr(made, field.name).CopyFrom(sample)
        elif (resource := _resource(field)) in _FREE:
            continue
        elif field.is_repeated:
            getattr(made, field.name).append(ids[resource])
        else:
            setattr(made, field.name, ids[resource])
    for name, value in _MORE.get(method.name, lambda _: {})(number).items():
        if isinstance(value, list):
            getattr(made, name).extend(value)
        elif isinstance(value, Message):
            getattr(made, name).CopyFrom(value)
        else:
            setattr(made, name, value)
    if method.name.startswith("Update"):
        _keep_only_a_remark(made)
    return made


def put(message: Any, path: tuple[str, ...], value: str) -> None:
    """Sets the field at the end of the path; of repeated messages, the first one's."""
    *way, last = path
    for name in way:
        message = getattr(message, name)
        if not isinstance(message, Message):
            message = message[0] if message else message.add()
    if message.DESCRIPTOR.fields_by_name[last].is_repeated:
        del getattr(message, last)[:]
        getattr(message, last).append(value)
    else:
        setattr(message, last, value)


def _walk(descriptor: Descriptor, depth: int = 3) -> Iterator[tuple[tuple[str, ...], Resource.ValueType]]:
    for field in descriptor.fields:
        if field.message_type is not None:
            if (depth and field.message_type.full_name in _SAMPLES) or field.message_type.full_name.endswith(".Lane"):
                for path, resource in _walk(field.message_type, depth - 1):
                    yield (field.name, *path), resource
        elif field.name.endswith(("_id", "_ids")) or _resource(field) != resource_pb2.RESOURCE_UNSPECIFIED:
            yield (field.name,), _resource(field)


def _resource(field: FieldDescriptor) -> Resource.ValueType:
    found: Resource.ValueType = field.GetOptions().Extensions[resource_pb2.resource]
    return found


def _keep_only_a_remark(made: Any) -> None:
    # An update without a mask changes what it holds: one harmless field is enough, and any id in it must be the path's.
    harmless = {"lot": "remarks", "operator": "address", "gate": "address", "device": "firmware", "berth": "place"}
    for name, field in harmless.items():
        if name in made.DESCRIPTOR.fields_by_name:
            getattr(made, name).Clear()
            setattr(getattr(made, name), field, f"{next(_count)}")


def _lot(ids: Ids, number: int) -> Message:
    return lot_pb2.Lot(
        registration_number=f"matrix-{number}",
        name="矩阵停车场",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        operator_id=ids[resource_pb2.RESOURCE_OPERATOR],
    )


def _operator(ids: Ids, number: int) -> Message:
    body = f"9135030{number:010d}"
    return operator_pb2.Operator(name=f"矩阵公司{number}", credit_code=body + credit_code.check_character(body))


def _gate(ids: Ids, number: int) -> Message:
    lane = gate_pb2.Lane(lane_id="1", direction=gate_pb2.LANE_DIRECTION_ENTRY)
    return gate_pb2.Gate(gate_id=f"g{number}", name="文献路一号入口", lanes=[lane])


def _device(ids: Ids, number: int) -> Message:
    return device_pb2.Device(
        device_id=f"d{number}",
        type=device_pb2.DEVICE_TYPE_CAMERA,
        gate_id=ids[resource_pb2.RESOURCE_GATE],
        lane_id=ids[resource_pb2.RESOURCE_LANE],
        berth_ids=[ids[resource_pb2.RESOURCE_BERTH]],
    )


def _berth(ids: Ids, number: int) -> Message:
    return berth_pb2.Berth(berth_id=f"b{number}", berth_class=lot_pb2.BERTH_CLASS_SMALL)


def _record(ids: Ids, number: int) -> Message:
    made = record_pb2.AccessRecord(
        record_id=f"m{number}",
        lot_id=ids[resource_pb2.RESOURCE_LOT],
        direction=record_pb2.DIRECTION_ENTRY,
        plate_state=record_pb2.PLATE_STATE_UNREAD,
        vehicle_class=record_pb2.VEHICLE_CLASS_SMALL,
        gate_id=ids[resource_pb2.RESOURCE_GATE],
        lane_id=ids[resource_pb2.RESOURCE_LANE],
    )
    made.event_time.CopyFrom(_now())
    return made


def _changes(ids: Ids, number: int) -> revision_pb2.RecordChanges:
    gate, lane = ids[resource_pb2.RESOURCE_GATE], ids[resource_pb2.RESOURCE_LANE]
    return revision_pb2.RecordChanges(gate_id=gate, lane_id=lane, visit_id=f"m{number}")


def _revision(ids: Ids, number: int) -> Message:
    return revision_pb2.RecordRevision(
        lot_id=ids[resource_pb2.RESOURCE_LOT],
        record_id=f"m{number}",
        revision=1,
        kind=record_pb2.REVISION_KIND_CORRECTION,
        changes=_changes(ids, number),
        reason=record_pb2.REVISION_REASON_TEST,
        author="matrix",
        made_time=_now(),
    )


def _one_revision(number: int) -> dict[str, Any]:
    # Of a record of its own: under one id each number is taken once.
    return {
        "record_id": f"m{number}",
        "revision": 1,
        "reason": record_pb2.REVISION_REASON_TEST,
        "author": "matrix",
        "made_time": _now(),
    }


def _record_digest(ids: Ids, number: int) -> Message:
    return reconciliation_service_pb2.RecordDigest(record_id=f"m{number}", digest=bytes(32))


def _window(_: int) -> dict[str, Any]:
    return {"start_time": Timestamp(seconds=_PAST_S), "end_time": Timestamp(seconds=_PAST_S + 60)}


def _buckets(_: int) -> dict[str, Any]:
    return {
        "start_time": Timestamp(seconds=_PAST_S),
        "step": reconciliation_service_pb2.STEP_HOUR,
        "counts": [0],
        "digest_sums": [bytes(32)],
    }


def _counts(_: int) -> dict[str, Any]:
    entries = reconciliation_service_pb2.DirectionCounts(direction=record_pb2.DIRECTION_ENTRY)
    return {"date": _PAST, "directions": [entries]}


def _day_to_close(_: int) -> dict[str, Any]:
    return {
        "date": _PAST,
        "author": "matrix",
        "vendor": reconciliation_service_pb2.Fingerprint(digest_sum=bytes(32)),
    }


def _now() -> Timestamp:
    now = Timestamp()
    now.GetCurrentTime()
    now.nanos -= now.nanos % 1_000_000
    return now


_PAST: Final = "2020-01-31"
"""A day on which nothing happened."""
_PAST_S: Final = 1_580_400_000
"""Midnight of that day in Beijing."""
_SAMPLES: Final[dict[str, Any]] = {
    lot_pb2.Lot.DESCRIPTOR.full_name: _lot,
    operator_pb2.Operator.DESCRIPTOR.full_name: _operator,
    gate_pb2.Gate.DESCRIPTOR.full_name: _gate,
    device_pb2.Device.DESCRIPTOR.full_name: _device,
    berth_pb2.Berth.DESCRIPTOR.full_name: _berth,
    record_pb2.AccessRecord.DESCRIPTOR.full_name: _record,
    revision_pb2.RecordRevision.DESCRIPTOR.full_name: _revision,
    revision_pb2.RecordChanges.DESCRIPTOR.full_name: _changes,
    reconciliation_service_pb2.RecordDigest.DESCRIPTOR.full_name: _record_digest,
}
_MORE: Final[dict[str, Any]] = {
    "CorrectRecord": _one_revision,
    "CompareCounts": _counts,
    "CompareDigests": _buckets,
    "CompareRecords": _window,
    "CloseDay": _day_to_close,
    "GetReport": lambda _: {"date": _PAST},
    "VoidRecord": _one_revision,
    **{
        method: lambda _: {"start_date": "2100-01-31"}
        for method in ("GetFlows", "GetPeaks", "GetTurnover", "GetDurations", "GetDelays", "GetQuality")
    },
    "RequestExport": lambda _: {"view": 1, "format": 1, "start_date": "2100-01-31", "purpose": "矩阵"},
    "GetStatisticsQuery": lambda _: {"query_name": "flows"},
    "RotateCredential": lambda _: {"overlap_seconds": 3600},
    "RotateDeviceCredential": lambda _: {"overlap_seconds": 3600, "method": vendor_pb2.CREDENTIAL_METHOD_SECRET},
    "ImportSurvey": lambda number: {
        "survey_id": f"survey-{number}",
        "subject": survey_service_pb2.SURVEY_SUBJECT_LOTS,
        "format": survey_service_pb2.SURVEY_FORMAT_CSV,
        "content": "登记编号,名称,类型,行政区划代码\n".encode(),
        "source": "矩阵",
        "dry_run": True,
    },
}
