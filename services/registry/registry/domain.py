"""What the registry knows, and the rules that need no storage: frozen values and functions."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class LotType(StrEnum):
    """The type of a lot; the names are those of the proto, here and in every enum below."""

    PUBLIC = "PUBLIC"
    DEDICATED = "DEDICATED"
    TEMPORARY = "TEMPORARY"
    ON_STREET = "ON_STREET"


class LotState(StrEnum):
    """Where a lot stands in its life."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    CLOSED = "CLOSED"


class CoordinateSystem(StrEnum):
    """The system that a position is measured in."""

    GCJ02 = "GCJ02"
    WGS84 = "WGS84"
    BD09 = "BD09"
    CGCS2000 = "CGCS2000"


class LaneDirection(StrEnum):
    """Which way a lane leads."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    BOTH = "BOTH"


class Role(StrEnum):
    """What the holder of a credential is."""

    VENDOR = "VENDOR"
    ADMINISTRATOR = "ADMINISTRATOR"


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A point, in degrees."""

    latitude: float
    longitude: float
    system: CoordinateSystem


@dataclass(frozen=True, slots=True)
class Lot:
    """A parking lot, or the on-street berths of one stretch of road."""

    lot_id: str
    registration_number: str
    name: str
    type: LotType
    division_code: str
    address: str
    coordinate: Coordinate | None
    open_berths: int
    state: LotState
    create_ms: int


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of a gate."""

    lane_id: str
    direction: LaneDirection


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate of a lot with its lanes."""

    lot_id: str
    gate_id: str
    name: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Vendor:
    """A maker or runner of parking software, or the platform's administrators."""

    vendor_id: str
    name: str
    role: Role
    requests_per_second: int
    create_ms: int


@dataclass(frozen=True, slots=True)
class Credential:
    """A client id; good before expire_ms (None: for ever) unless revoked. Its secret is kept apart, as a hash."""

    client_id: str
    vendor_id: str
    create_ms: int
    expire_ms: int | None = None
    revoked: bool = False

    def good_at(self, now_ms: int) -> bool:
        """Whether it may be used at that time."""
        return not self.revoked and (self.expire_ms is None or now_ms < self.expire_ms)

    def ending_by(self, end_ms: int) -> "Credential":
        """The same, good no longer than that."""
        return replace(self, expire_ms=end_ms if self.expire_ms is None else min(self.expire_ms, end_ms))


@dataclass(frozen=True, slots=True)
class Grant:
    """A vendor's right to speak for a lot, from start_ms on and before end_ms (None: for ever)."""

    vendor_id: str
    lot_id: str
    start_ms: int
    end_ms: int | None = None

    def ended_by(self, now_ms: int) -> bool:
        """Whether it is over at that time."""
        return self.end_ms is not None and self.end_ms <= now_ms


Fact = Lot | Gate | Vendor | Credential | Grant
"""What the registry numbers, keeps the history of and tells the watchers."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some facts in their latest form, in the order of their numbers."""

    epoch: str
    revision: int
    """The revision reached when the facts are taken in."""
    snapshot: bool
    """Whether they are the first of all there are, for the revision asked for does not belong to this database."""
    complete: bool
    """Whether nothing is left after them."""
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """A credential with what it takes to make a token from it."""

    credential: Credential
    role: Role
    secret_hash: str


def superseded(credentials: Sequence[Credential], now_ms: int, overlap_ms: int) -> Iterator[Credential]:
    """The credentials that a new one ends, with their new ends; given in the order they were issued.

    The latest live one stays good for the overlap at most, older ones end now.
    """
    live = [credential for credential in credentials if credential.good_at(now_ms)]
    for credential in live[:-1]:
        yield credential.ending_by(now_ms)
    for credential in live[-1:]:
        ending = credential.ending_by(now_ms + overlap_ms)
        if ending != credential:
            yield ending


NO_HASH: Final = "0" * 64
"""Stands in for the hash of an unknown client id, so that the comparison takes place all the same."""


def secret_hash(secret: str) -> str:
    """What is kept of a secret. A plain SHA-256 suffices, for a secret is 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, kept: str) -> bool:
    """Whether the secret is the one kept; takes the same time for every answer."""
    return hmac.compare_digest(secret_hash(secret), kept)
