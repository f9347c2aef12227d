"""The sessions of people: activation, login, logout, and the change of a password."""

import re
from dataclasses import dataclass, replace
from typing import Final

from mesh.caller import Caller
from mesh.clock import Clock
from mesh.instants import time_of
from mesh.reasons import name_of
from mesh.settings import Secret
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_BAD_CODE, ERROR_REASON_BAD_LOGIN
from parkmesh.registry.v1.account_pb2 import ACCOUNT_STATE_ACTIVE, ACCOUNT_STATE_INVITED, Account
from parkmesh.registry.v1.vendor_pb2 import CREDENTIAL_METHOD_SESSION, Credential

from registry.errors import BadCode, BadLogin, InvalidFields, NotRegistered
from registry.forms.violation import broken
from registry.identity import codes, knowledge, password_rules
from registry.identity.attempts import NONE
from registry.identity.codes import Purpose
from registry.identity.credentials import Issued, Issuer, end_all, revoke
from registry.identity.knowledge import Knowledge
from registry.identity.password_rules import PasswordRule, canonical
from registry.identity.passwords import Passwords
from registry.identity.roles import person, subject_of
from registry.identity.second_factor import SecondFactor
from registry.identity.signer import Signer, Token
from registry.storage.acts import REGISTRY, Act
from registry.storage.kinds import ACCOUNT, CREDENTIAL
from registry.storage.reader import Reader, is_over
from registry.storage.store import Store, to_the_end
from registry.storage.writer import Writer

_BAD_LOGIN: Final = name_of(ERROR_REASON_BAD_LOGIN)
_LOGIN: Final = re.compile("[a-z0-9._-]{1,64}")  # any other text is nobody's, and not every database takes it
_BAD_CODE: Final = name_of(ERROR_REASON_BAD_CODE)


