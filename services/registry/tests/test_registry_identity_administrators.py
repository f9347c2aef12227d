"""The first administrators, made at start from the settings."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import jwt
import pytest
from mesh.settings import Secret
from mesh.testing import throwaway_keys
from parkmesh.registry.v1 import directory_service_pb2, token_service_pb2, vendor_service_pb2
from registry.identity.administrators import Administrator, Administrators
from registry.identity.testing import Desk
from registry.storage.acts import REGISTRY

Start = Callable[..., AbstractAsyncContextManager[Any]]

NAMES = {"admin": "administrator", "security_admin": "security_administrator", "audit_admin": "audit_administrator"}
TOLD: dict[str, Any] = {f"{name}_client_id": name for name in NAMES} | {
    f"{name}_client_secret": Secret(name.ljust(32, "-")) for name in NAMES
}


async def issue(registry: Any, client_id: str, secret: str) -> Any:
    request = token_service_pb2.IssueTokenRequest(client_id=client_id, client_secret=secret)
    return await registry.anybody.tokens.IssueToken(request)


async def is_good(registry: Any, client_id: str, secret: str) -> bool:
    try:
        await issue(registry, client_id, secret)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
            raise
        return False
    return True


async def revision(registry: Any) -> int:
    call = registry.service("risk-control").directory.WatchDirectory(directory_service_pb2.WatchDirectoryRequest())
    reached: int = (await call.read()).revision
    call.cancel()
    return reached


async def test_each_is_made_once_with_its_role(start: Start) -> None:
    positions = []
    for _ in range(2):
        async with start(**TOLD) as registry:
            for name, kind in NAMES.items():
                token = (await issue(registry, name, name.ljust(32, "-"))).access_token
                claims = jwt.decode(token, throwaway_keys()[1], algorithms=["EdDSA"], options={"verify_iat": False})
                assert (claims["kind"], claims["subject"]) == (kind, "platform")
            positions.append(await revision(registry))
    assert positions == [3, 3]


async def test_another_secret_replaces_the_one_before_and_revoked_stays_revoked(start: Start) -> None:
    async with start(**TOLD):
        pass
    async with start(**TOLD | {"admin_client_secret": Secret("n" * 32)}) as registry:
        assert not await is_good(registry, "admin", "admin".ljust(32, "-"))
        assert await is_good(registry, "admin", "n" * 32)
        await registry.security.vendors.RevokeCredential(
            vendor_service_pb2.RevokeCredentialRequest(vendor_id="platform", client_id="admin")
        )
        assert not await is_good(registry, "admin", "n" * 32)
    async with start(**TOLD) as registry:
        assert not await is_good(registry, "admin", "admin".ljust(32, "-"))
        assert await is_good(registry, "audit_admin", "audit_admin".ljust(32, "-"))


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"admin_client_id": "admin"}, "REGISTRY_ADMIN_CLIENT_SECRET"),
        ({"admin_client_secret": Secret("s" * 32)}, "REGISTRY_ADMIN_CLIENT_ID"),
        ({"audit_admin_client_id": "a", "audit_admin_client_secret": Secret("short")}, "REGISTRY_AUDIT_ADMIN_CLIENT_S"),
        ({"security_admin_client_id": "no blank", "security_admin_client_secret": Secret("s" * 32)}, "REGISTRY_SECURI"),
        (TOLD | {"audit_admin_client_id": "admin"}, "each needs its own"),
        (TOLD | {"security_admin_client_secret": Secret("admin".ljust(32, "-"))}, "each needs its own"),
    ],
)
async def test_settings_that_do_not_go_together_stop_the_start(start: Start, told: dict[str, Any], text: str) -> None:
    told = {"audit_admin_client_secret": Secret("u" * 32)} | told if "audit_admin_client_id" in told else told
    with pytest.raises(ValueError, match=text) as refused:
        async with start(**told):
            pass
    assert "sss" not in str(refused.value)


async def test_a_client_id_of_somebody_else_stops_the_start(desk: Desk) -> None:
    person = await desk.person()
    session = (await desk.login(person)).issued.credential
    administrator = Administrator("ADMIN", session.client_id, Secret("s" * 32))
    with pytest.raises(ValueError, match="REGISTRY_ADMIN_CLIENT_ID"):
        await Administrators(desk.store).ensure([administrator], desk.clock.now_ms())
    role = Administrator("AUDIT_ADMIN", "second", Secret("s" * 32))
    await Administrators(desk.store).ensure([role], desk.clock.now_ms())
    with pytest.raises(ValueError, match="REGISTRY_ADMIN_CLIENT_ID"):
        await Administrators(desk.store).ensure(
            [Administrator("ADMIN", "second", Secret("s" * 32))], desk.clock.now_ms()
        )


async def test_a_new_secret_is_in_the_audit_trail(desk: Desk) -> None:
    administrators = Administrators(desk.store)
    for secret in ("s", "s", "n"):
        told = [Administrator("ADMIN", "admin", Secret(secret * 32))]
        await administrators.ensure(told, desk.clock.now_ms())
    entries = await desk.rows("SELECT target, role, subject FROM audit ORDER BY number")
    assert [tuple(entry) for entry in entries] == [("credentials/admin", REGISTRY.kind.name, REGISTRY.subject)] * 2
