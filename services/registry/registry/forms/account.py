"""Accounts of people: what belongs to each role, and logins that can be told apart."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mesh.errors import FieldViolation
from parkmesh.registry.v1.account_pb2 import Account
from parkmesh.registry.v1.role_pb2 import ROLE_COLLECTOR, ROLE_DEPARTMENT, ROLE_OPERATOR, ROLE_SUPERVISOR, Role
from vocabulary import refusal

from registry.forms import reference
from registry.forms.facts import Facts
from registry.forms.reference import ReferenceRule
from registry.forms.violation import broken, json_path
from registry.storage.kinds import LOT, OPERATOR

_LOGIN: Final = re.compile("[a-z0-9]+(?:[._-][a-z0-9]+)*")


class AccountRule(refusal.Rule):
    """What can be wrong with an account."""

    LOGIN = (
        "account.login_marks",
        "must end with a letter or digit and have no two of . _ - in a row",
        "须以字母或数字结尾，且“.”“_”“-”不得相连",
    )
    OPERATOR = (
        "account.operator_required",
        "must be given: the role ROLE_OPERATOR speaks for one operator",
        "必须填写：角色 ROLE_OPERATOR 须指明所属经营管理者",
    )
    NO_OPERATOR = (
        "account.operator_unused",
        "must be left out: only the role ROLE_OPERATOR has an operator",
        "请不要填写：仅角色 ROLE_OPERATOR 有所属经营管理者",
    )
    DEPARTMENT = (
        "account.department_required",
        "must be given for the roles ROLE_SUPERVISOR and ROLE_DEPARTMENT, such as police",
        "角色 ROLE_SUPERVISOR 和 ROLE_DEPARTMENT 必须填写部门，如 police",
    )
    NO_DEPARTMENT = (
        "account.department_unused",
        "must be left out: only the roles ROLE_SUPERVISOR and ROLE_DEPARTMENT have a department",
        "请不要填写：仅角色 ROLE_SUPERVISOR 和 ROLE_DEPARTMENT 有部门",
    )
    LOTS = (
        "account.lots_required",
        "must name at least one lot: the role ROLE_COLLECTOR collects records of lots (R6.3)",
        "至少填写一个停车场：角色 ROLE_COLLECTOR 须有负责的停车场",
    )
    NO_LOTS = (
        "account.lots_unused",
        "must be left out: only the role ROLE_COLLECTOR has lots",
        "请不要填写：仅角色 ROLE_COLLECTOR 有负责的停车场",
    )


class _Companion(NamedTuple):
    """A field that some roles must have, and the others must not."""

    field: str
    roles: frozenset[Role.ValueType]
    required: AccountRule
    unused: AccountRule


_COMPANIONS: Final = (
    _Companion("operator_id", frozenset({ROLE_OPERATOR}), AccountRule.OPERATOR, AccountRule.NO_OPERATOR),
    _Companion(
        "department",
        frozenset({ROLE_SUPERVISOR, ROLE_DEPARTMENT}),
        AccountRule.DEPARTMENT,
        AccountRule.NO_DEPARTMENT,
    ),
    _Companion("lot_ids", frozenset({ROLE_COLLECTOR}), AccountRule.LOTS, AccountRule.NO_LOTS),
)


async def examine(account: Account, facts: Facts, path: str) -> list[FieldViolation]:
    """Changes nothing (R6.3, R7.4). Whether the person holds another role already is the use case's to find."""
    found = list(_alone(account, path))
    if account.role == ROLE_OPERATOR and account.operator_id:
        found += await reference.examine(
            facts, OPERATOR, account.operator_id, f"{path}.operatorId", ReferenceRule.OPERATOR
        )
    if account.role == ROLE_COLLECTOR:
        for at, lot_id in enumerate(account.lot_ids):
            found += await reference.examine(facts, LOT, lot_id, f"{path}.lotIds[{at}]", ReferenceRule.LOT)
    return found


def _alone(account: Account, path: str) -> Iterator[FieldViolation]:
    if not _LOGIN.fullmatch(account.login):
        yield broken(f"{path}.login", AccountRule.LOGIN)
    for companion in _COMPANIONS:
        needed = account.role in companion.roles
        if needed != bool(getattr(account, companion.field)):
            yield broken(json_path(path, account, companion.field), companion.required if needed else companion.unused)
