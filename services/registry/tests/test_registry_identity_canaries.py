"""Secrets stay secret: not in the history, not in the audit trail, not in what is shown or logged."""

import base64
import logging
from typing import Any

import pytest
from mesh.errors import MeshError
from mesh.settings import Secret
from mesh.testing import throwaway_keys
from parkmesh.registry.v1.vendor_pb2 import (
    CREDENTIAL_METHOD_KEY,
    CREDENTIAL_METHOD_SECRET,
    CREDENTIAL_METHOD_SIGNATURE,
)
from registry.identity.administrators import Administrator, Administrators
from registry.identity.credentials import Method
from registry.identity.testing import MASTER, PASSWORD, SECURITY, Desk

WRONG = "canary wrong password"
CHANGED = "canary changed password"
TABLES = ("changes", "audit", "facts", "names", "secrets", "codes", "passwords", "used_once", "devices_seen")
BOOTSTRAP = "canary-administrators-own-secret"


async def text_of(desk: Desk, *tables: str) -> str:
    """All that the tables hold."""
    rows = [row for table in tables for row in await desk.rows(f"SELECT * FROM {table}")]
    return "\n".join(str(tuple(row)) for row in rows)


async def lived_through(desk: Desk) -> tuple[list[str], list[Any]]:
    """Everything that has a secret, done once: the secrets, and what was given back or refused."""
    identity, shown = desk.identity, list[Any]()
    vendor = await desk.vendor()
    lot = await desk.lot()
    code = await identity.onboarding.invite(SECURITY, vendor.subject, 0)
    joined = await identity.onboarding.join(code.text.reveal(), Method.asked_for(CREDENTIAL_METHOD_SECRET))
    token = await identity.tokens.for_secret(joined.issued.credential.client_id, joined.issued.secret.reveal())
    rotated = [
        await identity.vendor_credentials.rotate(vendor, vendor.subject, method, 0)
        for method in (
            Method.asked_for(CREDENTIAL_METHOD_SIGNATURE),
            Method.asked_for(CREDENTIAL_METHOD_KEY, throwaway_keys()[1]),
        )
    ]
    device = await identity.device_credentials.rotate(SECURITY, lot, "d1", CREDENTIAL_METHOD_SECRET, 0)
    administrator = Administrator("ADMIN", "admin", Secret(BOOTSTRAP))
    await Administrators(desk.store).ensure([administrator], desk.clock.now_ms())
    account, activation = await desk.invite("zhang")
    activated = await identity.sessions.activate(activation, PASSWORD)
    person = type(await desk.person("li"))(account, activated.totp_secret.reveal())
    opened = await desk.login(person)
    for attempt in (
        identity.sessions.login("zhang", WRONG, "000000"),
        identity.sessions.activate(activation, WRONG),
        identity.onboarding.join(code.text.reveal(), Method.asked_for(CREDENTIAL_METHOD_SECRET)),
        identity.tokens.for_secret(joined.issued.credential.client_id, WRONG),
    ):
        with pytest.raises(MeshError) as refused:
            await attempt
        shown += [refused.value, refused.value.metadata, refused.value.fields, refused.value.chinese]
    desk.clock.advance(60_000)
    caller = desk.caller(person, opened)
    await identity.sessions.change_password(caller, PASSWORD, CHANGED, desk.totp(person))
    reset = await identity.accounts.reset(SECURITY, account.account_id, "")
    assert reset.code
    secrets = [
        PASSWORD,
        WRONG,
        CHANGED,
        BOOTSTRAP,
        activation,
        *(each.secret.reveal() for each in (joined.issued, rotated[0], device, opened.issued)),
        *(each.text.reveal() for each in (code, token, opened.token, reset.code)),
        activated.totp_secret.reveal(),
        base64.urlsafe_b64encode(MASTER).decode().rstrip("="),
        MASTER.hex(),
    ]
    shown += [code, joined, token, *rotated, device, administrator, activated, opened, reset, desk.settings, identity]
    return secrets, shown


async def test_no_secret_is_kept_shown_or_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "registry"):
        secrets, shown = await lived_through(desk)
    kept = await text_of(desk, *TABLES)
    told = "\n".join(f"{each} {each!r}" for each in shown)
    for number, secret in enumerate(secrets):
        assert secret
        assert secret not in kept, number
        assert secret not in told, number
        assert secret not in caplog.text, number


async def test_hashes_are_kept_apart_from_history_and_audit(desk: Desk) -> None:
    await lived_through(desk)
    hashes = [row[0] for row in await desk.rows("SELECT secret_hash FROM secrets WHERE secret_hash <> ''")]
    hashes += [row[0] for row in await desk.rows("SELECT password_hash FROM passwords WHERE password_hash <> ''")]
    hashes += [row[0] for row in await desk.rows("SELECT code_hash FROM codes")]
    assert len(hashes) >= 5
    history = await text_of(desk, "changes", "audit", "facts")
    assert all(each not in history for each in hashes)
