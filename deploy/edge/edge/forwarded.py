"""Which headers reach a service: those it reads, and what makes a call a gRPC call. All others are nobody's business
there, and the gRPC of a service fails on many a header that is good HTTP: by its name, its size, or its value.
"""

import re
from collections.abc import Iterable

from envoy_data_plane.envoy.config.common.mutation_rules import v3 as mutation
from envoy_data_plane.envoy.extensions.filters.http.header_mutation import v3 as header_mutation
from envoy_data_plane.envoy.type.matcher import v3 as matcher
from mesh.caller import HEADER as CALLER
from mesh.face import REQUEST_ID_HEADER, TRACE_HEADER

from edge.script import UNKNOWN_FIELDS

READ = (CALLER, UNKNOWN_FIELDS, REQUEST_ID_HEADER, TRACE_HEADER)
GRPC = ("content-type", "te", "grpc-timeout", "grpc-encoding", "grpc-accept-encoding")
HTTP = (":method", ":scheme", ":authority", ":path", "x-forwarded-proto")  # the last one Envoy asks for when it routes


def forwarding() -> header_mutation.HeaderMutation:
    """Takes all other headers away."""
    others = matcher.StringMatcher(safe_regex=matcher.RegexMatcher(regex=all_but((*READ, *GRPC, *HTTP))))
    removal = mutation.HeaderMutation(remove_on_match=mutation.HeaderMutationRemoveOnMatch(key_matcher=others))
    return header_mutation.HeaderMutation(mutations=header_mutation.Mutations(request_mutations=[removal]))


def all_but(words: Iterable[str]) -> str:
    """A pattern, in RE2's language, for every text but these words."""
    rest: dict[str, list[str]] = {}
    ended = False
    for word in words:
        if word:
            rest.setdefault(word[0], []).append(word[1:])
        else:
            ended = True
    first = "".join(re.escape(letter) for letter in rest)
    ways = [f"[^{first}].*" if rest else ".+", *(re.escape(letter) + all_but(tails) for letter, tails in rest.items())]
    return f"(?:{'|'.join(ways)}){'' if ended else '?'}"
