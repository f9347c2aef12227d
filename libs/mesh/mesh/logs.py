"""Logs: one JSON object a line, with the ids of the running call. Never an exception's text: it may quote what was
sent.
"""

import asyncio
import datetime
import errno
import json
import logging
import sys
import traceback
from typing import Any, TextIO

from opentelemetry import trace

from mesh.call import running_call

# What every record has by itself; anything else was given as `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line: time, level, event (the message), service, logger, the `extra` given, trace_id,
    span_id, request_id; for an exception its types and where it was raised.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        instant = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": instant.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": record.getMessage(),
            "service": self._service,
            "logger": record.name,
        }
        line.update((name, value) for name, value in vars(record).items() if name not in _OWN)
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = trace.format_trace_id(span.trace_id)
            line["span_id"] = trace.format_span_id(span.span_id)
        if call := running_call.get():
            line["request_id"] = call.request_id
        if record.exc_info and record.exc_info[1]:
            line["errors"] = _errors(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(service: str, level: str, stream: TextIO) -> None:
    """Sends all logs of this process to the stream, replacing what was configured before."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    sys.unraisablehook = lambda failure: _unraisable(failure.exc_value)


def handle_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `loop.set_exception_handler`: asyncio's own would print the exception's text."""
    logging.getLogger("asyncio").error("unhandled in the event loop", exc_info=context.get("exception"))


def _unraisable(error: BaseException | None) -> None:
    logging.getLogger("python").error("unraisable", exc_info=error)


def _errors(error: BaseException) -> list[dict[str, Any]]:
    """The exception and what caused it, outermost first: types and frames only."""
    chain: list[dict[str, Any]] = []
    following: BaseException | None = error
    while following is not None and len(chain) < 10:
        frames = traceback.extract_tb(following.__traceback__)
        entry: dict[str, Any] = {
            "type": f"{type(following).__module__}.{type(following).__qualname__}",
            "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        }
        if isinstance(following, OSError) and following.errno:
            entry["errno"] = errno.errorcode.get(following.errno, following.errno)
        chain.append(entry)
        following = following.__cause__ or following.__context__
    return chain
