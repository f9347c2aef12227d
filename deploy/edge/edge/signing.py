"""Signed requests: which headers of ours may come from outside, and how risk-control gets to see a body.

Risk-control is asked twice. First, as about every request, without the body: the signature covers the body's digest, so
it can be checked without it, and whoever cannot sign makes nobody hold a body. Then, once that is admitted, with the
body as it arrived, before anything unpacks it. Requests that are not signed are asked about once and never held.
"""

from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.route import v3 as route
from envoy_data_plane.envoy.extensions.filters.http.ext_authz import v3 as ext_authz
from envoy_data_plane.envoy.type.matcher import v3 as matcher
from envoy_data_plane.google.protobuf import Any
from vocabulary import request_signature

from edge.filters import AUTHORIZATION, BODY_CHECK
from edge.forwarded import all_but

OURS = "x-parkmesh-"
BODY = "body"
LATER, HERE = "later", "here"


def foreign() -> matcher.StringMatcher:
    """Every `x-parkmesh-…` header but those of a signed request. Envoy has put their names in lower case."""
    taken = [name.removeprefix(OURS) for name in request_signature.FORMS]
    return matcher.StringMatcher(safe_regex=matcher.RegexMatcher(regex=OURS + all_but(taken)))


def signed() -> route.Route:
    """The route of signed requests, by REST as all of them: the catch-all once more, with the second question."""
    header = route.HeaderMatcher(name=request_signature.SIGNATURE, present_match=True)
    return route.Route(
        name="unknown",
        match=route.RouteMatch(prefix="/", headers=[header]),
        direct_response=route.DirectResponseAction(status=404, body=core.DataSource(inline_string="unknown")),
        typed_per_filter_config={
            AUTHORIZATION: asked(LATER),
            BODY_CHECK: asked(HERE),
        },
    )


def asked(body: str) -> Any:
    """What a route's requests are asked about with, besides what the filter says: where the body is."""
    return Any.pack(ext_authz.ExtAuthzPerRoute(check_settings=ext_authz.CheckSettings(context_extensions={BODY: body})))
