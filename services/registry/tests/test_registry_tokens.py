from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import jwt
import pytest
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from mesh.settings import Secret
from mesh.testing import throwaway_keys
from parkmesh.registry.v1 import directory_service_pb2, token_service_pb2, vendor_pb2, vendor_service_pb2

SECRET = "s" * 32
ADMIN = {"admin_client_id": "admin", "admin_client_secret": Secret(SECRET)}

Start = Callable[..., AbstractAsyncContextManager[Any]]


async def issue(registry: Any, client_id: str, secret: str) -> Any:
    request = token_service_pb2.IssueTokenRequest(client_id=client_id, client_secret=secret)
    return await registry.anybody.tokens.IssueToken(request)


async def refusal(registry: Any, client_id: str, secret: str) -> tuple[grpc.StatusCode, str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await issue(registry, client_id, secret)
    status = rpc_status.from_call(caught.value)
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return caught.value.code(), info.reason, status.message


def claims(registry: Any, token: str) -> dict[str, Any]:
    assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
    # The clock of the test stands in 2100, the library looks at the machine's.
    return jwt.decode(token, throwaway_keys()[1], algorithms=["EdDSA"], options={"verify_iat": False})


async def vendor_of(registry: Any) -> str:
    vendor = vendor_pb2.Vendor(name="某停车科技公司")
    created = await registry.administrator.vendors.CreateVendor(vendor_service_pb2.CreateVendorRequest(vendor=vendor))
    return str(created.vendor_id)


async def rotate(registry: Any, vendor_id: str, overlap_seconds: int = 0) -> tuple[str, str]:
    request = vendor_service_pb2.RotateCredentialRequest(vendor_id=vendor_id, overlap_seconds=overlap_seconds)
    rotated = await registry.administrator.vendors.RotateCredential(request)
    assert not rotated.credential.HasField("expire_time")
    return rotated.credential.client_id, rotated.client_secret


async def is_good(registry: Any, credential: tuple[str, str]) -> bool:
    try:
        await issue(registry, *credential)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
            raise
        return False
    return True


async def test_a_good_credential_gives_a_token(registry: Any) -> None:
    vendor_id = await vendor_of(registry)
    client_id, secret = await rotate(registry, vendor_id)
    assert len(secret) >= 43
    registry.clock.advance(1)
    given = await issue(registry, client_id, secret)
    now_s = registry.clock.now_ms() // 1000
    assert (given.token_type, given.expires_in, given.expire_time.seconds) == ("Bearer", 900, now_s + 900)
    assert claims(registry, given.access_token) == {
        "iss": "registry",
        "sub": client_id,
        "vendor": vendor_id,
        "kind": "vendor",
        "iat": now_s,
        "exp": now_s + 900,
    }


async def test_whatever_is_wrong_with_a_credential_the_answer_is_the_same(registry: Any) -> None:
    vendor_id = await vendor_of(registry)
    client_id, secret = await rotate(registry, vendor_id)
    revoked = await rotate(registry, vendor_id, 60)
    await registry.administrator.vendors.RevokeCredential(
        vendor_service_pb2.RevokeCredentialRequest(vendor_id=vendor_id, client_id=revoked[0])
    )
    answers = {
        await refusal(registry, client_id, "wrong"),
        await refusal(registry, "client-99", secret),
        await refusal(registry, *revoked),
    }
    registry.clock.advance(60_000)
    answers.add(await refusal(registry, client_id, secret))
    assert {answer[:2] for answer in answers} == {(grpc.StatusCode.UNAUTHENTICATED, "BAD_CREDENTIAL")}
    assert len(answers) == 1


async def test_the_comparison_takes_place_for_an_unknown_client_too(
    registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def is_secret(secret: str, kept: str) -> bool:
        compared.append(secret)
        return False

    monkeypatch.setattr("registry.tokens.is_secret", is_secret)
    await refusal(registry, "client-99", "sent")
    assert compared == ["sent"]


@pytest.mark.parametrize(
    ("client_id", "secret"), [("", "x"), ("x", ""), ("x y", "x"), ("x" * 65, "x"), ("x", "x" * 257), ("x\0", "x")]
)
async def test_a_malformed_credential_is_refused(registry: Any, client_id: str, secret: str) -> None:
    assert (await refusal(registry, client_id, secret))[1] == "INVALID_FIELD"


async def test_two_credentials_are_good_while_software_changes_over(registry: Any) -> None:
    vendor_id = await vendor_of(registry)
    first = await rotate(registry, vendor_id)
    second = await rotate(registry, vendor_id, 60)
    assert await is_good(registry, first)
    assert await is_good(registry, second)
    third = await rotate(registry, vendor_id, 60)
    assert [await is_good(registry, each) for each in (first, second, third)] == [False, True, True]
    registry.clock.advance(60_000)
    assert [await is_good(registry, each) for each in (first, second, third)] == [False, False, True]
    fourth = await rotate(registry, vendor_id)
    assert [await is_good(registry, each) for each in (third, fourth)] == [False, True]


async def test_a_credential_is_revoked_for_good(registry: Any) -> None:
    vendor_id = await vendor_of(registry)
    credential = await rotate(registry, vendor_id)
    request = vendor_service_pb2.RevokeCredentialRequest(vendor_id=vendor_id, client_id=credential[0])
    ended = await registry.administrator.vendors.RevokeCredential(request)
    assert ended.revoked
    assert not await is_good(registry, credential)
    assert await registry.administrator.vendors.RevokeCredential(request) == ended
    await rotate(registry, vendor_id, 60)
    assert not await is_good(registry, credential)


async def test_another_vendors_credential_is_not_found(registry: Any) -> None:
    vendor_id = await vendor_of(registry)
    client_id, secret = await rotate(registry, vendor_id)
    for vendor, client in (("platform", client_id), (vendor_id, "client-99")):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await registry.administrator.vendors.RevokeCredential(
                vendor_service_pb2.RevokeCredentialRequest(vendor_id=vendor, client_id=client)
            )
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert await is_good(registry, (client_id, secret))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rotate(registry, "vendor-99")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_first_administrator_is_made_once_and_gets_a_new_secret_when_it_changes(start: Start) -> None:
    positions = []
    for _ in range(2):
        async with start(**ADMIN) as registry:
            token = await issue(registry, "admin", SECRET)
            assert claims(registry, token.access_token)["kind"] == "administrator"
            assert claims(registry, token.access_token)["vendor"] == "platform"
            call = registry.service("risk-control").directory.WatchDirectory(
                directory_service_pb2.WatchDirectoryRequest()
            )
            positions.append((await call.read()).revision)
            call.cancel()
    assert positions == [2, 2]
    async with start(admin_client_id="admin", admin_client_secret=Secret("n" * 32)) as registry:
        assert not await is_good(registry, ("admin", SECRET))
        assert await is_good(registry, ("admin", "n" * 32))
        await registry.administrator.vendors.RevokeCredential(
            vendor_service_pb2.RevokeCredentialRequest(vendor_id="platform", client_id="admin")
        )
    async with start(**ADMIN) as registry:
        assert not await is_good(registry, ("admin", SECRET))


@pytest.mark.parametrize(
    "told",
    [
        {"admin_client_id": "admin"},
        {"admin_client_secret": Secret(SECRET)},
        {"admin_client_id": "admin", "admin_client_secret": Secret("short")},
        {"admin_client_id": "no blank", "admin_client_secret": Secret(SECRET)},
    ],
)
async def test_half_an_administrator_stops_the_start(start: Start, told: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="REGISTRY_ADMIN_CLIENT"):
        async with start(**told):
            pass
