"""Devices: at a gate and a lane of their own lot, with a key that pictures can be checked with."""

from mesh.errors import FieldViolation
from parkmesh.registry.v1.device_pb2 import Device
from vocabulary import refusal

from registry.forms import public_key, reference
from registry.forms.facts import Facts
from registry.forms.reference import ReferenceRule
from registry.forms.violation import broken
from registry.storage.kinds import BERTH, GATE


class DeviceRule(refusal.Rule):
    """What can be wrong with a device's place."""

    LANE_WITHOUT_GATE = (
        "lane.needs_gate",
        "must come with the gate that it belongs to (gateId)",
        "须同时填写所属出入口（gateId）",
    )
    LANE = (
        "lane.of_other_gate",
        "must be the number of a lane that is registered for the gate in gateId",
        "须为 gateId 所指出入口已登记的车道编号",
    )


async def examine(device: Device, facts: Facts, path: str) -> list[FieldViolation]:
    """Changes nothing. The device's lot must have been put in before (A1, A10, A12)."""
    found = await _gate(device, facts, path)
    for at, berth_id in enumerate(device.berth_ids):
        found += await reference.examine(
            facts, BERTH, f"{device.lot_id}/{berth_id}", f"{path}.berthIds[{at}]", ReferenceRule.BERTH
        )
    if device.public_key_pem:
        found += public_key.examine(device.public_key_pem, f"{path}.publicKeyPem")
    return found


async def _gate(device: Device, facts: Facts, path: str) -> list[FieldViolation]:
    if not device.gate_id:
        return [broken(f"{path}.laneId", DeviceRule.LANE_WITHOUT_GATE)] if device.lane_id else []
    gate = await facts.held(GATE, f"{device.lot_id}/{device.gate_id}")
    if gate is None:
        return [broken(f"{path}.gateId", ReferenceRule.GATE)]
    if device.lane_id and device.lane_id not in {lane.lane_id for lane in gate.lanes}:
        return [broken(f"{path}.laneId", DeviceRule.LANE)]
    return []
