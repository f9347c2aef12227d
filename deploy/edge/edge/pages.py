"""The pages that the edge serves itself, to anybody: the API reference, for machines and for people."""

import dataclasses
import gzip
import hashlib

from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.route import v3 as route
from envoy_data_plane.envoy.extensions.filters.http.ext_authz import v3 as ext_authz
from envoy_data_plane.envoy.type.matcher import v3 as matcher
from envoy_data_plane.google.protobuf import Any

from edge.filters import AUTHORIZATION
from edge.openapi.page import POLICY
from edge.openapi.reference import Reference

READING = "GET|HEAD"
TAKES_GZIP = r"(.*,)?\s*(gzip|\*)\s*(;\s*q=(1(\.0*)?|0\.0*[1-9][0-9]*)\s*)?(,.*)?"
HEADERS = {
    "cache-control": "no-cache",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@dataclasses.dataclass(frozen=True)
class Page:
    """Something to read at a path."""

    name: str
    path: str
    content_type: str
    body: bytes
    policy: str
    """Its Content-Security-Policy."""

    @property
    def tag(self) -> str:
        """Its weak entity tag: the same for the plain and the packed form."""
        return f'W/"{hashlib.sha256(self.body).hexdigest()[:16]}"'


def pages(reference: Reference) -> list[Page]:
    """What there is to read."""
    nothing = "default-src 'none'; frame-ancestors 'none'"
    return [
        Page("openapi", "/openapi.json", "application/json", reference.document, nothing),
        Page("docs", "/docs", "text/html; charset=utf-8", reference.page, POLICY),
    ]


def largest(reference: Reference) -> int:
    """The bytes of the largest page: Envoy must be told, it takes 4 KiB otherwise."""
    return max(len(page.body) for page in pages(reference))


def routes(reference: Reference) -> list[route.Route]:
    """The routes of all pages. They stand before those of methods and ask nobody who it is."""
    return [each for page in pages(reference) for each in page_routes(page)]


def page_routes(page: Page) -> list[route.Route]:
    """Not changed since it was read; packed; plain; and not a page to write to."""
    reading = route.HeaderMatcher(name=":method", string_match=fully(READING))
    known = route.HeaderMatcher(
        name="if-none-match", string_match=matcher.StringMatcher(contains=page.tag.removeprefix("W/"))
    )
    packable = route.HeaderMatcher(name="accept-encoding", string_match=fully(TAKES_GZIP))
    served = HEADERS | {"etag": page.tag, "content-type": page.content_type, "content-security-policy": page.policy}
    packed = gzip.compress(page.body, mtime=0)
    return [
        answer(page, [reading, known], 304, b"", HEADERS | {"etag": page.tag}),
        answer(page, [reading, packable], 200, packed, served | {"content-encoding": "gzip"}),
        answer(page, [reading], 200, page.body, served),
        answer(page, [], 405, b"unknown", {"allow": "GET, HEAD"}),
    ]


def answer(
    page: Page, matching: list[route.HeaderMatcher], status: int, body: bytes, headers: dict[str, str]
) -> route.Route:
    """A route that answers by itself, without asking risk-control."""
    nobody = Any.pack(ext_authz.ExtAuthzPerRoute(disabled=True))
    return route.Route(
        name=page.name,
        match=route.RouteMatch(path=page.path, headers=matching),
        direct_response=route.DirectResponseAction(
            status=status, body=core.DataSource(inline_bytes=body) if body else None
        ),
        response_headers_to_add=[header(name, value) for name, value in headers.items()],
        typed_per_filter_config={AUTHORIZATION: nobody},
    )


def header(name: str, value: str) -> core.HeaderValueOption:
    """Sets a header."""
    overwrite = core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    return core.HeaderValueOption(header=core.HeaderValue(key=name, value=value), append_action=overwrite)


def fully(pattern: str) -> matcher.StringMatcher:
    """Matches a value as a whole."""
    return matcher.StringMatcher(safe_regex=matcher.RegexMatcher(regex=pattern))
