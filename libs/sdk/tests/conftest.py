"""The stand-in platform with a certificate of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from parkmesh_sdk import Protocol
from parkmesh_sdk.testing import Bench, StandIn, made_certificate, serving


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The stand-in's certificate and key."""
    return made_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def foreign_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that has nothing to do with the stand-in."""
    return made_certificate(tmp_path_factory.mktemp("foreign"))[0]


@pytest.fixture(params=list(Protocol))
async def bench(request: pytest.FixtureRequest, certificate: tuple[Path, Path]) -> AsyncIterator[Bench]:
    """The stand-in, called by gRPC and again by REST."""
    platform = StandIn()
    async with serving(platform, request.param, *certificate):
        yield Bench(platform, request.param)
