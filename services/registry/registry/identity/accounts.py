"""The accounts of people, kept by the security administrator: load, decide, store."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from mesh.caller import Caller
from mesh.clock import Clock, Ids
from parkmesh.registry.v1.account_pb2 import (
    ACCOUNT_STATE_ACTIVE,
    ACCOUNT_STATE_CLOSED,
    ACCOUNT_STATE_INVITED,
    ACCOUNT_STATE_LOCKED,
    Account,
    AccountState,
)

from registry.errors import InvalidFields, NotRegistered, StateNotAllowed
from registry.identity import codes, knowledge
from registry.identity.codes import Code, Purpose
from registry.identity.credentials import end_all
from registry.identity.roles import ADMINISTRATORS, subject_of
from registry.identity.separation import check_not_own, check_roles
from registry.static.edit import left_out
from registry.static.register import added, changed
from registry.storage.acts import Act
from registry.storage.kinds import ACCOUNT, SET_BY_STORE
from registry.storage.reader import Held, Reader
from registry.storage.store import Store, to_the_end
from registry.storage.writer import Writer

_FIXED: Final = ("state", "login", "person_number", "role")
_OPEN: Final = (ACCOUNT_STATE_INVITED, ACCOUNT_STATE_ACTIVE, ACCOUNT_STATE_LOCKED)


@dataclass(frozen=True, slots=True)
class Invited:
    """An account with the code that its person activates it with; None until an administrator's is confirmed."""

    account: Account
    code: Code | None


