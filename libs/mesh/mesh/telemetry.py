"""Traces and metrics of calls. Never the content of a message, never an exception's text."""

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
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, Tracer
from opentelemetry.trace import StatusCode as SpanStatus
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import start_http_server

from mesh.settings import BaseSettings

_PROPAGATOR = TraceContextTextMapPropagator()
_ROOT = Context()


class Telemetry:
    """One service's tracer and meter. Every call has a trace id, whether or not anything is exported."""

    def __init__(
        self, service: str, trace_ratio: float, processors: list[SpanProcessor], readers: list[MetricReader]
    ) -> None:
        resource = Resource.create({"service.name": service})
        sampler = ParentBased(TraceIdRatioBased(trace_ratio)) if processors else ALWAYS_OFF
        self._tracers = TracerProvider(sampler, resource, shutdown_on_exit=False)
        for processor in processors:
            self._tracers.add_span_processor(processor)
        self._meters = (
            MeterProvider(readers, resource, AlwaysOffExemplarFilter(), shutdown_on_exit=False) if readers else None
        )
        self.tracer: Tracer = self._tracers.get_tracer("parkmesh")
        """Makes spans."""
        self.meter: Meter = (self._meters or NoOpMeterProvider()).get_meter("parkmesh")
        """Makes counters, gauges and histograms."""
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
        parent = _PROPAGATOR.extract({"traceparent": traceparent}, _ROOT) if traceparent else _ROOT
        span = self.tracer.start_span(method, parent, SpanKind.SERVER)
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
        self._tracers.shutdown()
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


def outgoing_trace() -> str:
    """The traceparent header of the span that is current; empty when there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")
