"""The kinds of facts that the register holds: the message of each, its key, and what must be unique about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from google.protobuf.message import Message
from parkmesh.registry.v1.account_pb2 import Account
from parkmesh.registry.v1.berth_pb2 import Berth
from parkmesh.registry.v1.change_service_pb2 import (
    FACT_KIND_ACCOUNT,
    FACT_KIND_BERTH,
    FACT_KIND_CREDENTIAL,
    FACT_KIND_DEVICE,
    FACT_KIND_GATE,
    FACT_KIND_GRANT,
    FACT_KIND_LOT,
    FACT_KIND_OPERATOR,
    FACT_KIND_RULE,
    FACT_KIND_VENDOR,
    FactKind,
)
from parkmesh.registry.v1.device_pb2 import Device
from parkmesh.registry.v1.gate_pb2 import Gate
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.operator_pb2 import Operator
from parkmesh.registry.v1.rule_pb2 import Rule
from parkmesh.registry.v1.vendor_pb2 import Credential, Grant, Vendor

M = TypeVar("M", bound=Message)

SET_BY_STORE: Final = ("etag", "create_time", "update_time")
"""Fields of an object that follow from its row: never kept within it, never compared."""


@dataclass(frozen=True)
class Kind(Generic[M]):
    """One kind of fact. The proto's message is the model: what it says of a field is said nowhere else."""

    name: str
    """As the field of RegisteredObject and of DirectoryChange names it."""
    number: FactKind.ValueType
    message: type[M]
    path: str
    """The object's public name, with a place for each part of the key."""
    ids: tuple[str, ...]
    """The fields that make up the key."""
    owner: Callable[[M], str] = lambda _: ""
    """By whom objects of this kind are listed besides their lot; empty for nobody."""
    unique: tuple[str, ...] = ()
    """Fields whose value no other object of the kind has; an empty value may repeat."""
    static: bool = False
    """Whether the law gives a time for reporting its changes (R5.1, R6.2)."""

    def key(self, message: M) -> str:
        """What identifies the object for ever; of what belongs to a lot it begins with the lot's id."""
        return "/".join(getattr(message, field) for field in self.ids)

    def lot_id(self, message: M) -> str:
        """The lot concerned; empty for what belongs to none."""
        return getattr(message, "lot_id", "")

    @property
    def key_field(self) -> str:
        """The last part of the key, as JSON names it."""
        return str(self.message.DESCRIPTOR.fields_by_name[self.ids[-1]].json_name)

    def names(self, message: M) -> Iterator[tuple[str, str]]:
        """The unique fields that have a value, with it."""
        for field in self.unique:
            if value := getattr(message, field):
                yield field, value

    def title(self, key: str) -> str:
        """The object's public name, as AIP-122 has it: `lots/{lot}/gates/{gate}`."""
        return self.path.format(*key.split("/"))


OPERATOR: Final = Kind(
    "operator",
    FACT_KIND_OPERATOR,
    Operator,
    path="operators/{}",
    ids=("operator_id",),
    unique=("credit_code",),
    static=True,
)
LOT: Final = Kind(
    "lot",
    FACT_KIND_LOT,
    Lot,
    path="lots/{}",
    ids=("lot_id",),
    owner=lambda lot: lot.operator_id,
    unique=("registration_number",),
    static=True,
)
GATE: Final = Kind(
    "gate",
    FACT_KIND_GATE,
    Gate,
    path="lots/{}/gates/{}",
    ids=("lot_id", "gate_id"),
    static=True,
)
DEVICE: Final = Kind(
    "device",
    FACT_KIND_DEVICE,
    Device,
    path="lots/{}/devices/{}",
    ids=("lot_id", "device_id"),
    static=True,
)
BERTH: Final = Kind(
    "berth",
    FACT_KIND_BERTH,
    Berth,
    path="lots/{}/berths/{}",
    ids=("lot_id", "berth_id"),
    unique=("police_code",),
    static=True,
)
VENDOR: Final = Kind(
    "vendor",
    FACT_KIND_VENDOR,
    Vendor,
    path="vendors/{}",
    ids=("vendor_id",),
    unique=("name",),
)
CREDENTIAL: Final = Kind(
    "credential",
    FACT_KIND_CREDENTIAL,
    Credential,
    path="credentials/{}",
    ids=("client_id",),
    owner=lambda credential: credential.account_id or f"{credential.subject_id}/{credential.device_id}".rstrip("/"),
)
GRANT: Final = Kind(
    "grant",
    FACT_KIND_GRANT,
    Grant,
    path="vendors/{}/grants/{}",
    ids=("vendor_id", "lot_id"),
    owner=lambda grant: grant.vendor_id,
)
ACCOUNT: Final = Kind(
    "account",
    FACT_KIND_ACCOUNT,
    Account,
    path="accounts/{}",
    ids=("account_id",),
    owner=lambda account: account.person_number,
    unique=("login",),
)
RULE: Final = Kind("rule", FACT_KIND_RULE, Rule, path="rules/{}", ids=("rule_id",))

KINDS: Final[tuple[Kind[Any], ...]] = (
    OPERATOR,
    LOT,
    GATE,
    DEVICE,
    BERTH,
    VENDOR,
    CREDENTIAL,
    GRANT,
    ACCOUNT,
    RULE,
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
BY_NUMBER: Final = {kind.number: kind for kind in KINDS}
BY_MESSAGE: Final[dict[type[Message], Kind[Any]]] = {kind.message: kind for kind in KINDS}
