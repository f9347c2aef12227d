"""People log in, work in their session and log out; what they type is never an argument, and never echoed."""

import json
import stat
from typing import Any

import grpc
import pytest
from parkmesh.registry.v1 import session_service_pb2 as service
from parkmesh.registry.v1.vendor_pb2 import Credential
from parkmesh_sdk.testing import SECRET, RefusedError

PASSWORD = "correct horse battery"
TYPED = f"{PASSWORD}\n123456\n"


@pytest.fixture
def seen(city: Any) -> list[service.LoginRequest]:
    """The logins that came; each gets a session."""
    came: list[service.LoginRequest] = []

    def login(request: service.LoginRequest) -> service.LoginResponse:
        came.append(request)
        return service.LoginResponse(credential=Credential(client_id=f"session-{len(came)}"), client_secret=SECRET)

    city.says("Login", login)
    return came


async def test_a_session_is_opened_used_and_ended(city: Any, seen: list[service.LoginRequest]) -> None:
    result = await city.run("login", "--login", "zhang", typed=TYPED)
    assert result.exit_code == 0, result.output
    assert seen == [service.LoginRequest(login="zhang", password=PASSWORD, totp="123456")]
    assert PASSWORD not in result.output
    assert SECRET not in result.output
    assert result.stdout.strip() == ""
    kept = city.folder / "state" / "parkmesh" / "session.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert PASSWORD not in kept.read_text()

    await city.done("admin", "lots", "review", "l", "--state", "active")
    await city.done("admin", "changes", "inbox")
    await city.done("admin", "changes", "receive", "1")
    await city.done("admin", "vendors", "list", "--as", "session")
    assert city.platform.client_ids == ["session-1"] * 4
    await city.done("admin", "vendors", "list")
    assert city.platform.client_ids[4:] == ["the-administrator"]

    await city.done("login", "--login", "zhang", typed=TYPED)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [each.name for each in kept.parent.iterdir()] == [kept.name]
    await city.done("logout")
    assert city.platform.client_ids[-1] == "session-2"
    assert city.platform.requests[-1] == service.LogoutRequest()
    assert not kept.exists()
    result = await city.run("logout")
    assert (result.exit_code, "parkmesh login" in result.stderr) == (1, True)


async def test_a_session_may_be_kept_elsewhere_and_names_its_platform(
    city: Any, seen: list[service.LoginRequest]
) -> None:
    kept = str(city.folder / "mine.json")
    there = ("--url", city.platform.url, "--ca", str(city.platform.ca))
    (city.folder / "demo.json").unlink()
    await city.done("login", "--login", "zhang", "--session", kept, *there, typed=TYPED)
    await city.done("admin", "vendors", "list", "--session", kept)
    assert (await city.run("admin", "vendors", "list")).exit_code == 1
    await city.done("login", "--login", "zhang", *there, typed=TYPED)
    await city.done("admin", "vendors", "list")
    assert city.platform.client_ids == ["session-1", "session-2"]
    assert len(seen) == 2


async def test_a_session_that_others_can_read_or_that_is_none_is_not_used(
    city: Any, seen: list[service.LoginRequest]
) -> None:
    await city.done("login", "--login", "zhang", typed=TYPED)
    kept = city.folder / "state" / "parkmesh" / "session.json"
    kept.chmod(0o640)
    result = await city.run("admin", "vendors", "list", "--as", "session")
    assert (result.exit_code, "read by others" in result.stderr) == (1, True)
    kept.chmod(0o600)
    kept.write_text(json.dumps({"login": "zhang"}))
    result = await city.run("admin", "vendors", "list", "--as", "session")
    assert (result.exit_code, "log in again" in result.stderr) == (1, True)
    assert city.platform.client_ids == []


async def test_a_session_that_has_ended_says_so_and_is_forgotten(city: Any, seen: list[service.LoginRequest]) -> None:
    city.says("Login", service.LoginResponse(credential=Credential(client_id="session-1"), client_secret="ended"))
    await city.done("login", "--login", "zhang", typed=TYPED)
    result = await city.run("admin", "vendors", "list", "--as", "session")
    assert result.exit_code == 1
    assert "parkmesh login" in result.stderr
    assert "重新登录" in result.stderr
    await city.done("logout")
    assert not (city.folder / "state" / "parkmesh" / "session.json").exists()


async def test_a_refused_login_leaves_the_session_that_is_open(city: Any, seen: list[service.LoginRequest]) -> None:
    await city.done("login", "--login", "zhang", typed=TYPED)
    kept = city.folder / "state" / "parkmesh" / "session.json"
    before = kept.read_text()

    def refuse(_: Any) -> Any:
        raise RefusedError(grpc.StatusCode.UNAUTHENTICATED, "LOGIN_FAILED")

    city.says("Login", refuse)
    result = await city.run("login", "--login", "zhang", typed=TYPED)
    assert (result.exit_code, "LOGIN_FAILED" in result.stderr) == (1, True)
    assert PASSWORD not in result.output
    assert kept.read_text() == before


async def test_passwords_are_no_arguments(city: Any) -> None:
    for option in ("--password", "--totp"):
        assert (await city.run("login", "--login", "zhang", option, "x")).exit_code == 2
    assert (await city.run("login", "--login", "zhang", "--ca", "x")).exit_code == 2


async def test_an_account_is_set_up_with_its_code(city: Any) -> None:
    came = []

    def activate(request: service.ActivateAccountRequest) -> service.ActivateAccountResponse:
        came.append(request)
        return service.ActivateAccountResponse(login="zhang", totp_secret="BASE32", totp_uri="otpauth://x")

    city.says("ActivateAccount", activate)
    result = await city.run("activate", typed=f"code-1\n{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    assert came == [service.ActivateAccountRequest(activation_code="code-1", password=PASSWORD)]
    assert result.stdout.split() == ["zhang", "BASE32", "otpauth://x"]
    assert "not shown again" in result.stderr
    assert PASSWORD not in result.output
