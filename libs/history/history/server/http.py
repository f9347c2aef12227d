"""The HTTP face: ClickHouse's interface as its clients know it, on top of the engine."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from history.server import failure, request
from history.server.accounts import Accounts, credentials
from history.server.answer import Pipe
from history.server.compression import Unpacked, packer, preferred
from history.server.config import Account, Kind, ServerSettings
from history.server.engine import Engine, Handle
from history.server.failure import Failure, refusal
from history.server.guard import Ask, Guard
from history.server.pool import Pool

_LOG = logging.getLogger("history.server")
_HEADER_BYTES = 1 << 20
_FORM_BYTES = 2 << 20
_HELD_BACK_BYTES = 1 << 16
_STALLED_SECONDS = 300
_LEAVE_SECONDS = 3
_LEFT = 394
_AGAIN_SECONDS = 0.05
_TEXT = {"Content-Type": "text/plain; charset=UTF-8"}


@dataclass
class _Course:
    """What became of one statement, for the log; nothing of the statement itself."""

    query_id: str
    account: str
    verb: str = ""
    rows: int = 0
    sent_bytes: int = 0
    code: int = 0


class Face:
    """Answers requests; made once the engine runs."""

    def __init__(self, settings: ServerSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._accounts = Accounts(settings.accounts)
        self._pools = {account.name: Pool(engine, account) for account in settings.accounts}
        bare = engine.handle(Kind.OWNER, settings.base, {}, {})
        self._guard = Guard(bare.ask, settings.published)
        ((self._timezone,),) = bare.ask("SELECT timezone()")
        bare.close()
        self._stopping = False
        self._leaving: set[asyncio.Future[None]] = set()
        self._writing: set[asyncio.Future[dict[str, str]]] = set()

    def runner(self) -> web.AppRunner:
        """What serves this face; a request whose client leaves is cancelled."""
        app = web.Application(client_max_size=_FORM_BYTES)
        app.router.add_get("/ping", self._ping)
        app.router.add_get("/replicas_status", self._ping)
        app.router.add_route("*", "/", self._statement)
        return web.AppRunner(
            app,
            handler_cancellation=True,
            auto_decompress=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            access_log=None,
            shutdown_timeout=_LEAVE_SECONDS,
        )

    async def stop(self, grace: float = 30.0) -> None:
        """Refuse new statements, let what writes end for `grace` seconds, stop everything else."""
        self._stopping = True
        if self._writing:
            await asyncio.wait(self._writing, timeout=grace)
        await asyncio.to_thread(self._engine.interrupt_all)

    async def close(self) -> None:
        """Close every handle, once no request is left."""
        if self._leaving:
            await asyncio.wait(self._leaving)
        for pool in self._pools.values():
            await asyncio.to_thread(pool.close)

    async def _ping(self, http: web.Request) -> web.Response:
        return web.Response(status=503 if self._stopping else 200, text="Ok.\n", headers=_TEXT)

    async def _statement(self, http: web.Request) -> web.StreamResponse:
        if http.method in {"GET", "HEAD"} and "query" not in http.query:
            return await self._ping(http)
        course = _Course(request.query_id(http), "")
        headers = {
            "X-ClickHouse-Query-Id": course.query_id,
            "X-ClickHouse-Server-Display-Name": "history",
            "X-ClickHouse-Timezone": self._timezone,
        }
        began = time.monotonic()
        try:
            return await self._answered(http, headers, course)
        except Failure as error:
            course.code = error.code
            return _failed(error, headers)
        except (ConnectionResetError, TimeoutError):
            # The client left, or took nothing for so long that it is taken to have left: nobody reads an answer.
            course.code = _LEFT
            if http.transport:
                http.transport.abort()
            return web.Response()
        except asyncio.CancelledError:
            course.code = _LEFT
            raise
        finally:
            _LOG.info(
                "statement",
                extra={
                    "query_id": course.query_id,
                    "account": course.account,
                    "verb": course.verb,
                    "ms": round((time.monotonic() - began) * 1000, 1),
                    "rows": course.rows,
                    "bytes": course.sent_bytes,
                    "code": course.code,
                },
            )

    async def _answered(self, http: web.Request, headers: dict[str, str], course: _Course) -> web.StreamResponse:
        account = self._accounts.authenticate(*credentials(http.headers, http.query))
        if account is None:
            raise refusal(failure.AUTHENTICATION_FAILED, "Authentication failed: name or password is wrong.")
        course.account = account.name
        if self._stopping:
            raise refusal(failure.SHUTTING_DOWN, "The server is stopping.")
        if http.method not in {"GET", "HEAD", "POST"}:
            raise refusal(failure.BAD_REQUEST, "Use GET or POST.")
        given = await request.fields(http)
        body = None
        if http.content_type != "multipart/form-data" and http.can_read_body:
            most = self._settings.max_body_bytes
            if account.kind is Kind.ANALYST:
                most = min(most, _FORM_BYTES)
            sent = await request.spooled(http, self._settings.tmp, most)
            body = Unpacked(sent, http.headers.get("Content-Encoding", ""), most)
        # On a thread: a long statement, or one that is packed, would hold up everybody.
        asked = await asyncio.to_thread(
            request.understood, http, account, given, body, self._settings.published, course.query_id
        )
        course.verb = asked.statement.verb if asked.statement.verb.isascii() else ""
        pool = self._pools[account.name]
        if account.kind is Kind.ANALYST or asked.statement.answers_rows:
            return await self._query(http, headers, course, pool, asked)
        async with pool.slot():
            writing = pool.start(lambda: self._carry_out(pool, asked, course))
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)
            try:
                summary = await asyncio.shield(writing)
            except asyncio.CancelledError:
                # The client left; what it sent completely is carried out all the same, and the slot held until then.
                await asyncio.wait({writing})
                raise
            return web.Response(headers=headers | {"X-ClickHouse-Summary": json.dumps(summary)} | _TEXT)

    def _carry_out(self, pool: Pool, asked: request.Request, course: _Course) -> dict[str, str]:
        key, handle = pool.take(asked.database, asked.settings)
        try:
            if asked.rows is not None:
                written = handle.insert(asked.statement, asked.rows, self._settings.tmp)
                read = written
            else:
                done = handle.run(asked.statement.text.decode(), asked.parameters)
                read, written = done.rows_read(), done.rows_written()
        finally:
            _give_back(pool, key, handle, asked)
        course.rows = written
        return {"read_rows": str(read), "written_rows": str(written), "result_rows": str(written)}

    async def _query(
        self, http: web.Request, headers: dict[str, str], course: _Course, pool: Pool, asked: request.Request
    ) -> web.StreamResponse:
        async with AsyncExitStack() as held:
            await held.enter_async_context(pool.slot())
            pipe = held.enter_context(Pipe())
            running, started = self._started(course, pool, asked, pipe)
            try:
                return await self._sent(http, headers, course, pipe, running, asked)
            except BaseException:
                # The pipe and the slot are given back once the engine has let go of them, not before, and by a task
                # of its own: this one is perhaps being cancelled, and may be again.
                leaving = asyncio.ensure_future(self._abandoned(held.pop_all(), pipe, running, started))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)
                raise

    def _started(
        self, course: _Course, pool: Pool, asked: request.Request, pipe: Pipe
    ) -> "tuple[asyncio.Future[None], asyncio.Future[Handle]]":
        loop = asyncio.get_running_loop()
        started: asyncio.Future[Handle] = loop.create_future()

        def work() -> None:
            try:
                key, handle = pool.take(asked.database, asked.settings)
                try:
                    text = self._admitted(pool.account, asked, handle.ask)
                    loop.call_soon_threadsafe(started.set_result, handle)
                    if asked.statement.verb == "EXPLAIN":
                        # INTO OUTFILE would belong to what is explained; the answer is a few lines.
                        pipe.feed(handle.run(text, asked.parameters, asked.format).bytes())
                    else:
                        course.rows = handle.run(text + pipe.clause(asked.format), asked.parameters).rows_read()
                finally:
                    _give_back(pool, key, handle, asked)
            finally:
                pipe.close_engine_end()

        return pool.start(work), started

    async def _sent(
        self,
        http: web.Request,
        headers: dict[str, str],
        course: _Course,
        pipe: Pipe,
        running: "asyncio.Future[None]",
        asked: request.Request,
    ) -> web.StreamResponse:
        held = bytearray()
        while len(held) < _HELD_BACK_BYTES and (chunk := await pipe.read()):
            held += chunk
        if len(held) < _HELD_BACK_BYTES:
            # The end is known before anything was sent: an error can still be told by its status.
            await running
        tag = secrets.token_hex(8)
        encoding = preferred(http.headers.get("Accept-Encoding", "")) if asked.encoding_wanted else ""
        headers = headers | {
            "Content-Type": "application/octet-stream",
            "X-ClickHouse-Format": asked.format,
            "X-ClickHouse-Exception-Tag": tag,
            "X-ClickHouse-Summary": json.dumps({"read_rows": str(course.rows), "written_rows": "0"}),
        }
        if encoding:
            headers["Content-Encoding"] = encoding
        pack = packer(encoding)
        response = web.StreamResponse(headers=headers)
        if not encoding and len(held) < _HELD_BACK_BYTES:
            response.content_length = len(held)
        await response.prepare(http)
        data = bytes(held)
        while data:
            packed = await asyncio.to_thread(pack.pack, data) if encoding else data
            course.sent_bytes += len(packed)
            if packed:
                async with asyncio.timeout(_STALLED_SECONDS):
                    await response.write(packed)
            data = await pipe.read() if len(held) >= _HELD_BACK_BYTES else b""
        try:
            await running
        except Failure as error:
            # What was sent cannot be taken back: say so in the stream and break it off, as ClickHouse does.
            course.code = error.code
            text = error.text.encode()
            closing = b"\r\n__exception__\r\n%b\r\n%b\n%d %b\r\n__exception__\r\n"
            mark = tag.encode()
            await response.write(pack.pack(closing % (mark, text, len(text) + 1, mark)) + pack.finish())
            if http.transport:
                http.transport.close()
            return response
        if rest := pack.finish():
            await response.write(rest)
        await response.write_eof()
        return response

    async def _abandoned(
        self,
        held: AsyncExitStack,
        pipe: Pipe,
        running: "asyncio.Future[None]",
        started: "asyncio.Future[Handle]",
    ) -> None:
        async with held:
            draining = asyncio.ensure_future(pipe.drain())
            waiting: set[asyncio.Future[Any]] = {running, started}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            while not running.done():
                await asyncio.to_thread(self._engine.interrupt, started.result())
                await asyncio.wait({running}, timeout=_AGAIN_SECONDS)
            running.exception()
            await draining

    def _admitted(self, account: Account, asked: request.Request, ask: Ask) -> str:
        text = asked.statement.text.decode()
        if account.kind is Kind.ANALYST:
            return self._guard.admit(text, asked.statement.verb, ask)
        return text


def _give_back(pool: Pool, key: Any, handle: Handle, asked: request.Request) -> None:
    if asked.statement.leaves_traces:
        handle.close()
    else:
        pool.give(key, handle)


def _failed(error: Failure, headers: Mapping[str, str]) -> web.Response:
    extra = {"X-ClickHouse-Exception-Code": str(error.code)}
    if error.code == failure.AUTHENTICATION_FAILED:
        extra["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
    return web.Response(status=error.status, text=error.text + "\n", headers={**headers, **extra, **_TEXT})