class Accounts:
    """Named persons. Nothing is deleted: an account that is not needed any more is closed, and its login stays taken.

    Nobody changes, resets, unlocks or closes an account of his own: RolesNotSeparate.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, *, activation_ms: int, separation_ms: int) -> None:
        """`activation_ms`: how long a code is good; `separation_ms`: see `check_roles`."""
        self._store = store
        self._clock = clock
        self._ids = ids
        self._activation_ms = activation_ms
        self._separation_ms = separation_ms

    @to_the_end
    async def create(self, caller: Caller, account: Account, reason: str) -> Invited:
        """Creates the account under an id of its own. InvalidFields, AlreadyRegistered, RolesNotSeparate."""
        if found := left_out(account, ("account_id", "state", *SET_BY_STORE), "account"):
            raise InvalidFields(found)
        async with self._store.writing(self._act(caller, reason)) as facts:
            await check_not_own(facts, caller, account)
            await check_roles(facts, account, facts.now_ms, self._separation_ms)
            account.account_id = self._ids.new("account")
            account.state = ACCOUNT_STATE_INVITED
            return Invited(await added(facts, account), await self._first_code(facts, account))

    @to_the_end
    async def account(self, account_id: str) -> Account:
        """The account. NotRegistered."""
        async with self._store.reading() as facts:
            return (await _known(facts, account_id)).dressed()

    @to_the_end
    async def list(self, after: str, limit: int) -> list[Account]:
        """The accounts whose id follows, in that order."""
        async with self._store.reading() as facts:
            return [held.dressed() for held in await facts.many(ACCOUNT, after=after, limit=limit)]

    @to_the_end
    async def update(self, caller: Caller, account_id: str, patch: Account, mask: FieldMask, reason: str) -> Account:
        """Changes the masked fields; sessions end when the person speaks for somebody else from now on.

        NotRegistered, InvalidFields, EtagMismatch, StateNotAllowed.
        """
        async with self._store.writing(self._act(caller, reason)) as facts:
            held = await _changeable(facts, caller, account_id)
            account = await changed(facts, held, patch, mask, fixed=_FIXED)
            if subject_of(account) != subject_of(held.message):
                await _end_sessions(facts, account)
            return account

    @to_the_end
    async def lock(self, caller: Caller, account_id: str, reason: str) -> Account:
        """Locks the account and ends its sessions; nothing happens when it is locked. NotRegistered, StateNotAllowed.

        Who suspects that his own account is misused may lock it himself.
        """
        async with self._store.writing(self._act(caller, reason)) as facts:
            account = _in_state((await _known(facts, account_id)).message, _OPEN)
            await _end_sessions(facts, account)
            return await _put(facts, account, ACCOUNT_STATE_LOCKED)

    @to_the_end
    async def unlock(self, caller: Caller, account_id: str, reason: str) -> Account:
        """Lets the person in again, also after too many wrong passwords. NotRegistered, StateNotAllowed."""
        async with self._store.writing(self._act(caller, reason)) as facts:
            account = (await _changeable(facts, caller, account_id)).message
            known = await knowledge.knowledge_of(facts, account_id)
            if known != known.unlocked():
                await knowledge.keep(facts, account_id, known.unlocked())
                facts.note()
            facts.about(ACCOUNT.title(account_id))
            return await _put(facts, account, ACCOUNT_STATE_ACTIVE if known.password_hash else ACCOUNT_STATE_INVITED)

    @to_the_end
    async def close(self, caller: Caller, account_id: str, reason: str) -> Account:
        """Closes the account for good and ends its sessions; nothing happens when it is closed. NotRegistered."""
        async with self._store.writing(self._act(caller, reason)) as facts:
            account = (await _known(facts, account_id)).message
            await check_not_own(facts, caller, account)
            if account.state != ACCOUNT_STATE_CLOSED:
                await _forget(facts, account)
            return await _put(facts, account, ACCOUNT_STATE_CLOSED)

    @to_the_end
    async def reset(self, caller: Caller, account_id: str, reason: str) -> Invited:
        """Takes password and second factor away, ends the sessions, and gives a new code; the one before ends.

        NotRegistered; StateNotAllowed when the account is closed or locked: to unlock it is a decision of its own.
        """
        async with self._store.writing(self._act(caller, reason)) as facts:
            account = (await _changeable(facts, caller, account_id)).message
            _in_state(account, (ACCOUNT_STATE_INVITED, ACCOUNT_STATE_ACTIVE))
            await _forget(facts, account)
            facts.about(ACCOUNT.title(account_id))
            facts.note()
            return Invited(await _put(facts, account, ACCOUNT_STATE_INVITED), await self._first_code(facts, account))

    @to_the_end
    async def confirm(self, caller: Caller, account_id: str, reason: str) -> Invited:
        """Gives the code of an administrator's account that waits for it; the one before ends.

        The security administrator, who makes and resets accounts, confirms none: nobody makes an administrator alone.
        NotRegistered, RolesNotSeparate; StateNotAllowed when the account is no administrator's, or in use.
        """
        async with self._store.writing(self._act(caller, reason)) as facts:
            account = (await _changeable(facts, caller, account_id)).message
            _in_state(account, (ACCOUNT_STATE_INVITED,))
            if account.role not in ADMINISTRATORS:
                raise StateNotAllowed("INVITED")
            facts.about(ACCOUNT.title(account_id))
            facts.note()
            return Invited((await _known(facts, account_id)).dressed(), await self._code(facts, account_id))

    def _act(self, caller: Caller, reason: str) -> Act:
        return Act.of(caller, self._clock.now_ms(), reason=reason)

    async def _first_code(self, facts: Writer, account: Account) -> Code | None:
        return None if account.role in ADMINISTRATORS else await self._code(facts, account.account_id)

    async def _code(self, facts: Writer, account_id: str) -> Code:
        return await codes.give(facts, Purpose.ACTIVATION, account_id, facts.now_ms + self._activation_ms)


async def _known(facts: Reader, account_id: str) -> Held[Account]:
    held = await facts.find(ACCOUNT, account_id)
    if held is None:
        raise NotRegistered("account")
    return held


async def _changeable(facts: Reader, caller: Caller, account_id: str) -> Held[Account]:
    held = await _known(facts, account_id)
    await check_not_own(facts, caller, held.message)
    _in_state(held.message, _OPEN)
    return held


def _in_state(account: Account, states: Collection[AccountState.ValueType]) -> Account:
    if account.state not in states:
        raise StateNotAllowed(AccountState.Name(account.state).removeprefix("ACCOUNT_STATE_"))
    return account


async def _put(facts: Writer, account: Account, state: AccountState.ValueType) -> Account:
    account.state = state
    await facts.set(account)
    return (await _known(facts, account.account_id)).dressed()


async def _end_sessions(facts: Writer, account: Account) -> None:
    await end_all(facts, account.account_id, account.role)


async def _forget(facts: Writer, account: Account) -> None:
    await _end_sessions(facts, account)
    await codes.drop(facts, Purpose.ACTIVATION, account.account_id)
    known = await knowledge.knowledge_of(facts, account.account_id)
    await knowledge.keep(facts, account.account_id, known.forgotten())
