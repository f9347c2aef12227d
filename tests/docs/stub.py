"""A platform that answers uploads by a script, to see what a sample makes of each answer."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """One scripted answer to an upload."""

    status: int
    """0: the connection is closed without an answer."""
    body: bytes = b""


class Upload(NamedTuple):
    """What arrived."""

    headers: dict[str, str]
    ids: list[str]


class Stub:
    """Where it listens, what it has been sent, and how many tokens it gave."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.uploads: list[Upload] = []
        self.tokens = 0


def result(**told: Any) -> Reply:
    """A success as the platform prints it, all counts 0 and no items unless told."""
    counts = dict.fromkeys(("accepted", "duplicate", "conflicting", "rejected", "deferred", "retryAfterMs"), 0)
    return Reply(200, json.dumps({**counts, "items": [], **told}).encode())


def refusal(status: int, reason: str, *details: dict[str, Any]) -> Reply:
    """A refusal as the platform prints it."""
    told = [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "parkmesh"},
        {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "zh-CN", "message": "已拒绝"},
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "request-1"},
        *({**each, "@type": f"type.googleapis.com/google.rpc.{each['@type']}"} for each in details),
    ]
    return Reply(status, json.dumps({"code": 1, "message": "refused", "details": told}).encode())


@contextlib.contextmanager
def answering(*script: Reply) -> Iterator[Stub]:
    """A stub that gives these answers in turn, the last again and again; it ends with the block."""
    replies = list(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v1/token":
                stub.tokens += 1
                self.answer(Reply(200, json.dumps({"accessToken": f"t{stub.tokens}", "expiresIn": 900}).encode()))
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            stub.uploads.append(Upload(headers, [record["recordId"] for record in content["records"]]))
            self.answer(replies.pop(0) if len(replies) > 1 else replies[0])

        def answer(self, reply: Reply) -> None:
            self.close_connection = not reply.status
            if reply.status:
                self.send_response(reply.status)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        stub = Stub(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
