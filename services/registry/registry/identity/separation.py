"""The three administrators are separate persons, and nobody decides about himself."""

from mesh.caller import Caller
from parkmesh.registry.v1.account_pb2 import ACCOUNT_STATE_CLOSED, Account

from registry.errors import RolesNotSeparate
from registry.identity.roles import ADMINISTRATORS
from registry.storage.kinds import ACCOUNT
from registry.storage.reader import Held, Reader


async def check_roles(facts: Reader, account: Account, now_ms: int, after_ms: int) -> None:
    """RolesNotSeparate when the person of a new account holds another administrator's role.

    So does one whose account with that role was closed less than `after_ms` ago: else an auditor could be made to audit
    what he has just done himself.
    """
    if account.role not in ADMINISTRATORS:
        return
    for held in await facts.many(ACCOUNT):
        other = held.message
        both = other.role in ADMINISTRATORS and other.role != account.role and _same_person(other, account)
        if both and not _long_closed(held, now_ms, after_ms):
            raise RolesNotSeparate


async def check_not_own(facts: Reader, caller: Caller, account: Account) -> None:
    """RolesNotSeparate when the account is the caller's, or another one of the same person."""
    own = await facts.held(ACCOUNT, caller.account) if caller.account else None
    if own is not None and _same_person(own, account):
        raise RolesNotSeparate


def _same_person(one: Account, other: Account) -> bool:
    return one.person_number.casefold() == other.person_number.casefold()


def _long_closed(held: Held[Account], now_ms: int, after_ms: int) -> bool:
    # Nothing changes in an account after it was closed.
    return held.message.state == ACCOUNT_STATE_CLOSED and held.update_ms + after_ms <= now_ms
