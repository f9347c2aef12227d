"""A platform for the command, which says what a test tells it to, and the files that a person has who uses it."""

import asyncio
import importlib
import json
import pkgutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import parkmesh_cli.admin
import pytest
from google.protobuf.message import Message
from parkmesh_cli import sessions
from parkmesh_cli.main import app
from parkmesh_cli.report import asking
from parkmesh_sdk import Method, Protocol
from parkmesh_sdk.testing import SECRET, StandIn, made_certificate, serving
from typer.testing import CliRunner


def methods() -> dict[str, Method[Any, Any]]:
    """Every method that a command calls, by its name."""
    modules = [importlib.import_module(f"{parkmesh_cli.admin.__name__}.{each.name}") for each in _modules()]
    found = [
        value for module in (*modules, sessions, asking) for value in vars(module).values() if isinstance(value, Method)
    ]
    return {method.grpc_path.rpartition("/")[2]: method for method in found}


def _modules() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(parkmesh_cli.admin.__path__))


@dataclass
class City:
    """The platform, and a terminal."""

    platform: StandIn
    folder: Path
    methods: dict[str, Method[Any, Any]] = field(default_factory=methods)

    def says(self, name: str, answer: Callable[[Any], Message] | Message) -> None:
        """How a method is answered from now on."""
        self.platform.answers[self.methods[name]] = answer if callable(answer) else lambda _: answer

    async def run(self, *arguments: str, typed: str = "") -> Any:
        """Runs the command, which reads from the keyboard what is typed."""
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, input=typed)

    async def done(self, *arguments: str, typed: str = "") -> str:
        """What the command prints; it must succeed."""
        result = await self.run(*arguments, typed=typed)
        assert result.exit_code == 0, result.output
        said: str = result.stdout
        return said


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The stand-in's certificate and key."""
    return made_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
async def city(certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    """A platform that knows all methods, and answers with nothing; its demo.json is where the command looks."""
    monkeypatch.setenv("PARKMESH_VAR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("PARKMESH_CLIENT_SECRET", raising=False)
    known = methods()
    platform = StandIn(
        answers={method: _nothing(method) for method in known.values()},
        public={known["Login"], known["ActivateAccount"]},
    )
    async with serving(platform, Protocol.GRPC, *certificate):
        account = {"clientSecret": SECRET, "vendorId": "vendor-1"}
        content = {
            "edge": {"url": platform.url, "ca": str(platform.ca)},
            "vendor": {"clientId": "the-vendor", **account},
            "administrator": {"clientId": "the-administrator", **account},
            "securityAdministrator": {"clientId": "the-security", **account},
            "auditAdministrator": {"clientId": "the-audit", **account},
            "clickhouse": {"url": "http://localhost:1", "user": "a", "password": "b", "database": "parkmesh"},
        }
        (tmp_path / "demo.json").write_text(json.dumps(content))
        yield City(platform, tmp_path)


def _nothing(method: Method[Any, Any]) -> Callable[[Any], Message]:
    return lambda _: method.answer()
