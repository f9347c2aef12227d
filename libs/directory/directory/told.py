"""Reads the facts out of the registry's messages."""

from typing import Final

from mesh.caller import CallerKind
from mesh.instants import ms_of
from parkmesh.registry.v1 import (
    coordinate_pb2,
    directory_service_pb2,
    gate_pb2,
    lot_pb2,
    operator_pb2,
    role_pb2,
    rule_pb2,
    vendor_pb2,
)

from directory.facts import (
    FOREVER,
    AccountFacts,
    CredentialFacts,
    GateFacts,
    GrantFacts,
    LotFacts,
    OperatorFacts,
    Position,
    RuleFacts,
    VendorFacts,
)
from directory.premises import Premises

_KINDS: Final = {
    number: CallerKind[name.removeprefix("ROLE_")]
    for name, number in role_pb2.Role.items()
    if number != role_pb2.ROLE_UNSPECIFIED
}


def lot(message: lot_pb2.Lot, premises: Premises) -> LotFacts:
    """The lot with what stands in it."""
    return LotFacts(
        lot_id=message.lot_id,
        registration_number=message.registration_number,
        name=message.name,
        type=message.type,
        division_code=message.division_code,
        address=message.address,
        operator_id=message.operator_id,
        in_scope=message.in_scope if message.HasField("in_scope") else True,
        management_area=message.management_area,
        position=_position(message.position) if message.HasField("position") else None,
        open_berths=message.open_berths,
        state=message.state,
        gates=premises.gates.keys(),
        lanes=premises.lanes,
        devices=premises.devices,
        berths=premises.berths,
    )


def gate(message: gate_pb2.Gate) -> GateFacts:
    """The gate."""
    lanes = tuple((lane.lane_id, lane.direction) for lane in message.lanes)
    state = message.state or gate_pb2.SERVICE_STATE_IN_SERVICE
    return GateFacts(message.lot_id, message.gate_id, message.name, state, lanes)


def operator(message: operator_pb2.Operator) -> OperatorFacts:
    """The operator."""
    return OperatorFacts(message.operator_id, message.name)


def vendor(message: vendor_pb2.Vendor) -> VendorFacts:
    """The vendor."""
    return VendorFacts(message.vendor_id, message.name, message.requests_per_second)


def account(message: directory_service_pb2.DirectoryAccount) -> AccountFacts | None:
    """The account; None when its role is one that only a newer registry knows."""
    kind = _KINDS.get(message.role)
    if kind is None:
        return None
    return AccountFacts(message.account_id, kind, message.active, frozenset(message.lot_ids))


def credential(message: vendor_pb2.Credential) -> CredentialFacts | None:
    """The credential; None when its role is one that only a newer registry knows."""
    kind = _KINDS.get(message.role)
    if kind is None:
        return None
    return CredentialFacts(
        client_id=message.client_id,
        kind=kind,
        subject=message.subject_id,
        account=message.account_id,
        method=message.method,
        expire_ms=ms_of(message.expire_time) if message.HasField("expire_time") else FOREVER,
        revoked=message.revoked,
    )


def grant(message: vendor_pb2.Grant) -> GrantFacts:
    """The grant."""
    end_ms = ms_of(message.end_time) if message.HasField("end_time") else FOREVER
    return GrantFacts(message.vendor_id, message.lot_id, ms_of(message.start_time), end_ms)


def rule(message: rule_pb2.Rule) -> RuleFacts:
    """The rule."""
    end_ms = ms_of(message.end_time) if message.HasField("end_time") else FOREVER
    return RuleFacts(message.rule_id, message.name, message.number, message.text, ms_of(message.start_time), end_ms)


def _position(message: coordinate_pb2.Position) -> Position:
    return Position(
        (message.wgs84.latitude, message.wgs84.longitude),
        (message.gcj02.latitude, message.gcj02.longitude),
    )
