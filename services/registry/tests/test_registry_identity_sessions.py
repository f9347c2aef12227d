"""Sessions of people, on both databases."""

import asyncio
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from mesh.caller import Caller, CallerKind
from mesh.instants import ms_of
from mesh.testing import throwaway_keys
from parkmesh.registry.v1.account_pb2 import ACCOUNT_STATE_ACTIVE
from parkmesh.registry.v1.role_pb2 import (
    ROLE_ADMINISTRATOR,
    ROLE_ANALYST,
    ROLE_AUDIT_ADMINISTRATOR,
    ROLE_COLLECTOR,
    ROLE_DEPARTMENT,
    ROLE_OPERATOR,
    ROLE_SECURITY_ADMINISTRATOR,
    ROLE_SUPERVISOR,
    Role,
)
from parkmesh.registry.v1.vendor_pb2 import CREDENTIAL_METHOD_SESSION
from registry.errors import BadCode, BadCredential, BadLogin, InvalidFields, NotRegistered
from registry.identity.sessions import Opened
from registry.identity.testing import PASSWORD, SECURITY, Desk, Person
from registry.storage.kinds import CREDENTIAL

MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
OTHER = "另一个 good password"


async def renews(desk: Desk, opened: Opened) -> bool:
    """Whether the session still gets tokens."""
    try:
        await desk.identity.tokens.for_secret(opened.issued.credential.client_id, opened.issued.secret.reveal())
    except BadCredential:
        return False
    return True


async def fails(desk: Desk, person: Person, password: str = "wrong") -> None:
    with pytest.raises(BadLogin):
        await desk.login(person, password)


async def refused(desk: Desk) -> list[tuple[Any, ...]]:
    """The refusals that the audit trail shows."""
    rows = await desk.rows("SELECT refusal, target, account_id FROM audit WHERE outcome = 'REFUSED' ORDER BY number")
    return [tuple(row) for row in rows]


async def test_an_account_is_activated_once(desk: Desk) -> None:
    account, code = await desk.invite("zhang")
    for password in ("password1234", "Zhang and his car"):
        with pytest.raises(InvalidFields) as weak:
            await desk.identity.sessions.activate(code, password)
        assert [violation.field for violation in weak.value.fields] == ["password"]
    activated = await desk.identity.sessions.activate(code, PASSWORD)
    assert activated.login == "zhang"
    assert activated.totp_secret.reveal() in activated.totp_uri.reveal()
    assert (await desk.identity.accounts.account(account.account_id)).state == ACCOUNT_STATE_ACTIVE
    for wrong in (code, "no such code"):
        with pytest.raises(BadCode):
            await desk.identity.sessions.activate(wrong, PASSWORD)
    assert await refused(desk) == []


