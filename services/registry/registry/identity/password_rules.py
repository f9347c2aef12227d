"""Which passwords are too easy to guess (NIST SP 800-63B): length counts, and what everybody chooses is out."""

import functools
import re
import unicodedata
from collections.abc import Iterator
from importlib import resources
from typing import Final

from mesh.errors import FieldViolation
from vocabulary import refusal

from registry.forms.violation import broken

_REPEATED: Final = re.compile(r"(.{1,6}?)\1+", re.DOTALL)


class PasswordRule(refusal.Rule):
    """What can be wrong with a new password."""

    COMMON = (
        "password.common",
        "must not be one of the commonest passwords, nor a short text repeated",
        "不得为常见密码，也不得为短文本的重复",
    )
    LOGIN = ("password.login", "must not hold the login", "不得包含登录名")
    SAME = ("password.same", "must differ from the one before", "不得与原密码相同")


def canonical(password: str) -> str:
    """The password as it is hashed: one form for what one person types on two keyboards (full and half width)."""
    return unicodedata.normalize("NFKC", password)


def examine(password: str, login: str, field: str) -> Iterator[FieldViolation]:
    """Of a password of a length that the proto lets through."""
    plain = canonical(password).casefold()
    if plain in _commonest() or _REPEATED.fullmatch(plain):
        yield broken(field, PasswordRule.COMMON)
    if login.casefold() in plain:
        yield broken(field, PasswordRule.LOGIN)


@functools.cache
def _commonest() -> frozenset[str]:
    return frozenset(resources.files(__package__).joinpath("common_passwords.txt").read_text().split())
