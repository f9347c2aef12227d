"""Identity as callers see it: the real server, the real rings, one database."""

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
import pyotp
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from mesh.caller import Caller, CallerKind
from parkmesh.registry.v1 import (
    account_pb2,
    account_service_pb2,
    audit_service_pb2,
    lot_pb2,
    registry_service_pb2,
    session_service_pb2,
    token_service_pb2,
    vendor_pb2,
    vendor_service_pb2,
)
from parkmesh.registry.v1.role_pb2 import ROLE_ANALYST, ROLE_DEVICE, ROLE_VENDOR

PASSWORD = "停车 is not so easy"


class Refusal:
    """What a refused call was told."""

    reason = ""
    code: grpc.StatusCode | None = None
    fields: tuple[str, ...] = ()
    body: tuple[Any, ...] = ()

    def take(self, error: grpc.aio.AioRpcError) -> None:
        status = rpc_status.from_call(error)
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        for detail in status.details:
            detail.Unpack(info)
            detail.Unpack(bad)
        self.reason, self.code = info.reason, error.code()
        self.fields = tuple(violation.field for violation in bad.field_violations)
        # All but the request's own id, which is the last detail.
        self.body = (status.code, status.message, *(detail.SerializeToString() for detail in status.details[:-1]))


@contextlib.contextmanager
def refused(reason: str) -> Iterator[Refusal]:
    refusal = Refusal()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield refusal
    refusal.take(caught.value)
    assert refusal.reason == reason


async def create_vendor(registry: Any, name: str = "某停车科技公司", **facts: Any) -> Any:
    request = vendor_service_pb2.CreateVendorRequest(vendor=vendor_pb2.Vendor(name=name, **facts), reason="新厂商")
    return await registry.administrator.vendors.CreateVendor(request)


async def rotate(client: Any, vendor_id: str, **asked: Any) -> Any:
    return await client.vendors.RotateCredential(
        vendor_service_pb2.RotateCredentialRequest(vendor_id=vendor_id, **asked)
    )


async def invite(registry: Any, login: str, role: Any = ROLE_ANALYST) -> Any:
    account = account_pb2.Account(login=login, name="某人", person_number=f"P-{login}", role=role)
    return await registry.security.accounts.CreateAccount(account_service_pb2.CreateAccountRequest(account=account))


def issue(registry: Any, **proof: str) -> Any:
    return registry.anybody.tokens.IssueToken(token_service_pb2.IssueTokenRequest(**proof))


async def test_a_vendor_joins_reports_its_key_and_rotates_it(registry: Any) -> None:
    vendor = await create_vendor(registry)
    code = await registry.security.vendors.CreateOnboardingCode(
        vendor_service_pb2.CreateOnboardingCodeRequest(vendor_id=vendor.vendor_id, valid_seconds=60)
    )
    assert code.expire_time.ToMilliseconds() == registry.clock.now_ms() + 60_000
    exchange = token_service_pb2.ExchangeOnboardingCodeRequest(code=code.code)
    joined = await registry.anybody.tokens.ExchangeOnboardingCode(exchange)
    assert joined.vendor == vendor
    assert (joined.credential.role, joined.credential.subject_id) == (ROLE_VENDOR, vendor.vendor_id)
    with refused("BAD_CODE") as refusal:
        await registry.anybody.tokens.ExchangeOnboardingCode(exchange)
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    token = await issue(registry, client_id=joined.credential.client_id, client_secret=joined.client_secret)
    assert (token.token_type, token.expires_in) == ("Bearer", 900)
    client = registry.vendor(vendor.vendor_id)
    rotated = await rotate(client, vendor.vendor_id, overlap_seconds=60)
    listed = await client.vendors.ListCredentials(
        vendor_service_pb2.ListCredentialsRequest(vendor_id=vendor.vendor_id, page_size=1)
    )
    assert [each.client_id for each in listed.credentials] == [joined.credential.client_id]
    listed = await client.vendors.ListCredentials(
        vendor_service_pb2.ListCredentialsRequest(
            vendor_id=vendor.vendor_id, page_size=1, page_token=listed.next_page_token
        )
    )
    assert list(listed.credentials) == [rotated.credential]
    assert not listed.next_page_token
    request = vendor_service_pb2.RevokeCredentialRequest(
        vendor_id=vendor.vendor_id, client_id=joined.credential.client_id
    )
    assert (await client.vendors.RevokeCredential(request)).revoked
    with refused("BAD_CREDENTIAL"):
        await issue(registry, client_id=joined.credential.client_id, client_secret=joined.client_secret)


