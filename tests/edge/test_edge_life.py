"""The edge when parts of it die, change or are wrong. Each test has processes of its own."""

import asyncio
import contextlib
import json
import os
import pathlib
import signal
import socket
import ssl
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from mesh.caller import generate_key_pair
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import access_record_service_pb2_grpc as access_rpc
from parkmesh.access.v1 import record_pb2

pytestmark = pytest.mark.slow


def reason_of(answer: Any) -> str:
    return str(answer["details"][0]["reason"])


@contextlib.asynccontextmanager
async def plane_process(folder: pathlib.Path, listen: str, port: int, **changes: str) -> AsyncIterator[Process]:
    """The control plane as production runs it; killed at the end."""
    private, public = generate_key_pair()
    (folder / "trusted").mkdir(exist_ok=True)
    (folder / "edge.key").write_text(private)
    (folder / "trusted" / "edge.pem").write_text(public)
    stated = {
        "EDGE_LISTEN": listen,
        "EDGE_PORT": str(port),
        "EDGE_CERTIFICATES": str(folder / "certificates"),
        "EDGE_UPSTREAMS": ",".join(f"parkmesh.{name}.v1=127.0.0.1:1" for name in ("registry", "access", "guidance")),
        "EDGE_RISK_CONTROL": "127.0.0.1:1",
        "EDGE_CALLER_KEY": str(folder / "edge.key"),
        "EDGE_TRUSTED_CALLERS": str(folder / "trusted"),
    }
    with (folder / "plane.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge.control_plane",
            env={"PATH": os.environ["PATH"]} | stated | changes,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def get(port: int, ca: pathlib.Path) -> tuple[int, Any]:
    """A call; status and JSON."""
    tls = ssl.create_default_context(cafile=str(ca))
    async with aiohttp.ClientSession() as session, session.get(f"https://localhost:{port}/v1/lots", ssl=tls) as answer:
        return answer.status, await answer.json()


async def serial(port: int, ca: pathlib.Path) -> str:
    """The number of the certificate that is in use."""
    tls = ssl.create_default_context(cafile=str(ca))
    _, writer = await asyncio.open_connection("localhost", port, ssl=tls)
    found = str(writer.get_extra_info("peercert")["serialNumber"])
    writer.close()
    await writer.wait_closed()
    return found


async def test_envoy_serves_on_without_the_control_plane_and_takes_a_new_certificate_from_the_next(
    edge_tools: Any, tmp_path: pathlib.Path
) -> None:
    port, listen = edge_tools.free_port(), f"127.0.0.1:{edge_tools.free_port()}"
    ca = tmp_path / "certificates" / "ca.pem"
    async with contextlib.AsyncExitStack() as stack:
        plane = await stack.enter_async_context(plane_process(tmp_path, listen, port))
        await stack.enter_async_context(edge_tools.envoy(tmp_path, listen, port))
        before = await serial(port, ca)
        status, answer = await get(port, ca)
        # risk-control is away: fail closed, in words
        assert (status, answer["code"], reason_of(answer)) == (503, 14, "SERVICE_UNAVAILABLE")
        assert [detail for detail in answer["details"] if "retryDelay" in detail]
        plane.send_signal(signal.SIGKILL)
        await plane.wait()
        assert (await get(port, ca))[0] == 503
        for name in ("server.pem", "server.key"):
            (tmp_path / "certificates" / name).unlink()
        await stack.enter_async_context(plane_process(tmp_path, listen, port))
        async with asyncio.timeout(30):
            while await serial(port, ca) == before:  # noqa: ASYNC110 - what is awaited happens in two processes
                await asyncio.sleep(0.05)


async def test_a_configuration_that_envoy_refuses_is_an_error_in_the_log(
    edge_tools: Any, tmp_path: pathlib.Path
) -> None:
    listen = f"127.0.0.1:{edge_tools.free_port()}"
    with socket.create_server(("127.0.0.1", 0)) as in_the_way:
        taken = in_the_way.getsockname()[1]
        async with (
            plane_process(tmp_path, listen, taken) as plane,
            edge_tools.envoy(tmp_path, listen, taken),
            asyncio.timeout(20),
        ):
            await refused_in(tmp_path / "plane.log")
            assert plane.returncode is None


async def refused_in(log: pathlib.Path) -> None:
    """Returns once the log says that Envoy refused the listener."""
    lines: list[Any] = []
    while not any(line["event"] == "configuration refused" for line in lines):
        await asyncio.sleep(0.05)
        lines = [json.loads(line) for line in (await asyncio.to_thread(log.read_text)).splitlines()]
    (refusal, *_) = [line for line in lines if line["event"] == "configuration refused"]
    assert refusal["level"] == "ERROR"
    assert refusal["type"].endswith("Listener")


@pytest.mark.parametrize(
    "changes",
    [
        {"EDGE_UPSTREAMS": "parkmesh.access.v1=127.0.0.1:1"},
        {"EDGE_UPSTREAMS": "nonsense"},
        {"EDGE_PROT": "1"},
        {"EDGE_PORT": "x"},
    ],
)
async def test_wrong_settings_end_the_control_plane(tmp_path: pathlib.Path, changes: dict[str, str]) -> None:
    async with plane_process(tmp_path, "127.0.0.1:0", 1, **changes) as plane:
        assert await asyncio.wait_for(plane.wait(), 20) in {1, 2}


async def test_a_service_that_is_away_is_503_for_both_kinds_of_caller(edge_tools: Any, tmp_path: pathlib.Path) -> None:
    async with edge_tools.whole_edge(tmp_path, records_away=True) as edge:
        status, answer, headers = await edge.call("GET", "/v1/lots/7/records/r1")
        assert (status, answer["code"], reason_of(answer)) == (503, 14, "SERVICE_UNAVAILABLE")
        assert answer["details"][-1]["requestId"] == headers["x-request-id"]
        assert (await edge.call("GET", "/v1/lots/7"))[0] == 200


async def test_a_call_may_not_last_but_a_stream_may(edge_tools: Any, tmp_path: pathlib.Path) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"records":'
        await asyncio.sleep(3)
        yield b"[]}"

    async def messages() -> AsyncIterator[access.StreamRecordsRequest]:
        for sequence in range(2):
            yield access.StreamRecordsRequest(sequence=sequence, records=[record_pb2.AccessRecord(record_id="r")])
            await asyncio.sleep(2.5)

    async def stream() -> list[int]:
        async with edge.channel() as channel:
            stub = access_rpc.AccessRecordServiceStub(channel)
            return [answer.sequence async for answer in stub.StreamRecords(messages(), metadata=edge.metadata())]

    async with edge_tools.whole_edge(tmp_path, request_duration_seconds=1.0) as edge:
        headers = {"authorization": f"Bearer {edge.token}", "content-type": "application/json"}
        streaming = asyncio.create_task(stream())
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(edge.url + "/v1/records:upload", data=slowly(), ssl=edge.tls) as answer,
        ):
            assert answer.status in {408, 504}
            assert reason_of(await answer.json()) == "DEADLINE_EXCEEDED"
        assert await streaming == [0, 1]
