"""The registry's facts as plain values."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mesh.caller import CallerKind
from parkmesh.registry.v1 import gate_pb2, lot_pb2, rule_pb2, vendor_pb2

FOREVER: Final = 2**63 - 1
"""The end, in epoch milliseconds, of what has no end."""


class Position(NamedTuple):
    """Where something is: latitude and longitude in degrees, in both systems that services need."""

    wgs84: tuple[float, float]
    """What distances are computed with."""
    gcj02: tuple[float, float]
    """What maps for the public show (测绘法)."""


@dataclass(frozen=True, slots=True)
class LotFacts:
    """A lot. Its gates, lanes, devices and berths are views that follow the registry until its epoch ends: what is
    retired stays in them, two states of a lot share them, and of all these a listener is told of gates alone.
    """

    lot_id: str
    registration_number: str
    name: str
    type: lot_pb2.LotType.ValueType
    division_code: str
    address: str
    operator_id: str
    """Who runs it; empty when the registry does not know."""
    in_scope: bool
    """Whether the regulation applies (R3); true until it is decided."""
    management_area: str
    """The area that manages it, where that is no division; empty when it is one."""
    position: Position | None
    """None when unknown."""
    open_berths: int
    state: lot_pb2.LotState.ValueType
    gates: AbstractSet[str] = field(compare=False)
    """The numbers of the gates."""
    lanes: Mapping[tuple[str, str], gate_pb2.LaneDirection.ValueType] = field(compare=False)
    """Which way each lane leads, by gate number and lane number."""
    devices: AbstractSet[str] = field(compare=False)
    """The numbers of the devices."""
    berths: AbstractSet[str] = field(compare=False)
    """The numbers of the berths."""

    @property
    def active(self) -> bool:
        """Whether the lot is in service: only then do its records enter public figures."""
        return self.state == lot_pb2.LOT_STATE_ACTIVE


@dataclass(frozen=True, slots=True)
class GateFacts:
    """A gate of a lot."""

    lot_id: str
    gate_id: str
    """Its number within the lot."""
    name: str
    state: gate_pb2.ServiceState.ValueType
    lanes: tuple[tuple[str, gate_pb2.LaneDirection.ValueType], ...]
    """The number of each of its lanes, and which way it leads."""


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """Who runs lots."""

    operator_id: str
    name: str


@dataclass(frozen=True, slots=True)
class VendorFacts:
    """Whose software reports for lots."""

    vendor_id: str
    name: str
    requests_per_second: int
    """0: the platform's default."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """A person's account, without the person."""

    account_id: str
    kind: CallerKind
    active: bool
    lots: frozenset[str]
    """For collectors: their lots."""


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """A client id; its secret stays in the registry."""

    client_id: str
    kind: CallerKind
    """What its holder is."""
    subject: str
    """On whose behalf it speaks, as `mesh.caller.Caller.subject` says."""
    account: str
    """The person's account; empty for software."""
    method: vendor_pb2.CredentialMethod.ValueType
    """How it is proved."""
    expire_ms: int
    """From this epoch millisecond on it is no longer good; FOREVER when it has no end."""
    revoked: bool

    def good_at(self, now_ms: int) -> bool:
        """Whether it holds at that time; whether its account does, too, `Directory.good_credential` tells."""
        return not self.revoked and now_ms < self.expire_ms


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A vendor's right to speak for a lot, from start_ms on and before end_ms (FOREVER when it has no end)."""

    vendor_id: str
    lot_id: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """A value that holds from start_ms on and before end_ms (FOREVER when it has no end)."""

    rule_id: str
    name: rule_pb2.RuleName.ValueType
    number: int
    text: str
    start_ms: int
    end_ms: int

    def holds_at(self, now_ms: int) -> bool:
        """Whether it is in force at that time."""
        return self.start_ms <= now_ms < self.end_ms


Fact = OperatorFacts | LotFacts | GateFacts | VendorFacts | AccountFacts | CredentialFacts | GrantFacts | RuleFacts
"""What a directory tells of; devices and berths are part of their lot, and told of with nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a fact was and is: `before` is None when it is new, `after` when the registry's new epoch lacks it."""

    before: Fact | None
    after: Fact | None
