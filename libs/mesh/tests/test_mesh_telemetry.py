"""Traces and metrics: every call counted, refusals by their reason, nothing of what was sent."""

import asyncio
import socket
import urllib.request
from typing import Any

import pytest
from mesh.errors import MeshError
from mesh.settings import BaseSettings
from mesh.telemetry import Telemetry
from mesh.testing import running
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from parkmesh.errors.v1 import error_reason_pb2 as reasons

CANARY = "闽B12345"
PREFIX = "meshtest.v1.EchoService/"


async def respond(request: Any, context: Any) -> str:
    if request.text_value == "refuse":
        raise MeshError(reasons.ERROR_REASON_LOT_NOT_FOUND, "No such lot.")
    if request.text_value == CANARY:
        raise ValueError(CANARY)
    return ""


async def test_calls_are_traced_and_counted(echo: Any) -> None:
    exporter = InMemorySpanExporter()
    reader = InMemoryMetricReader()
    telemetry = Telemetry("echo", 1.0, [SimpleSpanProcessor(exporter)], [reader])
    async with running(echo.bind(respond), BaseSettings(), telemetry=telemetry) as service:
        channel = service.channel(echo.vendor)
        for kind in ("One", "Many", "Collect", "Talk"):
            await echo.call(channel, kind, echo.request())
            await echo.refusal(channel, kind, echo.request(text_value="refuse"))
            await echo.refusal(channel, kind, echo.request(text_value=CANARY))
        for path in ("/no.such/A", "/no.such/B"):
            await echo.refusal(channel, path, echo.request())
        metrics = reader.get_metrics_data()
    spans = exporter.get_finished_spans()
    told = {(span.name, (span.attributes or {}).get("error.type")) for span in spans}
    expected = {(PREFIX + kind, error) for kind in ("One", "Many", "Collect", "Talk") for error in ERRORS}
    assert told == expected | {("unknown", "UNKNOWN_METHOD")}
    assert len({span.context.trace_id for span in spans if span.context}) == len(spans) == 14
    assert metrics
    (metric,) = metrics.resource_metrics[0].scope_metrics[0].metrics
    counts = {
        (point.attributes["rpc.method"], point.attributes["rpc.response.status_code"]): point.count  # type: ignore[union-attr,index]
        for point in metric.data.data_points
    }
    assert counts[PREFIX + "One", "OK"] == counts[PREFIX + "Talk", "INTERNAL"] == 1
    assert counts["unknown", "UNIMPLEMENTED"] == 2
    everything = "".join(span.to_json() for span in spans) + str(metrics)
    assert CANARY not in everything.encode().decode("unicode_escape", errors="ignore")
    assert "12345" not in everything


ERRORS = (None, "LOT_NOT_FOUND", "INTERNAL")


async def test_caller_decides_what_is_traced(echo: Any) -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry("echo", 0.0, [SimpleSpanProcessor(exporter)], [])
    async with running(echo.bind(respond), BaseSettings(), telemetry=telemetry) as service:
        channel = service.channel(echo.vendor)
        await echo.call(channel, "One", echo.request())
        trace = "0af7651916cd43dd8448eb211c80319c"
        for flag in ("00", "01"):
            sent = [("traceparent", f"00-{trace}-b7ad6b7169203331-{flag}")]
            await echo.call(channel, "One", echo.request(), metadata=sent)
        await echo.call(channel, "One", echo.request(), metadata=[("traceparent", "junk")])
    (span,) = exporter.get_finished_spans()
    assert span.parent
    assert f"{span.parent.trace_id:032x}" == trace


async def test_prometheus_serves_what_was_counted(echo: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    settings = BaseSettings(metrics_listen=listen)
    telemetry = Telemetry.from_settings("echo", settings)
    async with running(echo.bind(respond), settings, telemetry=telemetry) as service:
        await echo.call(service.channel(echo.vendor), "One", echo.request())
        page = await asyncio.to_thread(fetched, f"http://{listen}/metrics")
    assert 'rpc_method="meshtest.v1.EchoService/One"' in page
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(fetched, f"http://{listen}/metrics")


def fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())
