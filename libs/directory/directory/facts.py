"""The registry's facts as plain values, held in tables that a look-up per record can afford."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import directory_service_pb2, lot_pb2, vendor_pb2

FOREVER: Final = 2**63 - 1
"""The end, in epoch milliseconds, of what has no end."""


@dataclass(frozen=True, slots=True)
class LotFacts:
    """A lot with its gates and lanes."""

    lot_id: str
    registration_number: str
    name: str
    type: lot_pb2.LotType.ValueType
    division_code: str
    address: str
    position: tuple[float, float, lot_pb2.CoordinateSystem.ValueType] | None
    """Latitude, longitude and the system that they are measured in; None when unknown."""
    open_berths: int
    state: lot_pb2.LotState.ValueType
    gates: frozenset[str]
    """The numbers of the gates."""
    lanes: Mapping[tuple[str, str], lot_pb2.LaneDirection.ValueType]
    """Which way each lane leads, by gate number and lane number."""

    @property
    def active(self) -> bool:
        """Whether the lot is in service: only then do its records enter public figures."""
        return self.state == lot_pb2.LOT_STATE_ACTIVE


@dataclass(frozen=True, slots=True)
class VendorFacts:
    """A vendor, or the administrators of the platform."""

    vendor_id: str
    name: str
    role: vendor_pb2.Role.ValueType
    requests_per_second: int
    """0: the platform's default."""


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """A client id; its secret stays in the registry."""

    client_id: str
    vendor_id: str
    expire_ms: int
    """From this epoch millisecond on it is no longer good; FOREVER when it has no end."""
    revoked: bool

    def good_at(self, now_ms: int) -> bool:
        """Whether a token made from it holds at that time."""
        return not self.revoked and now_ms < self.expire_ms


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A vendor's right to speak for a lot, from start_ms on and before end_ms (FOREVER when it has no end)."""

    vendor_id: str
    lot_id: str
    start_ms: int
    end_ms: int


Fact = LotFacts | VendorFacts | CredentialFacts | GrantFacts
"""What a directory knows about; a gate is part of its lot."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a fact was and is: `before` is None when it is new, `after` when the registry's new epoch lacks it."""

    before: Fact | None
    after: Fact | None


@dataclass(slots=True)
class Facts:
    """All facts of one epoch, by key. Facts may come in any order: a gate is kept until its lot is known."""

    lots: dict[str, LotFacts] = field(default_factory=dict)
    vendors: dict[str, VendorFacts] = field(default_factory=dict)
    credentials: dict[str, CredentialFacts] = field(default_factory=dict)
    grants: dict[str, dict[str, GrantFacts]] = field(default_factory=dict)
    """By vendor, then by lot."""
    _gates: dict[str, dict[str, lot_pb2.Gate]] = field(default_factory=dict)

    def apply(self, change: directory_service_pb2.DirectoryChange) -> Change | None:
        """Takes a change in. None when nothing that can be looked up differs after it."""
        match change.WhichOneof("fact"):
            case "lot":
                return self._put_lot(change.lot)
            case "gate":
                return self._put_gate(change.gate)
            case "vendor":
                vendor = _vendor(change.vendor)
                return _put(self.vendors, vendor.vendor_id, vendor)
            case "credential":
                credential = _credential(change.credential)
                return _put(self.credentials, credential.client_id, credential)
            case "grant":
                grant = _grant(change.grant)
                return _put(self.grants.setdefault(grant.vendor_id, {}), grant.lot_id, grant)
            case _:
                return None  # a kind of fact that a newer registry knows and this service does not need

    def differences(self, before: "Facts") -> list[Change]:
        """What differs from the facts of before."""
        was, now = before._by_key(), self._by_key()
        gone = [Change(fact, None) for key, fact in was.items() if key not in now]
        return gone + [Change(was.get(key), fact) for key, fact in now.items() if was.get(key) != fact]

    def _by_key(self) -> dict[tuple[str, ...], Fact]:
        facts: dict[tuple[str, ...], Fact] = {("vendor", key): vendor for key, vendor in self.vendors.items()}
        facts.update({("credential", key): credential for key, credential in self.credentials.items()})
        facts.update({("lot", key): lot for key, lot in self.lots.items()})
        facts.update({("grant", *key): grant for key, grant in _flat(self.grants)})
        return facts

    def _put_lot(self, lot: lot_pb2.Lot) -> Change | None:
        return _put(self.lots, lot.lot_id, _with_gates(_lot(lot), self._gates.get(lot.lot_id, {})))

    def _put_gate(self, gate: lot_pb2.Gate) -> Change | None:
        gates = self._gates.setdefault(gate.lot_id, {})
        gates[gate.gate_id] = gate
        lot = self.lots.get(gate.lot_id)
        return None if lot is None else _put(self.lots, lot.lot_id, _with_gates(lot, gates))


F = TypeVar("F", LotFacts, VendorFacts, CredentialFacts, GrantFacts)


def _put(table: dict[str, F], key: str, fact: F) -> Change | None:
    before = table.get(key)
    table[key] = fact
    return None if before == fact else Change(before, fact)


def _flat(grants: Mapping[str, Mapping[str, GrantFacts]]) -> Iterator[tuple[tuple[str, str], GrantFacts]]:
    for vendor_id, by_lot in grants.items():
        for lot_id, grant in by_lot.items():
            yield (vendor_id, lot_id), grant


def _lot(lot: lot_pb2.Lot) -> LotFacts:
    at = lot.coordinate
    return LotFacts(
        lot_id=lot.lot_id,
        registration_number=lot.registration_number,
        name=lot.name,
        type=lot.type,
        division_code=lot.division_code,
        address=lot.address,
        position=(at.latitude, at.longitude, at.system) if lot.HasField("coordinate") else None,
        open_berths=lot.open_berths,
        state=lot.state,
        gates=frozenset(),
        lanes={},
    )


def _with_gates(lot: LotFacts, gates: Mapping[str, lot_pb2.Gate]) -> LotFacts:
    lanes = {(gate.gate_id, lane.lane_id): lane.direction for gate in gates.values() for lane in gate.lanes}
    return replace(lot, gates=frozenset(gates), lanes=lanes)


def _vendor(vendor: vendor_pb2.Vendor) -> VendorFacts:
    return VendorFacts(vendor.vendor_id, vendor.name, vendor.role, vendor.requests_per_second)


def _credential(credential: vendor_pb2.Credential) -> CredentialFacts:
    expire_ms = _ms(credential.expire_time) if credential.HasField("expire_time") else FOREVER
    return CredentialFacts(credential.client_id, credential.vendor_id, expire_ms, credential.revoked)


def _grant(grant: vendor_pb2.Grant) -> GrantFacts:
    end_ms = _ms(grant.end_time) if grant.HasField("end_time") else FOREVER
    return GrantFacts(grant.vendor_id, grant.lot_id, _ms(grant.start_time), end_ms)


def _ms(time: Timestamp) -> int:
    return time.seconds * 1000 + time.nanos // 1_000_000
