"""What a reconciliation of one day found and did."""

from dataclasses import dataclass, field

from parkmesh.access.v1 import reconciliation_service_pb2 as books_pb2
from vocabulary.fingerprint import Fingerprint

from parkmesh_sdk.reconciliation.repair import Step


@dataclass(frozen=True)
class Difference:
    """A record in which the books differed."""

    record_id: str
    kind: books_pb2.DifferenceKind.ValueType
    """How, when it was first found."""
    step: Step = Step.NONE
    """What was done about it last."""
    repaired: bool = False
    """Whether the books agree about it now."""
    refused: str = ""
    """Why the platform refused the record or its repair, by the name of an ErrorReason; empty when it did not."""
    field: str = ""
    """The JSON name of the field at fault; of a record that differs those that differ, as far as they are known."""


@dataclass(frozen=True)
class Reconciliation:
    """How the books of a lot stand on one day."""

    lot_id: str
    date: str
    """The Beijing day, YYYY-MM-DD."""
    equal: bool
    """Whether the books agree now, as far as they were compared."""
    complete: bool
    """Whether the whole day was compared. Its end is not before it is settled: reconcile again then."""
    settled_ms: int
    """What happened before this instant is settled; milliseconds since 1970 UTC."""
    vendor: Fingerprint
    """Of the day by the vendor's books, repairs included."""
    differences: tuple[Difference, ...]
    """All that were found, by record id."""
    pending: tuple[str, ...]
    """Records on their way, by id: no differences yet."""
    rounds: int
    """How often the day was compared."""
    calls: int
    """How many round trips all of it took."""
    bytes_sent: int = field(repr=False)
    """How many bytes the requests have in protobuf; JSON takes about half as much again."""
    bytes_received: int = field(repr=False)
    """How many bytes the answers have."""
    report: books_pb2.DayReport | None = field(default=None, repr=False)
    """The signed report, when the day was closed."""

    @property
    def left(self) -> tuple[Difference, ...]:
        """Those that are not repaired."""
        return tuple(difference for difference in self.differences if not difference.repaired)