async def test_a_foreign_vendor_is_answered_like_an_unknown_one(registry: Any) -> None:
    own, foreign = await create_vendor(registry, "甲"), await create_vendor(registry, "乙")
    credential = (await rotate(registry.security, foreign.vendor_id)).credential
    client = registry.vendor(own.vendor_id)
    messages = vendor_service_pb2
    for call, request in (
        (client.vendors.GetVendor, messages.GetVendorRequest()),
        (client.vendors.ListCredentials, messages.ListCredentialsRequest()),
        (client.vendors.RotateCredential, messages.RotateCredentialRequest()),
        (client.vendors.RevokeCredential, messages.RevokeCredentialRequest(client_id=credential.client_id)),
        (client.vendors.ListGrants, messages.ListGrantsRequest()),
    ):
        bodies = []
        for vendor_id in (foreign.vendor_id, "vendor-99"):
            request.vendor_id = vendor_id
            with refused("RESOURCE_NOT_FOUND") as refusal:
                await call(request)
            assert refusal.code is grpc.StatusCode.NOT_FOUND
            bodies.append(refusal.body)
        assert bodies[0] == bodies[1]
    assert (await client.vendors.GetVendor(messages.GetVendorRequest(vendor_id=own.vendor_id))).name == "甲"


async def test_vendors_are_listed_and_changed(registry: Any) -> None:
    vendors = [await create_vendor(registry, name) for name in "甲乙丙"]
    request = vendor_service_pb2.ListVendorsRequest(page_size=2)
    page = await registry.security.vendors.ListVendors(request)
    assert list(page.vendors) == vendors[:2]
    request.page_token = page.next_page_token
    page = await registry.security.vendors.ListVendors(request)
    assert list(page.vendors) == vendors[2:]
    assert not page.next_page_token
    update = vendor_service_pb2.UpdateVendorRequest(
        vendor_id=vendors[0].vendor_id,
        vendor=vendor_pb2.Vendor(name="丁", requests_per_second=9),
        update_mask=FieldMask(paths=["requests_per_second"]),
    )
    changed = await registry.administrator.vendors.UpdateVendor(update)
    assert (changed.name, changed.requests_per_second) == ("甲", 9)
    update.vendor.etag = vendors[0].etag
    with refused("ETAG_MISMATCH"):
        await registry.administrator.vendors.UpdateVendor(update)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"vendor_id": "mine"}, "vendor.vendorId"),
        ({"name": ""}, "vendor.name"),
        ({"requests_per_second": -1}, "vendor.requestsPerSecond"),
        ({"contacts": [{"name": "张三", "phone": "12"}]}, "vendor.contacts[0].phone"),
    ],
)
async def test_a_bad_vendor_is_refused_and_the_field_named(registry: Any, facts: dict[str, Any], field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        await create_vendor(registry, **({"name": "甲"} | facts))
    assert refusal.fields == (field,)


async def test_grants_are_given_listed_and_ended(registry: Any) -> None:
    vendor = await create_vendor(registry)
    filing = lot_pb2.Lot(
        registration_number="PT-1",
        name="城厢区胜利路停车场",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        address="胜利路 1 号",
    )
    lot = await registry.administrator.lots.CreateLot(registry_service_pb2.CreateLotRequest(lot=filing))
    give = vendor_service_pb2.GrantLotRequest(vendor_id=vendor.vendor_id, lot_id=lot.lot_id)
    given = await registry.security.vendors.GrantLot(give)
    client = registry.vendor(vendor.vendor_id)
    listing = vendor_service_pb2.ListGrantsRequest(vendor_id=vendor.vendor_id)
    assert list((await client.vendors.ListGrants(listing)).grants) == [given]
    end = vendor_service_pb2.RevokeGrantRequest(vendor_id=vendor.vendor_id, lot_id=lot.lot_id)
    ended = await registry.security.vendors.RevokeGrant(end)
    assert ended.end_time == given.start_time
    give.end_time.CopyFrom(Timestamp(seconds=1, nanos=1))
    with refused("INVALID_FIELD") as refusal:
        await registry.security.vendors.GrantLot(give)
    assert refusal.fields == ("endTime",)


@pytest.mark.parametrize(
    ("proof", "fields"),
    [
        ({"client_secret": "x"}, ("clientId",)),
        ({"client_id": "x"}, ("clientSecret",)),
        ({}, ("clientId", "clientSecret")),
        ({"client_id": "x y", "client_secret": "x"}, ("clientId",)),
        ({"client_id": "x\0", "client_secret": "x"}, ("clientId",)),
        ({"client_id": "x" * 65, "client_secret": "x"}, ("clientId",)),
        ({"client_id": "x", "client_secret": "x" * 257}, ("clientSecret",)),
        ({"client_secret": "x", "client_assertion": "x"}, ("clientSecret",)),
    ],
)
async def test_a_malformed_proof_is_refused(registry: Any, proof: dict[str, str], fields: tuple[str, ...]) -> None:
    with refused("INVALID_FIELD") as refusal:
        await issue(registry, **proof)
    assert refusal.fields == fields


async def test_a_person_is_invited_comes_in_and_goes(registry: Any) -> None:
    invited = await invite(registry, "zhang")
    account_id = invited.account.account_id
    sessions = registry.anybody.sessions
    with refused("INVALID_FIELD") as refusal:
        await sessions.ActivateAccount(
            session_service_pb2.ActivateAccountRequest(activation_code=invited.activation_code, password="short")
        )
    assert refusal.fields == ("password",)
    activated = await sessions.ActivateAccount(
        session_service_pb2.ActivateAccountRequest(activation_code=invited.activation_code, password=PASSWORD)
    )
    authenticator = pyotp.parse_uri(activated.totp_uri)
    totp = authenticator.at(registry.clock.now_ms() // 1000)  # type: ignore[attr-defined]
    login = session_service_pb2.LoginRequest(login="zhang", password=PASSWORD, totp=totp)
    opened = await sessions.Login(login)
    assert opened.access_token
    assert opened.expires_in == 900
    with refused("BAD_LOGIN") as refusal:
        await sessions.Login(login)
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    session = opened.credential
    person = registry.server.channel(Caller(CallerKind.ANALYST, account_id, session.client_id, account_id))
    own = type(sessions)(person)
    registry.clock.advance(60_000)
    totp = authenticator.at(registry.clock.now_ms() // 1000)  # type: ignore[attr-defined]
    await own.ChangePassword(
        session_service_pb2.ChangePasswordRequest(password=PASSWORD, new_password="另一个 good password", totp=totp)
    )
    await issue(registry, client_id=session.client_id, client_secret=opened.client_secret)
    await own.Logout(session_service_pb2.LogoutRequest())
    with refused("BAD_CREDENTIAL"):
        await issue(registry, client_id=session.client_id, client_secret=opened.client_secret)
    entries = (await registry.auditor.audit.ListAuditEntries(audit_service_pb2.ListAuditEntriesRequest())).entries
    assert [entry.action for entry in entries] == [
        "AccountService.CreateAccount",
        "SessionService.ActivateAccount",
        "SessionService.Login",
        "SessionService.ChangePassword",
        "SessionService.Logout",
    ]
    assert {entry.target for entry in entries} == {f"accounts/{account_id}"}


async def test_accounts_are_the_security_administrators_alone(registry: Any) -> None:
    invited = await invite(registry, "zhang")
    account_id = invited.account.account_id
    messages = account_service_pb2
    accounts = registry.security.accounts
    assert await accounts.GetAccount(messages.GetAccountRequest(account_id=account_id)) == invited.account
    assert list((await accounts.ListAccounts(messages.ListAccountsRequest())).accounts) == [invited.account]
    changed = await accounts.UpdateAccount(
        messages.UpdateAccountRequest(account_id=account_id, account=account_pb2.Account(name="新名"))
    )
    assert changed.name == "新名"
    locked = await accounts.LockAccount(messages.LockAccountRequest(account_id=account_id))
    assert locked.state == account_pb2.ACCOUNT_STATE_LOCKED
    opened = await accounts.UnlockAccount(messages.UnlockAccountRequest(account_id=account_id))
    assert opened.state == account_pb2.ACCOUNT_STATE_INVITED
    reset = await accounts.ResetAccount(messages.ResetAccountRequest(account_id=account_id))
    assert reset.activation_code != invited.activation_code
    closed = await accounts.CloseAccount(messages.CloseAccountRequest(account_id=account_id))
    assert closed.state == account_pb2.ACCOUNT_STATE_CLOSED
    with refused("STATE_NOT_ALLOWED"):
        await accounts.UnlockAccount(messages.UnlockAccountRequest(account_id=account_id))
    for client in (registry.administrator, registry.auditor, registry.vendor("vendor-1")):
        with refused("METHOD_NOT_ALLOWED"):
            await client.accounts.GetAccount(messages.GetAccountRequest(account_id=account_id))


@pytest.mark.parametrize("role", [0, ROLE_VENDOR, ROLE_DEVICE, 99])
async def test_nobody_gets_an_account_of_software(registry: Any, role: Any) -> None:
    with refused("INVALID_FIELD") as refusal:
        await invite(registry, "zhang", role)
    assert refusal.fields == ("account.role",)