@dataclass(frozen=True, slots=True)
class Activated:
    """What the person sees once."""

    login: str
    totp_secret: Secret
    totp_uri: Secret


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, with a first token."""

    issued: Issued
    token: Token


@dataclass(frozen=True, slots=True)
class _Person:
    """An account and what is known of its person, when the password was checked."""

    account: Account
    knowledge: Knowledge


class Sessions:
    """Lets people in. What is wrong with a login is told to nobody, neither in words nor by time.

    Of refusals, the audit trail shows the one that locks an account: strangers can make it no longer than by one entry
    for each account and quarter of an hour.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        issuer: Issuer,
        signer: Signer,
        passwords: Passwords,
        factor: SecondFactor,
        *,
        session_ms: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._issuer = issuer
        self._signer = signer
        self._passwords = passwords
        self._factor = factor
        self._session_ms = session_ms

    @to_the_end
    async def activate(self, code: str, password: str) -> Activated:
        """Sets the first password with the code, once. BadCode; InvalidFields, and the code stays good."""
        async with self._store.reading() as facts:
            kept = await codes.find(facts, Purpose.ACTIVATION, code)
            account = None if kept is None else await facts.held(ACCOUNT, kept.holder)
        if kept is None or account is None or account.state != ACCOUNT_STATE_INVITED:
            raise BadCode
        _check(password, account.login, "password")
        hashed = await self._passwords.hashed(password)
        async with self._store.writing(self._act_of(account)) as facts:
            account = await facts.held(ACCOUNT, kept.holder)
            same = await codes.find(facts, Purpose.ACTIVATION, code) == kept
            if account is None or not same or account.state != ACCOUNT_STATE_INVITED:
                raise BadCode  # another call took it, or the account was locked meanwhile
            facts.about(ACCOUNT.title(account.account_id))
            await codes.drop(facts, Purpose.ACTIVATION, account.account_id)
            activated = None
            if kept.good_at(facts.now_ms):
                known = replace(await knowledge.knowledge_of(facts, account.account_id), password_hash=hashed)
                await knowledge.keep(facts, account.account_id, known)
                account.state = ACCOUNT_STATE_ACTIVE
                await facts.set(account)
                secret = self._factor.secret(account.account_id, known.factor)
                activated = Activated(account.login, secret, self._factor.uri(secret, account.login))
            else:
                facts.note(_BAD_CODE)
        if activated is None:
            raise BadCode
        return activated

    @to_the_end
    async def login(self, login: str, password: str, totp: str) -> Opened:
        """Opens a session. BadLogin."""
        # An unknown login takes the way of a known one, step by step: it is nobody's, and nobody's account has no id.
        name = login if _LOGIN.fullmatch(login) else ""
        async with self._store.reading() as facts:
            account_id = (await facts.keys_named(ACCOUNT, "login", [name])).get(name, "")
            who = await _person(facts, await facts.held(ACCOUNT, account_id) or Account())
        right = await self._passwords.is_right(password, who.knowledge.password_hash)
        opened = None
        async with self._store.writing(self._act_of(who.account, _tried(who))) as facts:
            if await self._admits(facts, who, right, totp):
                opened = await self._open(facts, who.account)
        if opened is None:
            raise BadLogin
        return opened

    @to_the_end
    async def logout(self, caller: Caller) -> None:
        """Ends the caller's session; again, nothing happens. NotRegistered when the caller has none."""
        async with self._store.writing(Act.of(caller, self._clock.now_ms())) as facts:
            session = await _session(facts, caller)
            facts.about(ACCOUNT.title(session.account_id))
            await revoke(facts, session)

    @to_the_end
    async def change_password(self, caller: Caller, password: str, new_password: str, totp: str) -> None:
        """Changes the password and ends the caller's other sessions. InvalidFields, BadLogin; NotRegistered when the
        caller has no session.
        """
        async with self._store.reading() as facts:
            session = await _session(facts, caller)
            account = await facts.held(ACCOUNT, session.account_id)
            assert account is not None, "a session belongs to an account"
            who = await _person(facts, account)
        _check(new_password, account.login, "newPassword", before=password)
        right = await self._passwords.is_right(password, who.knowledge.password_hash)
        hashed = await self._passwords.hashed(new_password) if right else ""
        async with self._store.writing(Act.of(caller, self._clock.now_ms())) as facts:
            session = await _session(facts, caller)
            changed = not is_over(session, facts.now_ms) and await self._admits(facts, who, right, totp)
            if changed:
                known = await knowledge.knowledge_of(facts, account.account_id)
                await knowledge.keep(facts, account.account_id, replace(known, password_hash=hashed))
                await end_all(facts, account.account_id, account.role, but=session.client_id)
                facts.about(ACCOUNT.title(account.account_id))
                facts.note()
        if not changed:
            raise BadLogin

    def _act_of(self, account: Account, reason: str = "") -> Act:
        by = person(account) if account.account_id else REGISTRY
        return Act.of(by, self._clock.now_ms(), reason=reason)

    async def _admits(self, facts: Writer, who: _Person, right: bool, totp: str) -> bool:
        """Whether the person gets in: by what holds now, not when the password was checked. A wrong attempt counts."""
        account_id = who.account.account_id
        account = await facts.held(ACCOUNT, account_id)
        known = await knowledge.knowledge_of(facts, account_id)
        active = account is not None and account.state == ACCOUNT_STATE_ACTIVE
        changed = known.password_hash != who.knowledge.password_hash
        counts = active and not changed and not known.attempts.locked(facts.now_ms)
        secret = self._factor.secret(account_id, known.factor)
        step = self._factor.step(secret, totp, known.last_step, facts.now_ms)
        if counts and right and step is not None:
            await knowledge.keep(facts, account_id, replace(known, last_step=step, attempts=NONE))
            return True
        if counts:
            known = replace(known, attempts=known.attempts.failed(facts.now_ms))
            if known.attempts.locked(facts.now_ms):
                facts.about(ACCOUNT.title(account_id))
                facts.note(_BAD_LOGIN)
        await knowledge.keep(facts, account_id, known)  # also when nothing differs: it takes its time
        return False

    async def _open(self, facts: Writer, account: Account) -> Opened:
        facts.about(ACCOUNT.title(account.account_id))
        session = Credential(
            role=account.role,
            subject_id=subject_of(account),
            account_id=account.account_id,
            method=CREDENTIAL_METHOD_SESSION,
            expire_time=time_of(facts.now_ms + self._session_ms),
        )
        issued = await self._issuer.issue(facts, session)
        return Opened(issued, self._signer.token(issued.credential, facts.now_ms))


def _check(password: str, login: str, field: str, before: str | None = None) -> None:
    found = list(password_rules.examine(password, login, field))
    if before is not None and canonical(before) == canonical(password):
        found.append(broken(field, PasswordRule.SAME))
    if found:
        raise InvalidFields(found)


def _tried(who: _Person) -> str:
    failures = who.knowledge.attempts.failures
    return f"after {failures} wrong attempts" if failures else ""


async def _person(facts: Reader, account: Account) -> _Person:
    return _Person(account, await knowledge.knowledge_of(facts, account.account_id))


async def _session(facts: Reader, caller: Caller) -> Credential:
    credential = await facts.held(CREDENTIAL, caller.credential)
    if credential is None or credential.method != CREDENTIAL_METHOD_SESSION:
        raise NotRegistered("session")
    return credential
