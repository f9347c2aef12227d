"""A phone field: a number that can be called, kept in E.164 where there is such a form."""

from collections.abc import Iterator

from google.protobuf.message import Message
from mesh.errors import FieldViolation
from vocabulary import phone
from vocabulary.refusal import Refusal

from registry.forms.violation import json_path, refused


def examine(message: Message, name: str, path: str) -> Iterator[FieldViolation]:
    """Puts the number of the field of that name into canonical form; an empty one is left alone."""
    stated = getattr(message, name)
    if not stated:
        return
    try:
        setattr(message, name, phone.parse(stated).text)
    except Refusal as refusal:
        yield refused(json_path(path, message, name), refusal)
