"""Which requests need no token: read from the protos, matched by the paths that callers send."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import MethodDescriptor
from mesh import contract

_VERBS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Binding:
    """One way in which a method can be called over REST: a verb, and a pattern for the path without its query."""

    verb: str
    pattern: re.Pattern[str]
    method: str


class PublicMethods:
    """The methods that anybody may call, by gRPC path and by REST path."""

    def __init__(self, methods: Iterable[MethodDescriptor]) -> None:
        public = [method for method in methods if contract.is_public(method)]
        self._grpc = frozenset(contract.path_of(method) for method in public)
        self._rest = tuple(binding for method in public for binding in bindings(method))

    def find(self, verb: str, path: str, *, grpc: bool) -> str | None:
        """The gRPC path of the public method that the request calls; None when it calls anything else.

        A gRPC path counts only with a gRPC body and a REST path only without: the edge serves nothing else.
        """
        path = path.partition("?")[0]
        if grpc:
            return path if verb == "POST" and path in self._grpc else None
        for binding in self._rest:
            if binding.verb == verb and binding.pattern.fullmatch(path):
                return binding.method
        return None


def bindings(method: MethodDescriptor) -> list[Binding]:
    """The REST bindings of a method, the additional ones too; none when it has no annotation."""
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    path = contract.path_of(method)
    return [
        Binding(verb.upper(), template_pattern(template), path)
        for each in (rule, *rule.additional_bindings)
        for verb in _VERBS
        if (template := getattr(each, verb))
    ]


def template_pattern(template: str) -> re.Pattern[str]:
    """A path template (`/v1/lots/{lot_id}:verb`) as a pattern; a variable takes one segment.

    ValueError for templates beyond that: a public method must not be reachable by more than was thought of.
    """
    parts = re.split(r"\{[a-z0-9_.]+\}", template)
    if any(character in part for part in parts for character in "{}*="):
        raise ValueError(f"a public method's path may hold plain variables only: {template}")
    return re.compile("[^/:]+".join(map(re.escape, parts)))
