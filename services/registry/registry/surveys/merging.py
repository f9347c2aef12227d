"""An object of the register with what a row of a census states of it."""

from typing import Any

from mesh.instants import ms_of, time_of
from parkmesh.registry.v1.berth_pb2 import Berth, BerthAlias
from parkmesh.registry.v1.gate_pb2 import SERVICE_STATE_IN_SERVICE, SERVICE_STATE_UNSPECIFIED, Gate
from parkmesh.registry.v1.lot_pb2 import Lot

from registry.storage import revisions


def merged(current: Any, stated: Any, fields: list[str], effective_ms: int) -> Any:
    """A copy of the current object with these fields of the stated one, as the census means them.

    Another name that a berth has now ends where a new one of its type begins. Where berths by class are stated without
    their sum, the sum is cleared, for the form to put in. A state that was never stated is IN_SERVICE.
    """
    message = revisions.with_fields(current, fields, stated)
    match message:
        case Lot():
            if "open_berths" not in fields and "berths" in revisions.changed_fields(current, message):
                message.open_berths = 0
        case Gate():
            _keep_state(current, message)
        case Berth():
            _keep_state(current, message)
            if "aliases" in fields:
                message.ClearField("aliases")
                message.aliases.extend(current.aliases)
                for alias in stated.aliases:
                    _rename(message, alias, effective_ms)
    return message


def _keep_state(current: Any, message: Any) -> None:
    if (current.state, message.state) == (SERVICE_STATE_UNSPECIFIED, SERVICE_STATE_IN_SERVICE):
        message.state = current.state


def _rename(berth: Berth, alias: BerthAlias, effective_ms: int) -> None:
    held = [other for other in berth.aliases if other.type == alias.type and _holds(other, effective_ms)]
    if any(other.text == alias.text for other in held):
        return
    for other in held:
        other.end_time.CopyFrom(time_of(effective_ms))
    berth.aliases.add(type=alias.type, text=alias.text, start_time=time_of(effective_ms))


def _holds(alias: BerthAlias, at_ms: int) -> bool:
    started = not alias.HasField("start_time") or ms_of(alias.start_time) <= at_ms
    return started and (not alias.HasField("end_time") or ms_of(alias.end_time) > at_ms)
