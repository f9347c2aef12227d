"""Where the authority works: calls the platform as somebody, and shows what it says."""

import dataclasses
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, TypeVar

from google.protobuf.message import Message
from parkmesh_sdk import Client, Method, PlatformError, RetryPolicy
from rich.table import Table

from parkmesh_cli import screen
from parkmesh_cli.admin import forms
from parkmesh_cli.admin.office import Holder
from parkmesh_cli.errors import CliError

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_DEADLINE_S: Final = 60.0
"""A census of 100,000 rows, or the whole audit trail, is not gone through in a moment."""
_PAGE: Final = 200
_READING: Final = RetryPolicy(attempts=3)
# What changes something is sent once: a second rotation, say, would end the credential that is in use.
_CHANGING: Final = RetryPolicy(attempts=1)


class Desk:
    """Calls as the holder of one credential; prints tables, or one JSON text a command."""

    def __init__(self, reading: Client, changing: Client, *, in_session: bool, as_json: bool) -> None:
        self._reading = reading
        self._changing = changing
        self._in_session = in_session
        self._as_json = as_json

    async def call(self, method: Method[Q, A], request: Q) -> A:
        """The answer to a call. PlatformError when it is refused, CliError when the session has ended."""
        client = self._reading if method.route.verb == "GET" else self._changing
        try:
            return await client.call(method, request)
        except PlatformError as error:
            if self._in_session and error.reason == "BAD_CREDENTIAL":
                raise CliError(
                    "the session has ended: `parkmesh login` opens a new one 会话已失效，请重新登录"
                ) from error
            raise

    async def every(self, method: Method[Any, Any], request: Any, field: str, limit: int | None = None) -> list[Any]:
        """What all pages of a list hold in that field, up to `limit`; says so when there is more."""
        found: list[Any] = []
        while True:
            request.page_size = _PAGE if limit is None else min(_PAGE, limit + 1 - len(found))
            page = await self.call(method, request)
            found.extend(getattr(page, field))
            if limit is not None and len(found) > limit:
                screen.say(f"There is more than these {limit}: raise --limit. 还有更多，可调大 --limit")
                return found[:limit]
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def show(self, message: A, *tables: Table) -> None:
        """Shows one object: as these tables, or what is set in it when there are none; or a JSON object."""
        if self._as_json:
            self._json(forms.content(message))
        else:
            for table in tables or (forms.card(message),):
                screen.show_table(table)

    def show_all(self, messages: Sequence[Message], columns: Sequence[forms.Column]) -> None:
        """Shows a list: a table, or a JSON array."""
        if self._as_json:
            self._json([forms.content(message) for message in messages])
        else:
            screen.show_table(forms.table(messages, columns))

    def show_once(self, message: A) -> None:
        """Shows an object with a secret or a one-time code in it, and says that it is not shown again."""
        self.show(message)
        screen.say("Keep it now: it is not shown again. 请立即妥善保存，不再显示")

    def _json(self, content: Any) -> None:
        screen.show(json.dumps(content, ensure_ascii=False))


@asynccontextmanager
async def desk(holder: Holder, *, as_json: bool) -> AsyncIterator[Desk]:
    """The desk of who holds this credential. OSError without the CA file."""
    platform = dataclasses.replace(holder.platform, deadline_s=_DEADLINE_S)
    async with AsyncExitStack() as stack:
        reading = await stack.enter_async_context(Client(platform, retry=_READING))
        changing = await stack.enter_async_context(Client(platform, retry=_CHANGING))
        yield Desk(reading, changing, in_session=holder.in_session, as_json=as_json)
