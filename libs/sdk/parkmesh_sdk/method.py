"""A method of the platform, as its proto describes it: for gRPC its path, for REST its verb and address."""

import re
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import reconciliation_service_pb2 as books
from parkmesh.access.v1 import record_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import token_service_pb2 as tokens

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_VARIABLE = re.compile(r"\{(\w+)\}")


class Route(NamedTuple):
    """Where REST finds a method."""

    verb: str
    """GET or POST."""
    template: str
    """The path with its variables: `/v1/lots/{lot_id}/records`."""
    body: str
    """The field that is the request's body: `*` for all that is not in the path, empty for none."""

    @property
    def variables(self) -> frozenset[str]:
        """The fields that stand in the path."""
        return frozenset(_VARIABLE.findall(self.template))

    def path(self, request: Message) -> str:
        """The path for this request, its values escaped."""
        return _VARIABLE.sub(lambda match: quote(str(getattr(request, match[1])), safe=""), self.template)


@dataclass(frozen=True)
class Method(Generic[Q, A]):
    """A method that takes one request and gives one answer, and that may be called again without harm."""

    grpc_path: str
    """`/package.Service/Method`."""
    route: Route
    """Where REST finds it."""
    request: type[Q]
    """The class of its requests."""
    answer: type[A]
    """The class of its answers."""

    @classmethod
    def of(cls, file: FileDescriptor, service: str, name: str, request: type[Q], answer: type[A]) -> "Method[Q, A]":
        """The method of that name; KeyError without one, ValueError with other messages or without a route."""
        found = file.services_by_name[service].methods_by_name[name]
        if (found.input_type, found.output_type) != (request.DESCRIPTOR, answer.DESCRIPTOR):
            raise ValueError(f"{found.full_name} takes and gives other messages")
        rule: Any = found.GetOptions().Extensions[annotations_pb2.http]
        pattern = rule.WhichOneof("pattern")
        if pattern is None:
            raise ValueError(f"{found.full_name} has no address in REST")
        route = Route(pattern.upper(), getattr(rule, pattern), rule.body)
        return cls(f"/{found.containing_service.full_name}/{name}", route, request, answer)


ISSUE_TOKEN = Method.of(
    tokens.DESCRIPTOR, "TokenService", "IssueToken", tokens.IssueTokenRequest, tokens.IssueTokenResponse
)
"""The one method that needs no token."""
UPLOAD_RECORDS = Method.of(
    access.DESCRIPTOR, "AccessRecordService", "UploadRecords", access.UploadRecordsRequest, access.UploadRecordsResponse
)
GET_RECORD = Method.of(
    access.DESCRIPTOR, "AccessRecordService", "GetRecord", access.GetRecordRequest, record_pb2.StoredRecord
)
BATCH_GET_RECORDS = Method.of(
    access.DESCRIPTOR,
    "AccessRecordService",
    "BatchGetRecords",
    access.BatchGetRecordsRequest,
    access.BatchGetRecordsResponse,
)
LIST_RECORDS = Method.of(
    access.DESCRIPTOR, "AccessRecordService", "ListRecords", access.ListRecordsRequest, access.ListRecordsResponse
)
LIST_LOTS = Method.of(
    registry.DESCRIPTOR, "RegistryService", "ListLots", registry.ListLotsRequest, registry.ListLotsResponse
)
LIST_GATES = Method.of(
    registry.DESCRIPTOR, "RegistryService", "ListGates", registry.ListGatesRequest, registry.ListGatesResponse
)
UPLOAD_REVISIONS = Method.of(
    access.DESCRIPTOR,
    "AccessRecordService",
    "UploadRevisions",
    access.UploadRevisionsRequest,
    access.UploadRecordsResponse,
)
COMPARE_DIGESTS = Method.of(
    books.DESCRIPTOR,
    "ReconciliationService",
    "CompareDigests",
    books.CompareDigestsRequest,
    books.CompareDigestsResponse,
)
COMPARE_RECORDS = Method.of(
    books.DESCRIPTOR,
    "ReconciliationService",
    "CompareRecords",
    books.CompareRecordsRequest,
    books.CompareRecordsResponse,
)
CLOSE_DAY = Method.of(books.DESCRIPTOR, "ReconciliationService", "CloseDay", books.CloseDayRequest, books.DayReport)
