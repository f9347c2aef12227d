"""Roles: what the holders of credentials are, and whom they speak for."""

from typing import Final

from mesh.caller import Caller, CallerKind
from parkmesh.registry.v1.account_pb2 import Account
from parkmesh.registry.v1.role_pb2 import (
    ROLE_ADMINISTRATOR,
    ROLE_AUDIT_ADMINISTRATOR,
    ROLE_DEPARTMENT,
    ROLE_OPERATOR,
    ROLE_SECURITY_ADMINISTRATOR,
    ROLE_SUPERVISOR,
    Role,
)

PLATFORM: Final = "platform"
"""On whose behalf administrators act."""

ADMINISTRATORS: Final = frozenset({ROLE_ADMINISTRATOR, ROLE_SECURITY_ADMINISTRATOR, ROLE_AUDIT_ADMINISTRATOR})
"""Roles that three separate persons hold."""


def kind_of(role: Role.ValueType) -> CallerKind:
    """The role as a kind of caller. KeyError when it is none."""
    return CallerKind[Role.Name(role).removeprefix("ROLE_")]


def subject_of(account: Account) -> str:
    """On whose behalf the account's person acts."""
    if account.role in ADMINISTRATORS:
        return PLATFORM
    if account.role == ROLE_OPERATOR:
        return account.operator_id
    if account.role in (ROLE_SUPERVISOR, ROLE_DEPARTMENT):
        return account.department
    return account.account_id


def person(account: Account, credential: str = "") -> Caller:
    """The account's person, as a caller."""
    return Caller(kind_of(account.role), subject_of(account), credential, account.account_id)
