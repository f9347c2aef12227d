"""Passwords as they are kept: Argon2id, computed beside the event loop, never many at once."""

import asyncio
import functools
import secrets
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from registry.errors import TooManyLogins
from registry.identity.password_rules import canonical

T = TypeVar("T")

OWASP: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""The second of OWASP's parameter sets: 19 MiB, two passes, one lane."""
_AT_ONCE: Final = 2
_WAITING: Final = 64


class Passwords:
    """Hashes and checks. TooManyLogins when too many wait already.

    With OWASP's parameters each check costs tens of milliseconds of a processor.
    """

    def __init__(self, hasher: PasswordHasher = OWASP) -> None:
        self._hasher = hasher
        self._nobodys = _nobodys(hasher)
        self._running = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """What is kept of the password."""
        return await self._aside(self._hash, password)

    async def is_right(self, password: str, kept: str) -> bool:
        """Whether the password is the one kept; takes the same time when none is."""
        right = await self._aside(self._verify, password, kept or self._nobodys)
        return right and bool(kept)

    def _hash(self, password: str) -> str:
        return self._hasher.hash(canonical(password))

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, canonical(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _aside(self, work: Callable[..., T], *texts: str) -> T:
        if self._waiting >= _WAITING:
            raise TooManyLogins
        self._waiting += 1
        try:
            async with self._running:
                return await asyncio.to_thread(work, *texts)
        finally:
            self._waiting -= 1


@functools.cache
def _nobodys(hasher: PasswordHasher) -> str:
    # Made once, and before the first login: then a login of nobody takes as long as one of somebody.
    return hasher.hash(secrets.token_urlsafe(32))
