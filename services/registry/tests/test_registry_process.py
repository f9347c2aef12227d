"""The registry as a process of its own, told by its environment."""

import asyncio
import contextlib
import json
import os
import pathlib
import signal
import sys
from collections.abc import AsyncIterator

import grpc
import pytest
from mesh.testing import throwaway_keys
from parkmesh.registry.v1 import token_service_pb2, token_service_pb2_grpc

pytestmark = pytest.mark.slow

SECRET = "canary-secret-of-the-administrator"


class Process:
    """A registry's process and where it serves."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.address = ""
        self.lines: list[str] = []

    async def listening(self) -> None:
        assert self.process.stdout
        async with asyncio.timeout(60):
            while not self.address:
                line = (await self.process.stdout.readline()).decode()
                assert line, self.lines
                self.lines.append(line)
                self.address = json.loads(line).get("address", "")

    async def ended(self, by: signal.Signals) -> int:
        assert self.process.stdout
        self.process.send_signal(by)
        async with asyncio.timeout(60):
            self.lines += (await self.process.stdout.read()).decode().splitlines()
            return await self.process.wait()


@contextlib.asynccontextmanager
async def registry_in(folder: pathlib.Path, **changed: str) -> AsyncIterator[Process]:
    private, public = throwaway_keys()
    trusted = folder / "trusted"
    trusted.mkdir(exist_ok=True)
    (trusted / "registry.pem").write_text(public)
    (folder / "key.pem").write_text(private)
    (folder / "master.key").write_text("00" * 32)
    told = {
        "DATABASE_URL": f"sqlite:///{folder}/var/registry.db",
        "REGISTRY_TOKEN_KEY": str(folder / "key.pem"),
        "REGISTRY_MASTER_KEY": str(folder / "master.key"),
        "REGISTRY_CALLER_KEY": str(folder / "key.pem"),
        "REGISTRY_TRUSTED_CALLERS": str(trusted),
        "REGISTRY_ADMIN_CLIENT_ID": "admin",
        "REGISTRY_ADMIN_CLIENT_SECRET": SECRET,
        "REGISTRY_DRAIN_NOTICE_SECONDS": "0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "registry",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"]} | told | changed,
        cwd=folder,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def token(address: str) -> str:
    async with grpc.aio.insecure_channel(address) as channel:
        request = token_service_pb2.IssueTokenRequest(client_id="admin", client_secret=SECRET)
        issued = await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request, timeout=30)
        return str(issued.access_token)


async def test_it_starts_serves_and_stops_when_asked_and_also_after_it_was_killed(tmp_path: pathlib.Path) -> None:
    for by, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        async with registry_in(tmp_path) as registry:
            await registry.listening()
            given = await token(registry.address)
            assert await registry.ended(by) == code
            log = "".join(registry.lines)
            assert SECRET not in log
            assert given not in log
            assert all(json.loads(line) for line in registry.lines)


async def test_bad_settings_stop_it_and_are_named(tmp_path: pathlib.Path) -> None:
    async with registry_in(tmp_path, REGISTRY_TOKEN_KEYS="x") as registry:
        assert registry.process.stdout
        said = (await registry.process.stdout.read()).decode()
        assert await registry.process.wait() == 2
        assert "REGISTRY_TOKEN_KEYS" in said
