"""The server's life: engine up, port open, and on the way down first the port, then the statements, then the engine."""

import asyncio
import logging

from aiohttp import web

from history.server.config import ServerSettings
from history.server.engine import Engine
from history.server.http import Face

_LOG = logging.getLogger("history.server")


class AddressError(RuntimeError):
    """The server cannot listen where it was told to; the text says why."""


async def serve(settings: ServerSettings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set. Raises EngineBusyError or AddressError when the path or the port is taken."""
    with Engine(settings) as engine:
        face = Face(settings, engine)
        runner = face.runner()
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            try:
                await site.start()
            except OSError as error:
                raise AddressError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
            host, port = runner.addresses[0][:2]
            _LOG.info("listening", extra={"host": host, "port": port})
            await stop.wait()
            _LOG.info("stopping")
            await face.stop()
        finally:
            await runner.cleanup()
            await face.close()
        _LOG.info("stopped")
