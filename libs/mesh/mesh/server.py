"""The one process every service runs in: from the environment to a server that drains and ends."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

import uvloop

from mesh import logs
from mesh.caller import Signer, Verifier, trusted_in
from mesh.clock import RandomIds, SystemClock
from mesh.hosting import Bind, Hosted, Mesh, S, hosted
from mesh.settings import BaseSettings, SettingsError
from mesh.telemetry import Telemetry

__all__ = ["Bind", "Mesh", "run"]

_BAD_SETTINGS = 2
_NEW_OBJECTS_PER_COLLECTION = 50_000
_FAILED = 1
_log = logging.getLogger(__name__)


def run(name: str, settings_class: type[S], bind: Bind[S]) -> None:
    """Runs a service until SIGTERM or SIGINT: the one line of its __main__.

    Exits with 0 after a stop that was asked for, 1 when something failed, 2 when the environment does not make
    settings.
    """
    logs.configure(name, "INFO", sys.stdout)
    try:
        settings = settings_class.from_env(name.upper().replace("-", "_"), os.environ)
        logs.configure(name, settings.log_level, sys.stdout)
        signer, verifier = _keys(name, settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(_process(name, settings, bind, signer, verifier))
    except SettingsError as error:
        _log.error("bad settings", extra={"problem": str(error)})
        code = _BAD_SETTINGS
    except Exception as error:
        _log.error("failed", exc_info=error)
        code = _FAILED
    if code:
        sys.exit(code)


async def _process(name: str, settings: S, bind: Bind[S], signer: Signer, verifier: Verifier) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.handle_loop_error)
    stop = _Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.ask)
    telemetry = Telemetry.from_settings(name, settings)
    try:
        serving = hosted(
            name,
            settings,
            bind,
            clock=SystemClock(),
            ids=RandomIds(),
            telemetry=telemetry,
            signer=signer,
            verifier=verifier,
        )
        async with serving as service:
            mesh = service.mesh
            stop.starting = None
            if settings.trusted_callers:
                mesh.background("trusted callers", lambda: _keep_trust(verifier, settings))
            _log.info("listening", extra={"address": service.address})
            ready = asyncio.create_task(_say_ready(service))
            await _first(stop.asked, mesh.failed)
            ready.cancel()
            _log.info("draining")
            mesh.draining.set()
            await service.say_not_serving()
            if not mesh.failed.is_set():
                await asyncio.sleep(settings.drain_notice_seconds)
    except asyncio.CancelledError:
        if not stop.asked.is_set():
            raise
        _log.info("stopped while starting")
        return 0
    finally:
        await asyncio.to_thread(telemetry.close)
    _log.info("stopped")
    return _FAILED if mesh.failed.is_set() else 0


class _Stop:
    """The wish that this process ends."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.starting = asyncio.current_task()
        """The task to cancel when there is nothing to drain yet."""

    def ask(self) -> None:
        """Asks, for a signal handler."""
        self.asked.set()
        if self.starting:
            self.starting.cancel()


async def _say_ready(service: Hosted) -> None:
    await service.become_ready()
    _spare_the_collector()
    _log.info("ready")


def _spare_the_collector() -> None:
    """Lets the garbage collector look less often, and never again at what the start has made.

    A batch makes tens of thousands of short-lived tuples, none of them in a cycle: at the default of every 700 the
    collector costs a third of an upload's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_PER_COLLECTION, 20, 20)


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _keys(name: str, settings: BaseSettings) -> tuple[Signer, Verifier]:
    prefix = name.upper().replace("-", "_")
    if settings.caller_key is None or settings.trusted_callers is None:
        raise SettingsError(f"{prefix}_CALLER_KEY and {prefix}_TRUSTED_CALLERS are required")
    try:
        return Signer(name, settings.caller_key.read_text()), Verifier(trusted_in(settings.trusted_callers))
    except (OSError, ValueError):
        raise SettingsError(f"{prefix}_CALLER_KEY or {prefix}_TRUSTED_CALLERS holds no Ed25519 keys") from None


async def _keep_trust(verifier: Verifier, settings: BaseSettings) -> NoReturn:
    """Follows the folder of trusted callers.

    One that cannot be read changes nothing: whom to believe is then as before.
    """
    assert settings.trusted_callers
    known: Mapping[str, str] | None = None
    while True:
        await asyncio.sleep(settings.trust_read_seconds)
        try:
            found = trusted_in(settings.trusted_callers)
            if found != known:
                verifier.trust(found)
                known = found
        except (OSError, ValueError) as error:
            _log.error("trusted callers cannot be read", exc_info=error)
