"""A service as a real process: its lines, its exit codes, and how SIGTERM drains it."""

import asyncio
import json
import os
import pathlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from mesh.caller import Caller, CallerKind
from mesh.channels import open_channel
from mesh.clock import SystemClock
from mesh.testing import signer, throwaway_keys
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import registry_service_pb2_grpc

PROGRAM = """
import asyncio, dataclasses, sys
from mesh.server import Mesh, run
from mesh.settings import BaseSettings
from parkmesh.registry.v1 import lot_pb2
from parkmesh.registry.v1 import registry_service_pb2_grpc as grpc_code

class Servicer(grpc_code.RegistryServiceServicer):
    async def GetLot(self, request, context):
        if request.lot_id == "slow":
            print('{"event": "begun"}', flush=True)
            await asyncio.sleep(1.0)
        if request.lot_id == "stuck":
            print('{"event": "begun"}', flush=True)
            await asyncio.sleep(600)
        return lot_pb2.Lot(lot_id=request.lot_id)
    CreateLot = ListLots = CreateGate = ListGates = GetLot

@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    fail: str = ""

async def fail():
    raise ValueError("canary")

async def bind(settings, mesh):
    mesh.stack.callback(print, '{"event": "unwound"}', flush=True)
    if settings.fail == "bind":
        raise ValueError("canary")
    if settings.fail == "background":
        mesh.background("work", fail)
    if settings.fail == "slow bind":
        print('{"event": "binding"}', flush=True)
        await asyncio.sleep(600)
    mesh.serve(grpc_code.add_RegistryServiceServicer_to_server, Servicer())

run("registry", Settings, bind)
"""

pytestmark = pytest.mark.slow


class Process:
    """One run of the program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, event: str) -> dict[str, Any]:
        """Reads its lines up to the one of this event."""
        assert self.process.stdout
        while line := await asyncio.wait_for(self.process.stdout.readline(), 30):
            self.lines.append(json.loads(line))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"no {event}: {self.lines}")

    async def ended(self) -> int:
        """Its exit code; every line until then was JSON."""
        assert self.process.stdout
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))
        return await asyncio.wait_for(self.process.wait(), 30)

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]


@pytest.fixture
async def start(tmp_path: pathlib.Path) -> AsyncIterator[Callable[..., Any]]:
    private, public = throwaway_keys()
    (tmp_path / "key.pem").write_text(private)
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "risk-control.pem").write_text(public)
    async with AsyncExitStack() as stack:

        async def started(**settings: str) -> Process:
            given = {
                "CALLER_KEY": str(tmp_path / "key.pem"),
                "TRUSTED_CALLERS": str(tmp_path / "trusted"),
                "DRAIN_NOTICE_SECONDS": "0.5",
                **settings,
            }
            environ = {**os.environ, **{f"REGISTRY_{name}": value for name, value in given.items()}}
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", PROGRAM), env=environ, stdout=asyncio.subprocess.PIPE
            )
            stack.push_async_callback(ensure_ended, process)
            return Process(process)

        yield started


async def ensure_ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def channel_to(address: str) -> grpc.aio.Channel:
    vendor = Caller(CallerKind.VENDOR, "vendor-1", "client-1")
    return open_channel(address, signer=signer("risk-control"), clock=SystemClock(), caller=vendor)


async def test_sigterm_says_so_and_lets_running_calls_finish(start: Any) -> None:
    process = await start()
    address = (await process.until("listening"))["address"]
    await process.until("ready")
    async with channel_to(address) as channel, grpc.aio.insecure_channel(address) as plain:
        stub = registry_service_pb2_grpc.RegistryServiceStub(channel)
        health = health_pb2_grpc.HealthStub(plain)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
        slow: Any = asyncio.ensure_future(stub.GetLot(registry.GetLotRequest(lot_id="slow")))
        await process.until("begun")
        process.process.send_signal(signal.SIGTERM)
        await process.until("draining")
        status = (await health.Check(health_pb2.HealthCheckRequest())).status
        assert status == health_pb2.HealthCheckResponse.NOT_SERVING
        late = await stub.GetLot(registry.GetLotRequest(lot_id="late"))
        assert late.lot_id == "late"
        assert (await slow).lot_id == "slow"
    assert await process.ended() == 0
    assert process.events()[-2:] == ["unwound", "stopped"]


async def test_call_that_never_ends_is_cancelled_after_the_drain(start: Any) -> None:
    process = await start(DRAIN_SECONDS="0.2", DRAIN_NOTICE_SECONDS="0")
    address = (await process.until("listening"))["address"]
    async with channel_to(address) as channel:
        stub = registry_service_pb2_grpc.RegistryServiceStub(channel)
        stuck: Any = asyncio.ensure_future(stub.GetLot(registry.GetLotRequest(lot_id="stuck"), timeout=60))
        await process.until("begun")
        process.process.send_signal(signal.SIGINT)
        with pytest.raises(grpc.aio.AioRpcError):
            await stuck
    assert await process.ended() == 0


async def test_failures_exit_with_an_error_and_are_logged_without_text(start: Any) -> None:
    for failing, event, unwound in (("bind", "failed", True), ("background", "background failed", True)):
        process = await start(FAIL=failing)
        assert await process.ended() == 1
        assert process.events().count(event) == 1
        assert ("unwound" in process.events()) is unwound
        assert "canary" not in str(process.lines)


async def test_bad_settings_name_the_variable(start: Any) -> None:
    for settings, problem in (
        ({"LISTN": "x"}, "REGISTRY_LISTN is unknown"),
        ({"CALLER_KEY": "/absent"}, "REGISTRY_CALLER_KEY or REGISTRY_TRUSTED_CALLERS holds no Ed25519 keys"),
    ):
        process = await start(**settings)
        assert await process.ended() == 2
        assert [line["problem"] for line in process.lines] == [problem]


async def test_stop_while_binding(start: Any) -> None:
    process = await start(FAIL="slow bind")
    await process.until("binding")
    process.process.send_signal(signal.SIGTERM)
    assert await process.ended() == 0
    assert process.events()[-2:] == ["unwound", "stopped while starting"]


async def test_trust_follows_the_folder(start: Any, tmp_path: pathlib.Path) -> None:
    process = await start(TRUST_READ_SECONDS="0.1")
    address = (await process.until("listening"))["address"]
    async with channel_to(address) as channel:
        stub = registry_service_pb2_grpc.RegistryServiceStub(channel)
        await stub.GetLot(registry.GetLotRequest(lot_id="lot-1"))
        (tmp_path / "trusted" / "risk-control.pem").unlink()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await until_refused(stub)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    process.process.send_signal(signal.SIGTERM)
    assert await process.ended() == 0


async def until_refused(stub: Any) -> None:
    async with asyncio.timeout(30):
        while True:
            await stub.GetLot(registry.GetLotRequest(lot_id="lot-1"))
