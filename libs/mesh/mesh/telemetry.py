"""Traces and metrics of calls. Never the content of a message, never an exception's text."""

import random
import re
import time
from typing import Self

from grpc import StatusCode
from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Meter, NoOpMeterProvider
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, TraceFlags, Tracer
from opentelemetry.trace import StatusCode as SpanStatus
from prometheus_client import start_http_server

from mesh.settings import BaseSettings

_ROOT = Context()
_NOT_SAMPLED = TraceFlags(TraceFlags.DEFAULT)
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})").fullmatch


class Telemetry:
    """One service's tracer and meter. Every call has a trace id, whether or not anything is exported."""

    def __init__(
        self, service: str, trace_ratio: float, processors: list[SpanProcessor], readers: list[MetricReader]
    ) -> None:
        resource = Resource.create({"service.name": service})
        self._exporting = bool(processors)
        self._ratio = trace_ratio if processors else 0.0
        # Whether a call is traced is decided in `begin`: the SDK takes several times as long to decide that it is not.
        self._calls = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
        self._own = TracerProvider(ParentBased(TraceIdRatioBased(self._ratio)), resource, shutdown_on_exit=False)
        for processor in processors:
            self._calls.add_span_processor(processor)
            self._own.add_span_processor(processor)
        self._meters = (
            MeterProvider(readers, resource, AlwaysOffExemplarFilter(), shutdown_on_exit=False) if readers else None
        )
        self.tracer: Tracer = self._own.get_tracer("parkmesh")
        """Makes spans."""
        self.meter: Meter = (self._meters or NoOpMeterProvider()).get_meter("parkmesh")
        """Makes counters, gauges and histograms."""
        self._starter = self._calls.get_tracer("parkmesh")
        self._durations = self.meter.create_histogram("rpc.server.call.duration", "s", "How long calls took.")
        self._closing: list[MetricsServer] = []

    @classmethod
    def from_settings(cls, service: str, settings: BaseSettings) -> Self:
        """As the settings say; OSError when the metrics address is taken."""
        processors: list[SpanProcessor] = []
        readers: list[MetricReader] = []
        if settings.telemetry_endpoint:
            processors.append(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.telemetry_endpoint)))
            readers.append(PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=settings.telemetry_endpoint)))
        if settings.metrics_listen:
            readers.append(PrometheusMetricReader())
        telemetry = cls(service, settings.trace_ratio, processors, readers)
        if settings.metrics_listen:
            telemetry._closing.append(MetricsServer(settings.metrics_listen))
        return telemetry

    def begin(self, method: str, traceparent: str) -> "Observation":
        """Begins to observe a call; its span becomes the task's current one."""
        parent = _parent(traceparent)
        traced = bool(parent.trace_flags & TraceFlags.SAMPLED) if parent else random.random() < self._ratio  # noqa: S311 - no secret
        span: Span
        if traced and self._exporting:
            context = trace.set_span_in_context(NonRecordingSpan(parent), _ROOT) if parent else _ROOT
            span = self._starter.start_span(method, context, SpanKind.SERVER)
        else:
            trace_id = parent.trace_id if parent else random.getrandbits(128) or 1
            flags = parent.trace_flags if parent else _NOT_SAMPLED
            span = NonRecordingSpan(SpanContext(trace_id, random.getrandbits(64) or 1, False, flags))
        attach(trace.set_span_in_context(span))
        return Observation(self, method, span)

    def end(self, observation: "Observation", code: StatusCode, reason: str) -> None:
        """Ends it with the call's status and, when it was refused, the reason."""
        elapsed = time.perf_counter() - observation.began
        attributes = {"rpc.method": observation.method, "rpc.response.status_code": code.name}
        self._durations.record(elapsed, attributes)
        span = observation.span
        if span.is_recording():
            span.set_attributes({"rpc.system.name": "grpc", **attributes})
            if code is not StatusCode.OK:
                span.set_attribute("error.type", reason or code.name)
                span.set_status(Status(SpanStatus.ERROR))
        span.end()

    def close(self) -> None:
        """Sends what has not been sent and stops. Blocks for as long as the exporters' own timeouts."""
        for server in self._closing:
            server.close()
        self._own.shutdown()
        self._calls.shutdown()
        if self._meters:
            self._meters.shutdown()


class Observation:
    """One call under observation."""

    __slots__ = ("_telemetry", "began", "method", "span")

    def __init__(self, telemetry: Telemetry, method: str, span: Span) -> None:
        self._telemetry = telemetry
        self.method = method
        self.span = span
        self.began = time.perf_counter()

    def end(self, code: StatusCode, reason: str = "") -> None:
        """See `Telemetry.end`."""
        self._telemetry.end(self, code, reason)


class MetricsServer:
    """Serves Prometheus metrics over HTTP, in a thread of its own."""

    def __init__(self, listen: str) -> None:
        host, _, port = listen.rpartition(":")
        self._server, self._thread = start_http_server(int(port), host)

    def close(self) -> None:
        """Stops serving and frees the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _parent(traceparent: str) -> SpanContext | None:
    """What the W3C header says; None without one that can be read."""
    found = _TRACEPARENT(traceparent) if traceparent else None
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    parent = SpanContext(trace_id, span_id, True, TraceFlags(flags))
    return parent if parent.is_valid else None


def outgoing_trace() -> str:
    """The traceparent header of the span that is current; empty when there is none."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
