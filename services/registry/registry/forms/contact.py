"""Contacts: people and desks that can be reached."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from mesh.errors import FieldViolation
from parkmesh.registry.v1.operator_pb2 import Contact
from vocabulary import refusal

from registry.forms import phone
from registry.forms.violation import broken

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")


class ContactRule(refusal.Rule):
    """What can be wrong with a contact, besides its phone."""

    EMAIL = (
        "contact.email",
        "must be one mail address, such as duty@example.com",
        "须为一个电子邮箱地址，如 duty@example.com",
    )


def examine(contacts: Iterable[Contact], path: str) -> Iterator[FieldViolation]:
    """Puts the phones into canonical form; `path` is the list's."""
    for at, contact in enumerate(contacts):
        yield from phone.examine(contact, "phone", f"{path}[{at}]")
        if contact.email and not (_EMAIL.fullmatch(contact.email) and contact.email.isprintable()):
            yield broken(f"{path}[{at}].email", ContactRule.EMAIL)