async def test_of_activations_at_once_one_wins(desk: Desk) -> None:
    _, code = await desk.invite("zhang")
    answers = await asyncio.gather(
        *(desk.identity.sessions.activate(code, f"{PASSWORD} {number}") for number in range(3)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Activated", "BadCode", "BadCode"]


async def test_a_code_that_comes_too_late_is_refused_and_noted_once(desk: Desk) -> None:
    account, code = await desk.invite("zhang")
    desk.clock.advance(DAY)
    for _ in range(3):
        with pytest.raises(BadCode):
            await desk.identity.sessions.activate(code, PASSWORD)
    assert await refused(desk) == [("BAD_CODE", f"accounts/{account.account_id}", account.account_id)]


async def test_a_login_opens_a_session_of_the_role(desk: Desk) -> None:
    await desk.lot()
    roles: tuple[tuple[Any, dict[str, Any], str], ...] = (
        (ROLE_ADMINISTRATOR, {}, "platform"),
        (ROLE_SECURITY_ADMINISTRATOR, {}, "platform"),
        (ROLE_AUDIT_ADMINISTRATOR, {}, "platform"),
        (ROLE_OPERATOR, {"operator_id": "operator-1"}, "operator-1"),
        (ROLE_SUPERVISOR, {"department": "police"}, "police"),
        (ROLE_DEPARTMENT, {"department": "housing"}, "housing"),
        (ROLE_ANALYST, {}, "account-7"),
        (ROLE_COLLECTOR, {"lot_ids": ["lot-1"]}, "account-8"),
    )
    for number, (role, facts, subject) in enumerate(roles, 1):
        person = await desk.person(f"login-{number}", role, **facts)
        opened = await desk.login(person)
        credential, account_id = opened.issued.credential, person.account.account_id
        assert (credential.role, credential.subject_id, credential.account_id) == (role, subject, account_id)
        token = opened.token.text.reveal()
        claims = jwt.decode(token, throwaway_keys()[1], algorithms=["EdDSA"], options={"verify_iat": False})
        kind = Role.Name(role).removeprefix("ROLE_").lower()
        assert (claims["sub"], claims["subject"], claims["kind"]) == (credential.client_id, subject, kind)


async def test_a_session_renews_its_token_until_it_ends(desk: Desk) -> None:
    opened = await desk.login(await desk.person())
    assert opened.issued.credential.method == CREDENTIAL_METHOD_SESSION
    assert ms_of(opened.issued.credential.expire_time) == desk.clock.now_ms() + 8 * HOUR
    assert await renews(desk, opened)
    desk.clock.advance(8 * HOUR)
    assert not await renews(desk, opened)


async def test_what_is_wrong_with_a_login_is_told_neither_in_words_nor_by_time(desk: Desk) -> None:
    person = await desk.person("zhang")
    await desk.invite("invited")
    locked = await desk.person("locked")
    await desk.identity.accounts.lock(SECURITY, locked.account.account_id, "")
    closed = await desk.person("closed")
    await desk.identity.accounts.close(SECURITY, closed.account.account_id, "")
    desk.clock.advance(MINUTE)
    good = desk.totp(person)
    bad = f"{(int(good) + 1) % 1_000_000:06}"
    statements: list[str] = []

    @sa.event.listens_for(desk.store._engine.sync_engine, "before_cursor_execute")
    def executed(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        statements.append(statement)

    answers = []
    for login, password, totp in (
        ("nobody", PASSWORD, good),
        ("nul\0", PASSWORD, good),
        ("ZHANG", PASSWORD, good),
        ("invited", PASSWORD, good),
        ("locked", PASSWORD, desk.totp(locked)),
        ("closed", PASSWORD, desk.totp(closed)),
        ("zhang", "wrong", good),
        ("zhang", PASSWORD, bad),
    ):
        statements.clear()
        with pytest.raises(BadLogin) as failed:
            await desk.identity.sessions.login(login, password, totp)
        answers.append((failed.value.message, failed.value.metadata, failed.value.fields, tuple(statements)))
    # Each of them also asks the database the same, and has it write the same.
    assert all(answer == answers[0] for answer in answers)
    assert statements


async def test_each_login_checks_one_password(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await desk.person("zhang")
    passwords = desk.identity.sessions._passwords
    checked: list[bool] = []
    verify = passwords._verify
    monkeypatch.setattr(passwords, "_verify", lambda *texts: checked.append(True) or verify(*texts))  # type: ignore[func-returns-value]
    await fails(desk, person)
    with pytest.raises(BadLogin):
        await desk.identity.sessions.login("nobody", PASSWORD, "123456")
    await desk.login(person)
    assert len(checked) == 3


async def test_a_one_time_password_is_good_once(desk: Desk) -> None:
    person = await desk.person()
    desk.clock.advance(MINUTE)
    login = desk.identity.sessions.login
    totp = desk.totp(person)
    await login("zhang", PASSWORD, totp)
    for used in (totp, desk.totp(person, -1)):
        with pytest.raises(BadLogin):
            await login("zhang", PASSWORD, used)
    await login("zhang", PASSWORD, desk.totp(person, 1))


async def test_of_logins_at_once_with_one_code_one_wins(desk: Desk) -> None:
    person = await desk.person()
    desk.clock.advance(MINUTE)
    totp = desk.totp(person)
    answers = await asyncio.gather(
        *(desk.identity.sessions.login("zhang", PASSWORD, totp) for _ in range(3)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["BadLogin", "BadLogin", "Opened"]


async def test_five_wrong_attempts_lock_for_a_quarter_of_an_hour(desk: Desk) -> None:
    person = await desk.person()
    opened = await desk.login(person)
    for _ in range(5):
        await fails(desk, person)
    for _ in range(2):  # the last of these half a minute before the lock ends
        desk.clock.advance(27 * MINUTE // 4)
        await fails(desk, person, PASSWORD)
    # Neither did these make it longer, nor did the lock touch the session that was open.
    assert await renews(desk, opened)
    assert await desk.login(person)
    entries = await refused(desk)
    assert entries == [("BAD_LOGIN", f"accounts/{person.account.account_id}", person.account.account_id)]


async def test_a_good_login_forgets_the_wrong_ones_and_says_how_many_there_were(desk: Desk) -> None:
    person = await desk.person()
    for _ in range(2):
        for _ in range(4):
            await fails(desk, person)
        assert await desk.login(person)
    rows = await desk.rows("SELECT reason FROM changes WHERE kind = 'credential' ORDER BY revision")
    assert [row.reason for row in rows] == ["after 4 wrong attempts"] * 2
    assert await refused(desk) == []


async def test_strangers_do_not_make_the_audit_trail_long(desk: Desk) -> None:
    person = await desk.person()
    (before,) = await desk.rows("SELECT audit_number FROM numbering")
    for number in range(8):
        with pytest.raises(BadLogin):
            await desk.identity.sessions.login(f"stranger-{number}", PASSWORD, "123456")
        await fails(desk, person)
    (after,) = await desk.rows("SELECT audit_number FROM numbering")
    assert after.audit_number - before.audit_number == 1


async def test_a_login_is_in_the_audit_trail(desk: Desk) -> None:
    person = await desk.person()
    await desk.login(person)
    (entry,) = await desk.rows("SELECT * FROM audit ORDER BY number DESC LIMIT 1")
    account_id = person.account.account_id
    assert (entry.outcome, entry.target, entry.account_id, entry.role) == (
        "DONE",
        f"accounts/{account_id}",
        account_id,
        "ANALYST",
    )


@pytest.mark.parametrize("step", ["lock", "close", "reset"])
async def test_a_login_that_is_overtaken_lets_nobody_in(desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    person = await desk.person()
    passwords = desk.identity.sessions._passwords
    is_right = passwords.is_right

    async def overtaken(password: str, kept: str) -> bool:
        right = await is_right(password, kept)
        await getattr(desk.identity.accounts, step)(SECURITY, person.account.account_id, "")
        return right

    monkeypatch.setattr(passwords, "is_right", overtaken)
    await fails(desk, person, PASSWORD)
    assert await desk.rows("SELECT key FROM facts WHERE kind = 'credential'") == []


async def test_an_old_password_is_not_good_for_a_login_that_a_change_overtakes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await desk.person()
    caller = desk.caller(person, await desk.login(person))
    desk.clock.advance(MINUTE)
    passwords = desk.identity.sessions._passwords
    is_right = passwords.is_right

    async def overtaken(password: str, kept: str) -> bool:
        monkeypatch.undo()
        right = await is_right(password, kept)
        await desk.identity.sessions.change_password(caller, PASSWORD, OTHER, desk.totp(person))
        return right

    monkeypatch.setattr(passwords, "is_right", overtaken)
    with pytest.raises(BadLogin):
        await desk.identity.sessions.login("zhang", PASSWORD, desk.totp(person, 1))
    assert await desk.login(person, OTHER)


async def test_a_code_is_not_good_for_an_activation_that_a_reset_overtakes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, code = await desk.invite("zhang")
    passwords = desk.identity.sessions._passwords
    hashed = passwords.hashed

    async def overtaken(password: str) -> str:
        await desk.identity.accounts.reset(SECURITY, account.account_id, "")
        return await hashed(password)

    monkeypatch.setattr(passwords, "hashed", overtaken)
    with pytest.raises(BadCode):
        await desk.identity.sessions.activate(code, PASSWORD)


async def test_logins_and_a_lock_at_once_leave_no_session_behind(desk: Desk) -> None:
    person = await desk.person()
    desk.clock.advance(MINUTE)
    login, codes = desk.identity.sessions.login, [desk.totp(person, steps) for steps in (-1, 0, 1)]
    await asyncio.gather(
        *(login("zhang", PASSWORD, totp) for totp in codes),
        desk.identity.accounts.lock(SECURITY, person.account.account_id, ""),
        return_exceptions=True,
    )
    async with desk.store.reading() as facts:
        sessions = [held.message for held in await facts.many(CREDENTIAL, owner=person.account.account_id)]
    assert all(session.revoked for session in sessions)


async def test_who_logs_out_is_out(desk: Desk) -> None:
    person = await desk.person()
    first, second = await desk.login(person), await desk.login(person)
    for _ in range(2):
        await desk.identity.sessions.logout(desk.caller(person, first))
    assert [await renews(desk, each) for each in (first, second)] == [False, True]
    for caller in (SECURITY, Caller(CallerKind.ANALYST, "account-1", "client-99", "account-1")):
        with pytest.raises(NotRegistered):
            await desk.identity.sessions.logout(caller)


async def test_a_changed_password_ends_the_other_sessions(desk: Desk) -> None:
    person = await desk.person()
    first, second = await desk.login(person), await desk.login(person)
    caller, change = desk.caller(person, first), desk.identity.sessions.change_password
    desk.clock.advance(MINUTE)
    for weak in ("password1234", PASSWORD, "my login is zhang"):
        with pytest.raises(InvalidFields) as refusal:
            await change(caller, PASSWORD, weak, desk.totp(person))
        assert [violation.field for violation in refusal.value.fields] == ["newPassword"]
    await change(caller, PASSWORD, OTHER, desk.totp(person))
    assert [await renews(desk, each) for each in (first, second)] == [True, False]
    await fails(desk, person, PASSWORD)
    assert await desk.login(person, OTHER)


async def test_a_stolen_session_does_not_guess_the_password(desk: Desk) -> None:
    person = await desk.person()
    caller = desk.caller(person, await desk.login(person))
    for _ in range(5):
        desk.clock.advance(MINUTE)
        with pytest.raises(BadLogin):
            await desk.identity.sessions.change_password(caller, "a guess", OTHER, desk.totp(person))
    desk.clock.advance(MINUTE)
    with pytest.raises(BadLogin):
        await desk.identity.sessions.change_password(caller, PASSWORD, OTHER, desk.totp(person))
    assert len(await refused(desk)) == 1


async def test_a_session_that_has_ended_changes_no_password(desk: Desk) -> None:
    person = await desk.person()
    caller = desk.caller(person, await desk.login(person))
    await desk.identity.sessions.logout(caller)
    desk.clock.advance(MINUTE)
    with pytest.raises(BadLogin):
        await desk.identity.sessions.change_password(caller, PASSWORD, OTHER, desk.totp(person))
    with pytest.raises(NotRegistered):
        await desk.identity.sessions.change_password(SECURITY, PASSWORD, OTHER, desk.totp(person))
    assert await desk.login(person)
