"""Passwords, second factors and the lock-out, without a database."""

import asyncio
import threading
import time
from typing import Any

import pyotp
import pytest
from registry.errors import TooManyLogins
from registry.identity import password_rules
from registry.identity.attempts import LOCKED_MS, MOST, NONE, Attempts
from registry.identity.knowledge import Knowledge
from registry.identity.passwords import Passwords
from registry.identity.second_factor import SecondFactor

NOW = 4_102_444_800_000
STEP = NOW // 30_000


def rules(password: str, login: str = "zhang.san") -> list[str]:
    return [violation.rule for violation in password_rules.examine(password, login, "password")]


@pytest.mark.parametrize(
    "password",
    ["password1234", "PassWord1234", "qwertyuiop12", "123456789012", "aaaaaaaaaaaa", "abcabcabcabc", "woaini1314520"],
)
def test_what_everybody_chooses_is_refused(password: str) -> None:
    assert rules(password) == ["password.common"]


def test_full_width_letters_do_not_make_a_common_password_rare() -> None:
    assert rules("ｐａｓｓｗｏｒｄ１２３４") == ["password.common"]


def test_a_password_must_not_hold_the_login() -> None:
    assert rules("Zhang.San likes cars") == ["password.login"]


@pytest.mark.parametrize("password", ["停车 is not so easy", "correct horse battery", "x7-Kd!pq92Lm"])
def test_a_long_password_of_ones_own_is_taken(password: str) -> None:
    assert rules(password) == []


def test_no_violation_says_what_was_sent() -> None:
    (violation,) = password_rules.examine("password1234", "zhang", "password")
    assert "password1234" not in str(violation)


async def test_a_password_is_kept_as_argon2id_with_its_own_salt() -> None:
    passwords = Passwords()
    first, second = await passwords.hashed("停车 is not so easy"), await passwords.hashed("停车 is not so easy")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.is_right("停车 is not so easy", first)
    assert not await passwords.is_right("停车 is not so easy!", first)
    assert not await passwords.is_right("停车 is not so easy", "")
    assert not await passwords.is_right("停车 is not so easy", "$argon2id$nonsense")


async def test_one_password_has_one_form() -> None:
    passwords = Passwords()
    kept = await passwords.hashed("ｐarking at 8 o'clock")
    assert await passwords.is_right("parking at 8 o'clock", kept)


async def test_nobodys_password_is_checked_like_anybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords()
    checked: list[str] = []
    verify = passwords._verify

    def counted(password: str, kept: str) -> bool:
        checked.append(kept)
        return verify(password, kept)

    monkeypatch.setattr(passwords, "_verify", counted)
    assert not await passwords.is_right("some password", "")
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_few_passwords_are_checked_at_once_and_not_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords()
    running, most, lock = 0, 0, threading.Lock()

    def slow(password: str, kept: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return False

    monkeypatch.setattr(passwords, "_verify", slow)
    answers = await asyncio.gather(*(passwords.is_right("x", "") for _ in range(80)), return_exceptions=True)
    assert most <= 2
    assert sum(isinstance(answer, TooManyLogins) for answer in answers) == 16
    assert await passwords.is_right("x", "") is False


def test_the_fifth_wrong_attempt_locks_and_later_ones_do_not_make_it_longer() -> None:
    attempts = NONE
    for _ in range(MOST - 1):
        attempts = attempts.failed(NOW)
        assert not attempts.locked(NOW)
    attempts = attempts.failed(NOW)
    assert attempts.locked(NOW)
    for later in (NOW + 1, NOW + LOCKED_MS - 1):
        assert attempts.failed(later) == attempts
    assert attempts.locked(NOW + LOCKED_MS - 1)
    assert not attempts.locked(NOW + LOCKED_MS)
    assert attempts.failed(NOW + LOCKED_MS) == Attempts(1, 0)


def test_a_second_factor_follows_from_master_key_account_and_count() -> None:
    factor = SecondFactor(bytes(32))
    secrets = {
        each.secret(account, count).reveal()
        for each in (factor, SecondFactor(bytes([1] * 32)))
        for account in ("account-1", "account-2")
        for count in (1, 2)
    }
    assert len(secrets) == 8
    assert all(len(secret) == 32 for secret in secrets)
    # Pinned: authenticators hold these secrets, and nobody else does.
    assert factor.secret("account-1", 1).reveal() == "KETL2CDLXQI6ENRWAE42V2TLU47KRYZN"


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_one_time_password_may_be_one_step_off(steps: int, good: bool) -> None:
    factor = SecondFactor(bytes(32))
    secret = factor.secret("account-1", 1)
    totp = pyotp.TOTP(secret.reveal()).generate_otp(STEP + steps)
    assert factor.step(secret, totp, 0, NOW) == (STEP + steps if good else None)


def test_a_step_is_good_once_and_none_before_it_afterwards() -> None:
    factor = SecondFactor(bytes(32))
    secret = factor.secret("account-1", 1)
    codes = {steps: pyotp.TOTP(secret.reveal()).generate_otp(STEP + steps) for steps in (-1, 0, 1)}
    assert factor.step(secret, codes[0], STEP, NOW) is None
    assert factor.step(secret, codes[-1], STEP, NOW) is None
    assert factor.step(secret, codes[1], STEP, NOW) == STEP + 1


def test_the_address_for_authenticators_names_platform_and_login() -> None:
    factor = SecondFactor(bytes(32))
    uri = factor.uri(factor.secret("account-1", 1), "zhang.san").reveal()
    assert uri.startswith("otpauth://totp/Parkmesh:zhang.san?secret=")
    parsed: Any = pyotp.parse_uri(uri)
    assert (parsed.issuer, parsed.name) == ("Parkmesh", "zhang.san")


def test_what_is_kept_of_a_person_is_not_shown() -> None:
    assert "canary" not in repr(Knowledge(password_hash="canary"))
    assert "canary" not in repr(SecondFactor(b"canary" * 6))
