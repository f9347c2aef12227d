"""What the protos say about methods, read from the generated descriptors."""

import functools
import importlib
import pkgutil

import parkmesh
from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.descriptor_pool import Default
from parkmesh.annotations.v1 import audience_pb2

from mesh.caller import CallerKind

_KINDS = {
    number: CallerKind[name.removeprefix("AUDIENCE_")]
    for name, number in audience_pb2.Audience.items()
    if number not in (audience_pb2.AUDIENCE_UNSPECIFIED, audience_pb2.AUDIENCE_PUBLIC)
}


def path_of(method: MethodDescriptor) -> str:
    """The path under which a method is called: `/package.Service/Method`."""
    return f"/{method.containing_service.full_name}/{method.name}"


def is_public(method: MethodDescriptor) -> bool:
    """Whether anybody may call it, without an assertion."""
    return audience_pb2.AUDIENCE_PUBLIC in _audiences(method)


def kinds_of(method: MethodDescriptor) -> frozenset[CallerKind]:
    """The kinds of caller that may call it; none when the proto names none."""
    return frozenset(_KINDS[audience] for audience in _audiences(method) if audience in _KINDS)


def is_idempotent(method: MethodDescriptor) -> bool:
    """Whether calling it twice is as calling it once: it says so, or it is a GET."""
    options = method.GetOptions()
    if options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN:
        return True
    return bool(options.Extensions[annotations_pb2.http].get)


def find(path: str) -> MethodDescriptor | None:
    """The method of a path; None when the generated code that is imported has none."""
    service, _, name = path.removeprefix("/").rpartition("/")
    try:
        return Default().FindServiceByName(service).methods_by_name.get(name)
    except KeyError:
        return None


@functools.cache
def methods() -> tuple[MethodDescriptor, ...]:
    """Every method of every service of the platform, by path. Imports all their generated code."""
    found = []
    for module in pkgutil.walk_packages(parkmesh.__path__, "parkmesh."):
        if module.name.endswith("_service_pb2"):
            file = importlib.import_module(module.name).DESCRIPTOR
            found += [method for service in file.services_by_name.values() for method in service.methods]
    return tuple(sorted(found, key=path_of))


def _audiences(method: MethodDescriptor) -> list[audience_pb2.Audience.ValueType]:
    return list(method.GetOptions().Extensions[audience_pb2.audience])
