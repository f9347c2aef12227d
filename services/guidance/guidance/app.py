"""Composes guidance: the directory, the last reports, the grid, and the search over them."""

import asyncio

from directory import Directory
from history.client import HistoryClient
from mesh.server import Mesh
from parkmesh.guidance.v1.guidance_service_pb2_grpc import add_GuidanceServiceServicer_to_server
from parkmesh.registry.v1 import change_service_pb2

from guidance.answers import Answers
from guidance.grid import Grid
from guidance.reports import Reports
from guidance.search import Search
from guidance.servicer import GuidanceServicer
from guidance.settings import Settings

_HOUR_MS = 3_600_000


async def bind(settings: Settings, mesh: Mesh) -> None:
    """Builds the service in order. It waits for the registry's lots, and for the history never."""
    history = await mesh.stack.enter_async_context(HistoryClient(settings.account()))
    directory = Directory(
        mesh.channel(settings.registry_address),
        mesh.clock,
        kinds=[change_service_pb2.FACT_KIND_LOT],
        max_age_ms=int(settings.directory_max_age_hours * _HOUR_MS),
    )
    reports = Reports(history, settings.poll_seconds)
    search = Search(directory, reports, Grid())
    directory.subscribe(search.changed)
    mesh.background("directory", directory.run)
    mesh.background("reports", reports.run)
    synced = asyncio.Event()
    await mesh.when_ready(synced)

    async def tell_synced() -> None:
        await directory.wait_synced()
        synced.set()

    mesh.background("first sync", tell_synced)
    answers = Answers(settings.stale_after_seconds * 1000)
    mesh.serve(add_GuidanceServiceServicer_to_server, GuidanceServicer(search, answers, mesh.clock))
