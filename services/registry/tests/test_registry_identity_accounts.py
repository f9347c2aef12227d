"""Accounts of people, on both databases."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mesh.caller import Caller, CallerKind
from parkmesh.registry.v1.account_pb2 import (
    ACCOUNT_STATE_ACTIVE,
    ACCOUNT_STATE_CLOSED,
    ACCOUNT_STATE_INVITED,
    ACCOUNT_STATE_LOCKED,
    Account,
)
from parkmesh.registry.v1.role_pb2 import (
    ROLE_ADMINISTRATOR,
    ROLE_ANALYST,
    ROLE_AUDIT_ADMINISTRATOR,
    ROLE_COLLECTOR,
    ROLE_DEPARTMENT,
    ROLE_OPERATOR,
    ROLE_SECURITY_ADMINISTRATOR,
    ROLE_SUPERVISOR,
)
from registry.errors import (
    AlreadyRegistered,
    BadCode,
    BadCredential,
    BadLogin,
    EtagMismatch,
    InvalidFields,
    NotRegistered,
    RolesNotSeparate,
    StateNotAllowed,
)
from registry.identity.accounts import Accounts, Invited
from registry.identity.sessions import Opened
from registry.identity.testing import PASSWORD, SECURITY, SYSTEM, Desk, Person

DAY = 86_400_000
ADMINISTRATORS = (ROLE_ADMINISTRATOR, ROLE_SECURITY_ADMINISTRATOR, ROLE_AUDIT_ADMINISTRATOR)

Step = Callable[[Accounts, Caller, str], Awaitable[Any]]
STEPS: dict[str, Step] = {
    "update": lambda accounts, by, account: accounts.update(by, account, Account(name="新名"), FieldMask(), ""),
    "lock": lambda accounts, by, account: accounts.lock(by, account, ""),
    "unlock": lambda accounts, by, account: accounts.unlock(by, account, ""),
    "close": lambda accounts, by, account: accounts.close(by, account, ""),
    "reset": lambda accounts, by, account: accounts.reset(by, account, ""),
}


async def renews(desk: Desk, opened: Opened) -> bool:
    """Whether the session still gets tokens."""
    try:
        await desk.identity.tokens.for_secret(opened.issued.credential.client_id, opened.issued.secret.reveal())
    except BadCredential:
        return False
    return True


async def security_administrator(desk: Desk) -> tuple[Person, Caller]:
    person = await desk.person("keeper", ROLE_SECURITY_ADMINISTRATOR)
    return person, desk.caller(person, await desk.login(person))


async def test_an_account_is_created_invited_and_given_back(desk: Desk) -> None:
    account, code = await desk.invite("zhang")
    assert account.state == ACCOUNT_STATE_INVITED
    assert account.etag
    assert len(code) == 43
    assert await desk.identity.accounts.account(account.account_id) == account
    other, _ = await desk.invite("li")
    assert await desk.identity.accounts.list("", 9) == [account, other]
    assert await desk.identity.accounts.list(account.account_id, 9) == [other]
    with pytest.raises(AlreadyRegistered):
        await desk.invite("zhang")
    for call in (desk.identity.accounts.account("account-99"), desk.identity.accounts.lock(SECURITY, "account-99", "")):
        with pytest.raises(NotRegistered):
            await call


async def test_an_account_that_is_not_whole_is_refused(desk: Desk) -> None:
    wrong: tuple[tuple[Any, dict[str, Any], str], ...] = (
        (ROLE_OPERATOR, {}, "account.operatorId"),
        (ROLE_OPERATOR, {"operator_id": "operator-99"}, "account.operatorId"),
        (ROLE_SUPERVISOR, {}, "account.department"),
        (ROLE_COLLECTOR, {"lot_ids": ["lot-99"]}, "account.lotIds[0]"),
        (ROLE_ANALYST, {"department": "police"}, "account.department"),
        (ROLE_ANALYST, {"account_id": "mine"}, "account.accountId"),
        (ROLE_ANALYST, {"state": ACCOUNT_STATE_ACTIVE}, "account.state"),
        (ROLE_ANALYST, {"etag": "1"}, "account.etag"),
    )
    for role, facts, field in wrong:
        with pytest.raises(InvalidFields) as refused:
            await desk.invite("zhang", role, **facts)
        assert [violation.field for violation in refused.value.fields] == [field]
    assert await desk.identity.accounts.list("", 9) == []


async def test_the_three_administrators_are_separate_persons(desk: Desk) -> None:
    for number, (first, second) in enumerate(itertools.product(ADMINISTRATORS, repeat=2)):
        await desk.invite(f"one-{number}", first, person_number=f"P-{number}")
        await desk.invite(f"analyst-{number}", ROLE_ANALYST, person_number=f"P-{number}")
        await desk.invite(f"another-{number}", second, person_number=f"Q-{number}")
        if first == second:
            await desk.invite(f"two-{number}", second, person_number=f"p-{number}")
        else:
            with pytest.raises(RolesNotSeparate):
                await desk.invite(f"two-{number}", second, person_number=f"p-{number}")


async def test_who_was_an_administrator_waits_before_being_another(desk: Desk) -> None:
    account, _ = await desk.invite("one", ROLE_ADMINISTRATOR, person_number="P-7")
    await desk.identity.accounts.close(SECURITY, account.account_id, "换岗")
    desk.clock.advance(90 * DAY - 1)
    with pytest.raises(RolesNotSeparate):
        await desk.invite("two", ROLE_AUDIT_ADMINISTRATOR, person_number="P-7")
    desk.clock.advance(1)
    await desk.invite("two", ROLE_AUDIT_ADMINISTRATOR, person_number="P-7")


async def test_nobody_decides_about_himself(desk: Desk) -> None:
    keeper, caller = await security_administrator(desk)
    accounts = desk.identity.accounts
    for name in ("update", "unlock", "close", "reset"):
        with pytest.raises(RolesNotSeparate):
            await STEPS[name](accounts, caller, keeper.account.account_id)
    for role in (ROLE_ANALYST, ROLE_SECURITY_ADMINISTRATOR):
        with pytest.raises(RolesNotSeparate):
            await accounts.create(
                caller,
                Account(login="second", name="某人", person_number=keeper.account.person_number.lower(), role=role),
                "",
            )
    assert await accounts.account(keeper.account.account_id) == (await accounts.list("", 1))[0]
    other, _ = await desk.invite("other")
    await accounts.lock(caller, other.account_id, "")
    await accounts.lock(caller, keeper.account.account_id, "怀疑被盗用")
    with pytest.raises(BadLogin):
        await desk.login(keeper)


@pytest.mark.parametrize("name", ["lock", "close", "reset"])
async def test_who_is_shut_out_is_out_at_once(desk: Desk, name: str) -> None:
    person, other = await desk.person("zhang"), await desk.person("li")
    sessions = [await desk.login(person), await desk.login(person)]
    kept = await desk.login(other)
    (before,) = await desk.rows("SELECT revision FROM numbering")
    await STEPS[name](desk.identity.accounts, SECURITY, person.account.account_id)
    assert [await renews(desk, each) for each in (*sessions, kept)] == [False, False, True]
    with pytest.raises(BadLogin):
        await desk.login(person)
    # In one transaction: whoever sees the one sees the other.
    (sealed,) = await desk.rows(
        f"SELECT first_revision, last_revision FROM audit WHERE first_revision = {before.revision + 1}"
    )
    assert sealed.last_revision - sealed.first_revision == 2


async def test_a_locked_account_is_opened_again(desk: Desk) -> None:
    person = await desk.person()
    accounts, account_id = desk.identity.accounts, person.account.account_id
    locked = await accounts.lock(SECURITY, account_id, "离岗")
    assert locked.state == ACCOUNT_STATE_LOCKED
    assert await accounts.lock(SECURITY, account_id, "") == locked
    with pytest.raises(StateNotAllowed) as refused:
        await accounts.reset(SECURITY, account_id, "")
    assert refused.value.metadata == {"state": "LOCKED"}
    assert (await accounts.unlock(SECURITY, account_id, "")).state == ACCOUNT_STATE_ACTIVE
    assert await desk.login(person)


async def test_an_invitation_does_not_work_while_it_is_locked(desk: Desk) -> None:
    account, code = await desk.invite("zhang")
    await desk.identity.accounts.lock(SECURITY, account.account_id, "")
    with pytest.raises(BadCode):
        await desk.identity.sessions.activate(code, PASSWORD)
    assert (await desk.identity.accounts.unlock(SECURITY, account.account_id, "")).state == ACCOUNT_STATE_INVITED
    await desk.identity.sessions.activate(code, PASSWORD)


async def test_unlocking_ends_a_lock_out_too(desk: Desk) -> None:
    person = await desk.person()
    for _ in range(5):
        with pytest.raises(BadLogin):
            await desk.login(person, "wrong")
    with pytest.raises(BadLogin):
        await desk.login(person)
    await desk.identity.accounts.unlock(SECURITY, person.account.account_id, "")
    assert await desk.login(person)


async def test_a_closed_account_stays_closed_and_its_login_taken(desk: Desk) -> None:
    person = await desk.person()
    accounts, account_id = desk.identity.accounts, person.account.account_id
    closed = await accounts.close(SECURITY, account_id, "离职")
    assert closed.state == ACCOUNT_STATE_CLOSED
    desk.clock.advance(DAY)
    assert await accounts.close(SECURITY, account_id, "") == closed
    for name in ("update", "lock", "unlock", "reset"):
        with pytest.raises(StateNotAllowed) as refused:
            await STEPS[name](accounts, SECURITY, account_id)
        assert refused.value.metadata == {"state": "CLOSED"}
    with pytest.raises(AlreadyRegistered):
        await desk.invite("zhang", person_number="P-9")
    assert await desk.rows("SELECT password_hash FROM passwords WHERE password_hash <> ''") == []


async def test_closing_an_account_ends_its_code(desk: Desk) -> None:
    account, code = await desk.invite("zhang")
    await desk.identity.accounts.close(SECURITY, account.account_id, "")
    with pytest.raises(BadCode):
        await desk.identity.sessions.activate(code, PASSWORD)
    assert await desk.rows("SELECT holder FROM codes") == []


def code_of(invited: Invited) -> str:
    assert invited.code
    return invited.code.text.reveal()


async def test_nobody_makes_an_administrator_alone(desk: Desk) -> None:
    accounts = desk.identity.accounts
    stated = Account(login="wang", name="某人", person_number="P-9", role=ROLE_ADMINISTRATOR)
    made = await accounts.create(SECURITY, stated, "")
    assert made.code is None
    assert await desk.rows("SELECT holder FROM codes") == []
    confirmed = await accounts.confirm(SYSTEM, made.account.account_id, "本人到场")
    await desk.identity.sessions.activate(code_of(confirmed), PASSWORD)
    with pytest.raises(StateNotAllowed):
        await accounts.confirm(SYSTEM, made.account.account_id, "")
    # Nor does whoever resets one get hold of it.
    assert (await accounts.reset(SECURITY, made.account.account_id, "")).code is None
    assert await desk.rows("SELECT holder FROM codes") == []
    code_of(await accounts.confirm(SYSTEM, made.account.account_id, ""))
    analyst, _ = await desk.invite("zhang")
    with pytest.raises(StateNotAllowed):
        await accounts.confirm(SYSTEM, analyst.account_id, "")
    with pytest.raises(NotRegistered):
        await accounts.confirm(SYSTEM, "nobody", "")


async def test_a_reset_takes_password_and_second_factor_away(desk: Desk) -> None:
    person = await desk.person()
    invited = await desk.identity.accounts.reset(SECURITY, person.account.account_id, "手机丢失")
    assert invited.account.state == ACCOUNT_STATE_INVITED
    activated = await desk.identity.sessions.activate(code_of(invited), PASSWORD)
    assert activated.totp_secret.reveal() != person.totp_secret
    with pytest.raises(BadLogin):
        await desk.login(person)
    assert await desk.login(Person(person.account, activated.totp_secret.reveal()))


async def test_a_reset_ends_the_code_of_before(desk: Desk) -> None:
    account, code = await desk.invite("zhang")
    invited = await desk.identity.accounts.reset(SECURITY, account.account_id, "")
    with pytest.raises(BadCode):
        await desk.identity.sessions.activate(code, PASSWORD)
    await desk.identity.sessions.activate(code_of(invited), PASSWORD)


async def test_an_account_is_changed_by_mask_but_never_who_it_is(desk: Desk) -> None:
    account, _ = await desk.invite("zhang", ROLE_DEPARTMENT, department="housing")
    accounts = desk.identity.accounts
    for name in ("login", "role", "person_number", "state", "account_id"):
        with pytest.raises(InvalidFields):
            await accounts.update(SECURITY, account.account_id, Account(), FieldMask(paths=[name]), "")
    with pytest.raises(EtagMismatch):
        await accounts.update(SECURITY, account.account_id, Account(etag="0"), FieldMask(), "")
    patch = Account(name="新名", role=ROLE_ADMINISTRATOR, login="wang", state=ACCOUNT_STATE_ACTIVE)
    with pytest.raises(InvalidFields) as refused:
        await accounts.update(SECURITY, account.account_id, patch, FieldMask(), "改名")
    assert {field.field for field in refused.value.fields} == {"account.role", "account.login", "account.state"}
    patch = Account(name="新名", role=ROLE_DEPARTMENT, login="zhang")
    changed = await accounts.update(SECURITY, account.account_id, patch, FieldMask(), "改名")
    assert (changed.name, changed.role, changed.login) == ("新名", ROLE_DEPARTMENT, "zhang")
    assert changed.state == ACCOUNT_STATE_INVITED


async def test_sessions_end_when_the_person_speaks_for_somebody_else(desk: Desk) -> None:
    await desk.lot(1)
    await desk.lot(2)
    person = await desk.person("zhang", ROLE_OPERATOR, operator_id="operator-1")
    opened = await desk.login(person)
    accounts, account_id = desk.identity.accounts, person.account.account_id
    await accounts.update(SECURITY, account_id, Account(name="新名"), FieldMask(paths=["name"]), "")
    assert await renews(desk, opened)
    await accounts.update(SECURITY, account_id, Account(operator_id="operator-2"), FieldMask(), "")
    assert not await renews(desk, opened)
    assert (await desk.login(person)).issued.credential.subject_id == "operator-2"


async def test_callers_without_an_account_are_nobodys_self(desk: Desk) -> None:
    account, _ = await desk.invite("zhang", person_number="P-1")
    bootstrap = Caller(CallerKind.SECURITY_ADMINISTRATOR, "platform", "security-admin")
    assert (await desk.identity.accounts.lock(bootstrap, account.account_id, "")).state == ACCOUNT_STATE_LOCKED
