"""Watches the server certificate: renews our own in time, and reports every pair that comes into use."""

import asyncio
import datetime
import logging
import pathlib
from collections.abc import Callable, Sequence
from typing import NoReturn

from mesh.clock import Clock

from edge import certificates

LOOK_EVERY_S = 1.0
RENEW_EVERY_S = 3600.0
log = logging.getLogger(__name__)


class CertificateKeeper:
    """Keeps the pair `server.pem` and `server.key` of a folder in use.

    With `names` the pair is our own, made when it is missing and renewed a month before its end; without, somebody else
    puts it there.
    """

    def __init__(
        self, folder: pathlib.Path, names: Sequence[str], clock: Clock, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._folder = folder
        self._names = names
        self._clock = clock
        self._look_every_s = look_every_s
        self._renew_at = 0.0
        self._used = b""

    @property
    def key(self) -> pathlib.Path:
        """The private key's file, which Envoy reads by itself: the key never travels."""
        return self._folder.absolute() / "server.key"

    async def run(self, publish: Callable[[bytes], None]) -> NoReturn:
        """Calls `publish` with the certificate chain now and whenever it has changed and fits its key."""
        while True:
            self._renew()
            if changed := self._changed():
                publish(changed)
            await asyncio.sleep(self._look_every_s)

    def _renew(self) -> None:
        if not self._names or self._clock.monotonic() < self._renew_at:
            return
        now = datetime.datetime.fromtimestamp(self._clock.now_ms() / 1000, datetime.UTC)
        if certificates.ensure(self._folder, self._names, now):
            log.info("certificate made", extra={"names": list(self._names)})
        self._renew_at = self._clock.monotonic() + RENEW_EVERY_S

    def _changed(self) -> bytes | None:
        path = self._folder / "server.pem"
        try:
            found = path.read_bytes()
        except OSError:
            return None
        if found == self._used or not certificates.pair_fits(path, self.key):
            return None
        self._used = found
        return found
