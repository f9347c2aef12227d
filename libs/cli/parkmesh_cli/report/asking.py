"""Asks the platform for what a report tells, and keeps for every answer how it was asked."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from grpc import StatusCode
from parkmesh.access.v1 import coverage_service_pb2 as coverage
from parkmesh.access.v1 import reconciliation_service_pb2 as books
from parkmesh.access.v1 import statistics_service_pb2 as statistics
from parkmesh.registry.v1 import change_service_pb2 as changes
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh_sdk import Method, PlatformError

from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.moments import text as beijing_text
from parkmesh_cli.report.report import Source

A = TypeVar("A", bound=Message)
Sources = tuple[int, ...]

_STATISTICS: Final = statistics.DESCRIPTOR
FLOWS: Final = Method.of(
    _STATISTICS, "StatisticsService", "GetFlows", statistics.GetFlowsRequest, statistics.GetFlowsResponse
)
PEAKS: Final = Method.of(
    _STATISTICS, "StatisticsService", "GetPeaks", statistics.GetPeaksRequest, statistics.GetPeaksResponse
)
TURNOVER: Final = Method.of(
    _STATISTICS, "StatisticsService", "GetTurnover", statistics.GetTurnoverRequest, statistics.GetTurnoverResponse
)
DURATIONS: Final = Method.of(
    _STATISTICS, "StatisticsService", "GetDurations", statistics.GetDurationsRequest, statistics.GetDurationsResponse
)
DELAYS: Final = Method.of(
    _STATISTICS, "StatisticsService", "GetDelays", statistics.GetDelaysRequest, statistics.GetDelaysResponse
)
QUALITY: Final = Method.of(
    _STATISTICS, "StatisticsService", "GetQuality", statistics.GetQualityRequest, statistics.GetQualityResponse
)
QUERY: Final = Method.of(
    _STATISTICS,
    "StatisticsService",
    "GetStatisticsQuery",
    statistics.GetStatisticsQueryRequest,
    statistics.StatisticsQuery,
)
COVERAGE: Final = Method.of(
    coverage.DESCRIPTOR,
    "CoverageService",
    "ListLotCoverage",
    coverage.ListLotCoverageRequest,
    coverage.ListLotCoverageResponse,
)
BOOKS: Final = Method.of(
    books.DESCRIPTOR, "ReconciliationService", "ListBooks", books.ListBooksRequest, books.ListBooksResponse
)
CHANGES: Final = Method.of(
    changes.DESCRIPTOR, "ChangeService", "ListChanges", changes.ListChangesRequest, changes.ListChangesResponse
)
LOTS: Final = Method.of(
    registry.DESCRIPTOR, "RegistryService", "ListLots", registry.ListLotsRequest, registry.ListLotsResponse
)
OPERATORS: Final = Method.of(
    registry.DESCRIPTOR,
    "RegistryService",
    "ListOperators",
    registry.ListOperatorsRequest,
    registry.ListOperatorsResponse,
)

_NOT_THERE: Final = frozenset({StatusCode.UNIMPLEMENTED, StatusCode.NOT_FOUND, StatusCode.PERMISSION_DENIED})


class Asking:
    """Calls from a desk; a number for every call, under which its figures are told."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sources: list[Source] = []

    def sources(self, numbers: Sequence[int]) -> list[Source]:
        """The sources of these numbers."""
        return [self._sources[number - 1] for number in sorted(set(numbers))]

    async def one(self, method: Method[Any, A], request: Message) -> tuple[A, Sources]:
        """The answer of statistics, and where it comes from."""
        answer: Any = await self._desk.call(method, request)
        source = answer.source
        return answer, self._noted(method, request, source.query_name, beijing_text(source.as_of_time))

    async def every(self, method: Method[Any, Any], request: Any, field: str) -> tuple[list[Any] | None, Sources]:
        """What all pages of a list hold, and where it comes from; None when the platform has no such list for us."""
        noted = self._noted(method, request, "", "")
        try:
            return await self._desk.every(method, request, field), noted
        except PlatformError as error:
            if error.code in _NOT_THERE:
                return None, noted
            raise

    async def sql(self, name: str) -> str:
        """The text of a query."""
        return (await self._desk.call(QUERY, statistics.GetStatisticsQueryRequest(query_name=name))).sql

    def _noted(self, method: Method[Any, Any], request: Message, query_name: str, as_of: str) -> Sources:
        stated = MessageToDict(request)
        asked = urlencode({name: _spelled(value) for name, value in stated.items()}, doseq=True, safe=":")
        call = f"{method.route.verb} {method.route.template}" + (f"?{asked}" if asked else "")
        number = len(self._sources) + 1
        self._sources.append(Source(number, call, query_name, as_of))
        return (number,)


def _spelled(value: Any) -> Any:
    """As it stands in an address."""
    return str(value).lower() if isinstance(value, bool) else value
