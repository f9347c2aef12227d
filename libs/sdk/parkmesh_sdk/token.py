"""The access token: got once, shared by all calls, renewed before it expires."""

import asyncio
from collections.abc import Awaitable, Callable

from parkmesh.registry.v1.token_service_pb2 import IssueTokenResponse

_USED = 0.8
"""The part of its life after which a token is renewed: calls on their way must not see it expire."""


class TokenSource:
    """Gives a token that is good for a while. `now` counts seconds and never goes back."""

    def __init__(self, issue: Callable[[], Awaitable[IssueTokenResponse]], now: Callable[[], float]) -> None:
        self._issue = issue
        self._now = now
        self._token = ""
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """The current token; a new one when there is none or it expires soon. Raises what `issue` raises."""
        async with self._renewing:
            if not self._token or self._now() >= self._renew_at:
                asked_at = self._now()
                answer = await self._issue()
                self._token = answer.access_token
                self._renew_at = asked_at + answer.expires_in * _USED
            return self._token

    def discard(self, token: str) -> None:
        """Forgets a token that was refused; one got since is kept."""
        if token == self._token:
            self._token = ""
