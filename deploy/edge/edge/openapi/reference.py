"""The API reference as it is served: the document and its page, as bytes."""

import dataclasses
import json
import pathlib

import parkmesh

from edge.openapi.document import document
from edge.openapi.page import Page

DESCRIPTORS = pathlib.Path(parkmesh.__path__[0]).parent / "descriptors.binpb"


@dataclasses.dataclass(frozen=True)
class Reference:
    """Both forms of the reference."""

    document: bytes
    """OpenAPI 3.1 as JSON."""
    page: bytes
    """HTML."""


def read(descriptors: pathlib.Path = DESCRIPTORS) -> Reference:
    """The reference for the protos as they are built."""
    made = document(descriptors.read_bytes())
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    return Reference(text.encode(), Page(made).html().encode())
