"""The API reference at the edge: read by anybody, by people and machines, and nothing more than read."""

import gzip
import json
import re
from typing import Any

import aiohttp
import pytest

PAGES = [("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8")]


async def asked(edge: Any, verb: str, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Asks without a token; status, body as it came, headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["accept-encoding"]) as session,
        session.request(verb, edge.url + path, headers=sent, ssl=edge.tls) as answer,
    ):
        body = await answer.read()
        return answer.status, body, {name.lower(): value for name, value in answer.headers.items()}


@pytest.mark.parametrize(("path", "kind"), PAGES)
async def test_anybody_may_read_it(edge: Any, path: str, kind: str) -> None:
    status, body, headers = await asked(edge, "GET", path)
    assert (status, headers["content-type"]) == (200, kind)
    assert len(body) > 50_000
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("x-parkmesh")]


@pytest.mark.parametrize(("path", "kind"), PAGES)
async def test_it_comes_packed_to_those_who_take_it(edge: Any, path: str, kind: str) -> None:
    _, plain, _ = await asked(edge, "GET", path)
    for accepted in ("gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "*"):
        _, packed, headers = await asked(edge, "GET", path, accept_encoding=accepted)
        assert (headers["content-encoding"], headers["content-type"]) == ("gzip", kind)
        assert headers["vary"] == "accept-encoding"
        assert gzip.decompress(packed) == plain
    for accepted in ("identity", "br", "gzip;q=0", "gzip; q=0.000"):
        assert "content-encoding" not in (await asked(edge, "GET", path, accept_encoding=accepted))[2]


@pytest.mark.parametrize(("path", "kind"), PAGES)
async def test_it_is_not_sent_again_to_those_who_have_it(edge: Any, path: str, kind: str) -> None:
    _, _, headers = await asked(edge, "GET", path)
    status, body, again = await asked(edge, "GET", path, if_none_match=headers["etag"], accept_encoding="gzip")
    assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    assert (await asked(edge, "GET", path, if_none_match='"other"'))[0] == 200


@pytest.mark.parametrize(("path", "kind"), PAGES)
async def test_head_has_the_headers_and_no_body(edge: Any, path: str, kind: str) -> None:
    _, full, got = await asked(edge, "GET", path)
    status, body, headers = await asked(edge, "HEAD", path)
    assert (status, body, headers["content-type"]) == (200, b"", kind)
    assert (headers["content-length"], headers["etag"]) == (str(len(full)), got["etag"])


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_it_is_only_read(edge: Any, verb: str, path: str) -> None:
    status, body, headers = await asked(edge, verb, path, content_type="application/json")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert json.loads(body)["details"][0]["reason"] == "UNKNOWN_METHOD"


@pytest.mark.parametrize("path", ["/docs/", "/docs/x", "/openapi.json/", "/openapi", "/docs/../v1/lots"])
async def test_nothing_beside_it_is_open(edge: Any, path: str) -> None:
    assert (await edge.call("GET", path, token=None))[0] == 401


async def test_the_page_needs_nothing_else_and_its_policy_lets_its_own_style_in(edge: Any) -> None:
    _, body, headers = await asked(edge, "GET", "/docs")
    page = body.decode()
    assert not re.search(r"<(script|link|img|iframe|object|form)\b|javascript:|\son\w+=|\sstyle=|@import|url\(", page)
    assert not re.search(r"(?:href|src)=\"(?!#|/openapi\.json\")", page)
    assert page.count("<style>") == 1
    import base64
    import hashlib

    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in headers["content-security-policy"]


async def test_the_document_tells_what_the_edge_does(edge: Any) -> None:
    _, body, _ = await asked(edge, "GET", "/openapi.json")
    document = json.loads(body)
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            named = re.sub(r"\{[^}]+\}", "7", path)
            malformed = b'{"malformed' if verb in {"post", "put", "patch"} else None
            status, _, _ = await edge.call(verb.upper(), named, malformed, token=None)
            assert (status == 401) is bool(operation["security"]), (verb, path)
