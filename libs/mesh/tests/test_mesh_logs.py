"""Logs: JSON lines with the ids of the call, and nothing of what was sent."""

import asyncio
import io
import json
import logging
from typing import Any

import pytest
from mesh import logs
from mesh.errors import MeshError
from mesh.settings import BaseSettings
from mesh.testing import running
from parkmesh.errors.v1 import error_reason_pb2 as reasons

CANARY = "闽B12345"


@pytest.mark.parametrize("kind", ["One", "Many", "Collect", "Talk"])
async def test_lines_carry_the_ids_of_their_call(kind: str, echo: Any, lines: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        logging.getLogger("room").warning("seen", extra={"lot": "停车场-1"})
        return ""

    trace = "0af7651916cd43dd8448eb211c80319c"
    sent = [("x-request-id", "edge-id-1"), ("traceparent", f"00-{trace}-b7ad6b7169203331-01")]
    async with running(echo.bind(respond), BaseSettings()) as service:
        await echo.call(service.channel(echo.vendor), kind, echo.request(text_value=CANARY), metadata=sent)
        await echo.call(service.channel(echo.vendor), kind, echo.request(text_value=CANARY))
    first, second = lines()
    assert (first["event"], first["level"], first["lot"]) == ("seen", "WARNING", "停车场-1")
    assert (first["trace_id"], first["request_id"]) == (trace, "edge-id-1")
    assert first["span_id"] != "b7ad6b7169203331"
    assert second["trace_id"] not in (trace, "0" * 32)
    assert second["request_id"] != "edge-id-1"
    assert first["time"].endswith("+00:00")


async def test_nothing_sent_is_logged_whatever_happens(echo: Any, lines: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        if request.labels:
            raise MeshError(reasons.ERROR_REASON_LOT_NOT_FOUND, "No such lot.")
        raise LookupError(request.text_value)

    async with running(echo.bind(respond), BaseSettings()) as service:
        channel = service.channel(echo.vendor)
        bad = (
            echo.request(text_value=CANARY),
            echo.request(text_value=CANARY, labels=["x"]),
            echo.request(text_value=CANARY * 9),
            CANARY.encode(),
        )
        for kind in ("One", "Many", "Collect", "Talk"):
            for request in bad:
                await echo.refusal(channel, kind, request)
    found = lines()
    assert len(found) == 4
    assert CANARY not in json.dumps(found, ensure_ascii=False)
    assert all("trace_id" in line and "request_id" in line for line in found)


@pytest.fixture
def configured() -> Any:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.configure("room", "WARNING", stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(False)


def test_configured_process_logs_lines_from_its_level_on(configured: io.StringIO) -> None:
    log = logging.getLogger("room")
    log.info("too quiet")
    log.warning("two\nlines", extra={"value": object})
    log.error("failed", exc_info=OSError(2, CANARY, CANARY))
    first, second = (json.loads(line) for line in configured.getvalue().splitlines())
    assert (first["event"], first["service"]) == ("two\nlines", "room")
    assert second["errors"][0]["errno"] == "ENOENT"
    assert CANARY not in configured.getvalue()


def test_what_nobody_caught_is_logged_without_its_text(configured: io.StringIO) -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(logs.handle_loop_error)

        async def fail() -> None:
            raise ValueError(CANARY)

        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task

    asyncio.run(main())
    (line,) = (json.loads(line) for line in configured.getvalue().splitlines())
    assert line["errors"][0]["type"] == "builtins.ValueError"
    assert CANARY not in configured.getvalue()


def test_cyclic_and_long_chains_end(configured: io.StringIO) -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    logging.getLogger("room").error("failed", exc_info=first)
    (line,) = (json.loads(line) for line in configured.getvalue().splitlines())
    assert len(line["errors"]) <= 10
