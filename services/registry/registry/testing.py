"""Objects as callers file them, and callers, for tests of the register."""

from typing import Any

from mesh.caller import Caller, CallerKind
from mesh.instants import time_of
from parkmesh.registry.v1.berth_pb2 import Berth
from parkmesh.registry.v1.device_pb2 import DEVICE_TYPE_CAMERA, Device
from parkmesh.registry.v1.gate_pb2 import LANE_DIRECTION_ENTRY, Gate, Lane
from parkmesh.registry.v1.lot_pb2 import BERTH_CLASS_SMALL, LOT_TYPE_PUBLIC, Lot
from parkmesh.registry.v1.operator_pb2 import Operator
from parkmesh.registry.v1.rule_pb2 import RULE_NAME_STATIC_CHANGE_REPORT_HOURS, Rule
from parkmesh.registry.v1.vendor_pb2 import Grant, Vendor
from vocabulary import credit_code

from registry.storage.acts import Act
from registry.storage.kinds import BY_MESSAGE
from registry.storage.store import Store

ADMINISTRATOR = Caller(CallerKind.ADMINISTRATOR, "platform", "admin", "account-1")


def vendor_caller(number: int) -> Caller:
    """The software of a vendor."""
    return Caller(CallerKind.VENDOR, f"vendor-{number}", f"client-{number}")


def operator_caller(operator_id: str) -> Caller:
    """A person of an operator."""
    return Caller(CallerKind.OPERATOR, operator_id, "session-1", "account-2")


def department(name: str) -> Caller:
    """A person of a supervising department."""
    return Caller(CallerKind.SUPERVISOR, name, "session-2", f"account-{name}")


def an_operator(number: int = 1, **stated: Any) -> Operator:
    """An operator with a lawful credit code of its own."""
    body = f"91350302{number:09}"
    code = body + credit_code.check_character(body)
    usual: dict[str, Any] = {"name": f"经营者 {number}", "credit_code": code}
    return Operator(**(usual | stated))


def a_lot(number: int = 1, **stated: Any) -> Lot:
    """A public lot in Chengxiang."""
    usual: dict[str, Any] = {
        "registration_number": f"PT-{number}",
        "name": f"莆田停车场 {number}",
        "type": LOT_TYPE_PUBLIC,
        "division_code": "350302",
        "open_berths": 120,
    }
    return Lot(**(usual | stated))


def a_gate(gate_id: str = "g1", **stated: Any) -> Gate:
    """A gate with one lane in."""
    lanes = [Lane(lane_id="1", direction=LANE_DIRECTION_ENTRY)]
    usual: dict[str, Any] = {"gate_id": gate_id, "name": "胜利路一号入口", "lanes": lanes}
    return Gate(**(usual | stated))


def a_device(device_id: str = "d1", **stated: Any) -> Device:
    """A camera."""
    usual: dict[str, Any] = {"device_id": device_id, "type": DEVICE_TYPE_CAMERA}
    return Device(**(usual | stated))


def a_berth(berth_id: str = "b1", **stated: Any) -> Berth:
    """A berth for small cars."""
    usual: dict[str, Any] = {"berth_id": berth_id, "berth_class": BERTH_CLASS_SMALL}
    return Berth(**(usual | stated))


def a_report_rule(hours: int, start_ms: int, end_ms: int | None = None, rule_id: str = "") -> Rule:
    """So many hours for reporting changes, for a time."""
    return Rule(
        rule_id=rule_id,
        name=RULE_NAME_STATIC_CHANGE_REPORT_HOURS,
        number=hours,
        basis="莆公规〔2024〕1号 第六条",
        start_time=time_of(start_ms),
        end_time=None if end_ms is None else time_of(end_ms),
    )


async def kept(
    store: Store, at_ms: int, *facts: Any, by: Caller = ADMINISTRATOR, effective_ms: int | None = None
) -> None:
    """Puts these facts into the store in one act, whatever the domain says of them."""
    async with store.writing(Act.of(by, at_ms, effective_ms=effective_ms)) as writer:
        for message in {type(fact) for fact in facts}:
            kind = BY_MESSAGE[message]
            await writer.prefetch(kind, [kind.key(fact) for fact in facts if isinstance(fact, message)])
        for fact in facts:
            await writer.set(fact)


async def a_vendor_with_grants(store: Store, number: int, now_ms: int, *lot_ids: str) -> Caller:
    """A vendor that may speak for these lots from now on."""
    caller = vendor_caller(number)
    start = time_of(now_ms)
    grants = [Grant(vendor_id=caller.subject, lot_id=lot_id, start_time=start) for lot_id in lot_ids]
    await kept(store, now_ms, Vendor(vendor_id=caller.subject, name=f"厂商 {number}"), *grants)
    return caller
