"""A telemetry collector for a test: takes what the services export and keeps it as it came."""

import contextlib
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_rpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_rpc


class Collector(
    trace_rpc.TraceServiceServicer,
    metrics_rpc.MetricsServiceServicer,
):
    """Both of the collector's services: spans and metrics are told apart by their requests."""

    def __init__(self) -> None:
        self.endpoint = ""
        """Where it listens, for the services' settings."""
        self.taken: list[Message] = []
        """Every request, in the order of arrival."""

    def Export(self, request: Any, context: Any) -> Any:
        self.taken.append(request)
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            return trace_service_pb2.ExportTraceServiceResponse()
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def spans(self) -> set[tuple[str, str]]:
        """Service and trace id of every span."""
        return {
            (attribute.value.string_value, span.trace_id.hex())
            for request in list(self.taken)
            if isinstance(request, trace_service_pb2.ExportTraceServiceRequest)
            for resource in request.resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
            for scope in resource.scope_spans
            for span in scope.spans
        }

    def metrics(self) -> set[str]:
        """The services that have sent metrics."""
        return {
            attribute.value.string_value
            for request in list(self.taken)
            if isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest)
            for resource in request.resource_metrics
            for attribute in resource.resource.attributes
            if attribute.key == "service.name"
        }


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port, for the length of the block."""
    collector = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    trace_rpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    metrics_rpc.add_MetricsServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()
