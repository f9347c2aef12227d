"""Vendors, how they join, their credentials and grants, on both databases."""

import asyncio
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mesh.caller import Caller, CallerKind
from mesh.instants import ms_of, time_of
from mesh.testing import SequentialIds, throwaway_keys
from parkmesh.registry.v1.device_pb2 import DEVICE_TYPE_BARRIER, Device
from parkmesh.registry.v1.gate_pb2 import (
    SERVICE_STATE_IN_SERVICE,
    SERVICE_STATE_OUT_OF_SERVICE,
    SERVICE_STATE_RETIRED,
)
from parkmesh.registry.v1.role_pb2 import ROLE_ADMINISTRATOR, ROLE_DEVICE, ROLE_VENDOR
from parkmesh.registry.v1.vendor_pb2 import (
    CREDENTIAL_METHOD_KEY,
    CREDENTIAL_METHOD_SECRET,
    CREDENTIAL_METHOD_SIGNATURE,
    Credential,
    Vendor,
)
from registry.errors import (
    AlreadyRegistered,
    BadCode,
    BadCredential,
    EtagMismatch,
    InvalidFields,
    LotNotFound,
    NotRegistered,
    StateNotAllowed,
)
from registry.identity.credentials import Issued, Method
from registry.identity.testing import MASTER, SECURITY, SYSTEM, Desk
from registry.static.register import Register
from registry.storage.kinds import CREDENTIAL
from registry.storage.reader import is_over
from vocabulary.request_signature import signing_key

SECOND = 1000
DAY = 86_400_000
SECRET = Method.asked_for(CREDENTIAL_METHOD_SECRET)


async def rotate(desk: Desk, vendor: Caller, overlap_ms: int = 0, by: Caller = SECURITY) -> Issued:
    return await desk.identity.vendor_credentials.rotate(by, vendor.subject, SECRET, overlap_ms)


async def is_good(desk: Desk, issued: Issued) -> bool:
    try:
        await desk.identity.tokens.for_secret(issued.credential.client_id, issued.secret.reveal())
    except BadCredential:
        return False
    return True


async def live(desk: Desk, vendor: Caller) -> set[str]:
    found = await desk.identity.vendor_credentials.list(SECURITY, vendor.subject, "", 100)
    return {each.client_id for each in found if not is_over(each, desk.clock.now_ms())}


async def refusal(call: Any) -> tuple[Any, ...]:
    with pytest.raises(NotRegistered) as refused:
        await call
    error = refused.value
    return error.reason, error.message, error.metadata, error.fields


async def test_a_vendor_is_registered_once_and_changed_by_mask(desk: Desk) -> None:
    vendors = desk.identity.vendors
    created = await vendors.create(SYSTEM, Vendor(name="某公司", requests_per_second=50), "新厂商")
    assert created.etag
    assert ms_of(created.create_time) == desk.clock.now_ms()
    with pytest.raises(AlreadyRegistered):
        await vendors.create(SYSTEM, Vendor(name="某公司"), "")
    for stated in (
        Vendor(name="x", vendor_id="mine"),
        Vendor(name="x", etag="7"),
        Vendor(name="x", create_time=time_of(1)),
    ):
        with pytest.raises(InvalidFields):
            await vendors.create(SYSTEM, stated, "")
    patch = Vendor(name="新名称", requests_per_second=7, etag=created.etag)
    changed = await vendors.update(SYSTEM, created.vendor_id, patch, FieldMask(paths=["name"]), "改名")
    assert (changed.name, changed.requests_per_second) == ("新名称", 50)
    assert await vendors.vendor(SYSTEM, created.vendor_id) == changed
    with pytest.raises(EtagMismatch) as stale:
        await vendors.update(SYSTEM, created.vendor_id, patch, FieldMask(), "")
    assert stale.value.metadata == {"etag": changed.etag}
    with pytest.raises(InvalidFields):
        await vendors.update(SYSTEM, created.vendor_id, Vendor(name=" x"), FieldMask(paths=["name"]), "")
    cleared = await vendors.update(SYSTEM, created.vendor_id, Vendor(), FieldMask(paths=["requests_per_second"]), "")
    assert (cleared.name, cleared.requests_per_second) == ("新名称", 0)
    assert [row.reason for row in await desk.rows("SELECT reason FROM changes ORDER BY revision")] == [
        "新厂商",
        "改名",
        "",
    ]


async def test_a_foreign_vendor_looks_like_one_that_is_not_there(desk: Desk) -> None:
    own, foreign = await desk.vendor("甲"), await desk.vendor("乙")
    identity = desk.identity
    lot = await desk.lot()
    await identity.grants.give(SECURITY, foreign.subject, lot, None, None)
    issued = await rotate(desk, foreign)
    client = issued.credential.client_id
    for call in (
        lambda vendor_id: identity.vendors.vendor(own, vendor_id),
        lambda vendor_id: identity.vendor_credentials.list(own, vendor_id, "", 10),
        lambda vendor_id: identity.vendor_credentials.rotate(own, vendor_id, SECRET, 0),
        lambda vendor_id: identity.vendor_credentials.revoke(own, vendor_id, client),
        lambda vendor_id: identity.grants.list(own, vendor_id, "", 10),
    ):
        assert (
            await refusal(call(foreign.subject)) == await refusal(call("vendor-99")) == await refusal(call("platform"))
        )
    assert await refusal(identity.vendor_credentials.revoke(own, own.subject, client)) == await refusal(
        identity.vendor_credentials.revoke(own, own.subject, "client-99")
    )
    assert await is_good(desk, issued)
    assert (await identity.vendors.vendor(own, own.subject)).name == "甲"


async def test_two_credentials_are_good_while_software_changes_over(desk: Desk) -> None:
    vendor = await desk.vendor()
    first = await rotate(desk, vendor)
    second = await rotate(desk, vendor, 60 * SECOND, by=vendor)
    assert [await is_good(desk, each) for each in (first, second)] == [True, True]
    third = await rotate(desk, vendor, 60 * SECOND)
    assert [await is_good(desk, each) for each in (first, second, third)] == [False, True, True]
    desk.clock.advance(60 * SECOND)
    assert [await is_good(desk, each) for each in (first, second, third)] == [False, False, True]
    fourth = await rotate(desk, vendor)
    assert [await is_good(desk, each) for each in (third, fourth)] == [False, True]


async def test_of_rotations_at_once_two_credentials_stay_at_most(desk: Desk) -> None:
    vendor = await desk.vendor()
    await rotate(desk, vendor)
    issued = await asyncio.gather(*(rotate(desk, vendor, DAY) for _ in range(4)))
    good = [await is_good(desk, each) for each in issued]
    assert sum(good) == 2
    assert len(await live(desk, vendor)) == 2


async def test_an_end_that_is_set_is_never_put_off(desk: Desk) -> None:
    vendor, credentials = await desk.vendor(), desk.identity.vendor_credentials
    first = await rotate(desk, vendor)
    second = await rotate(desk, vendor, 60 * SECOND)
    await credentials.revoke(vendor, vendor.subject, second.credential.client_id)
    await rotate(desk, vendor, DAY)
    ends = {
        each.client_id: ms_of(each.expire_time) - desk.clock.now_ms()
        for each in await credentials.list(vendor, vendor.subject, "", 10)
        if each.HasField("expire_time")
    }
    assert ends == {first.credential.client_id: 60 * SECOND}


async def test_a_credential_is_revoked_for_good(desk: Desk) -> None:
    vendor = await desk.vendor()
    issued = await rotate(desk, vendor)
    client = issued.credential.client_id
    revoked = await desk.identity.vendor_credentials.revoke(vendor, vendor.subject, client)
    assert revoked.revoked
    assert not await is_good(desk, issued)
    assert await desk.identity.vendor_credentials.revoke(SECURITY, vendor.subject, client) == revoked
    await rotate(desk, vendor, DAY)
    assert not await is_good(desk, issued)
    assert len(await live(desk, vendor)) == 1


async def test_each_method_gives_what_it_is_proved_with(desk: Desk) -> None:
    vendor = await desk.vendor()
    secret = await rotate(desk, vendor)
    assert len(secret.secret.reveal()) == 43
    assert (secret.credential.role, secret.credential.subject_id) == (ROLE_VENDOR, vendor.subject)
    method = Method.asked_for(CREDENTIAL_METHOD_SIGNATURE)
    signature = await desk.identity.vendor_credentials.rotate(vendor, vendor.subject, method, 0)
    assert signature.secret.reveal() == signing_key(MASTER, signature.credential.client_id)
    assert signature.credential.method == CREDENTIAL_METHOD_SIGNATURE
    method = Method.asked_for(CREDENTIAL_METHOD_KEY, throwaway_keys()[1])
    key = await desk.identity.vendor_credentials.rotate(vendor, vendor.subject, method, 0)
    assert key.secret.reveal() == ""
    assert {row.client_id for row in await desk.rows("SELECT client_id FROM secrets")} == {
        secret.credential.client_id,
        key.credential.client_id,
    }


async def test_a_code_is_exchanged_once_for_a_credential(desk: Desk) -> None:
    vendor, onboarding = await desk.vendor(), desk.identity.onboarding
    code = await onboarding.invite(SECURITY, vendor.subject, 0)
    assert code.expire_ms == desk.clock.now_ms() + 7 * DAY
    joined = await onboarding.join(code.text.reveal(), SECRET)
    assert joined.vendor == await desk.identity.vendors.vendor(SECURITY, vendor.subject)
    assert await is_good(desk, joined.issued)
    for wrong in (code.text.reveal(), "no such code", "nul\0"):
        with pytest.raises(BadCode):
            await onboarding.join(wrong, SECRET)
    assert await live(desk, vendor) == {joined.issued.credential.client_id}


async def test_of_exchanges_at_once_one_wins(desk: Desk) -> None:
    vendor, onboarding = await desk.vendor(), desk.identity.onboarding
    code = (await onboarding.invite(SECURITY, vendor.subject, 0)).text.reveal()
    answers = await asyncio.gather(*(onboarding.join(code, SECRET) for _ in range(4)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["BadCode", "BadCode", "BadCode", "Joined"]
    assert len(await live(desk, vendor)) == 1


async def test_a_code_ends_with_its_time_and_with_the_next_one(desk: Desk) -> None:
    vendor, onboarding = await desk.vendor(), desk.identity.onboarding
    first = (await onboarding.invite(SECURITY, vendor.subject, 60 * SECOND)).text.reveal()
    second = (await onboarding.invite(SECURITY, vendor.subject, 60 * SECOND)).text.reveal()
    with pytest.raises(BadCode):
        await onboarding.join(first, SECRET)
    desk.clock.advance(60 * SECOND)
    for _ in range(3):
        with pytest.raises(BadCode):
            await onboarding.join(second, SECRET)
    assert await live(desk, vendor) == set()
    # A stranger's guesses leave no trace; the one use of a code that was too late leaves one.
    entries = await desk.rows("SELECT outcome, refusal, target FROM audit WHERE outcome = 'REFUSED'")
    assert [tuple(entry) for entry in entries] == [("REFUSED", "BAD_CODE", f"vendors/{vendor.subject}")]


async def test_who_joins_anew_has_lost_the_credentials_of_before(desk: Desk) -> None:
    vendor = await desk.vendor()
    lost = await rotate(desk, vendor)
    code = await desk.identity.onboarding.invite(SECURITY, vendor.subject, 0)
    assert await is_good(desk, lost)
    joined = await desk.identity.onboarding.join(code.text.reveal(), SECRET)
    assert [await is_good(desk, each) for each in (lost, joined.issued)] == [False, True]


async def test_codes_are_for_vendors_that_are_there_and_for_nothing_else(desk: Desk) -> None:
    with pytest.raises(NotRegistered):
        await desk.identity.onboarding.invite(SECURITY, "vendor-99", 0)
    _, activation = await desk.invite("zhang")
    with pytest.raises(BadCode):
        await desk.identity.onboarding.join(activation, SECRET)


async def test_a_grant_has_its_times_and_ends_at_once(desk: Desk) -> None:
    vendor, lot, grants = await desk.vendor(), await desk.lot(), desk.identity.grants
    now = desk.clock.now_ms()
    given = await grants.give(SECURITY, vendor.subject, lot, None, now + DAY)
    assert (ms_of(given.start_time), ms_of(given.end_time)) == (now, now + DAY)
    again = await grants.give(SECURITY, vendor.subject, lot, now + SECOND, None)
    assert not again.HasField("end_time")
    assert await grants.list(vendor, vendor.subject, "", 10) == [again]
    desk.clock.advance(2 * SECOND)
    ended = await grants.end(SECURITY, vendor.subject, lot)
    assert ms_of(ended.end_time) == now + 2 * SECOND
    desk.clock.advance(SECOND)
    assert await grants.end(SECURITY, vendor.subject, lot) == ended
    with pytest.raises(InvalidFields) as refused:
        await grants.give(SECURITY, vendor.subject, lot, now, now)
    assert [violation.field for violation in refused.value.fields] == ["endTime"]
    with pytest.raises(LotNotFound):
        await grants.give(SECURITY, vendor.subject, "lot-99", None, None)
    for call in (
        grants.give(SECURITY, "vendor-99", lot, None, None),
        grants.end(SECURITY, vendor.subject, "lot-99"),
    ):
        with pytest.raises(NotRegistered):
            await call


@pytest.mark.parametrize("ended_ms", [None, SECOND])
async def test_with_a_grant_end_the_credentials_that_the_vendor_got_for_devices(
    desk: Desk, ended_ms: int | None
) -> None:
    """Whoever may not speak for a lot any more has no device's secret left to speak with."""
    vendor, other, lots = await desk.vendor(), await desk.vendor("另一公司"), [await desk.lot(n) for n in (1, 2)]
    ends = None if ended_ms is None else desk.clock.now_ms() + ended_ms
    for lot in lots:
        await desk.identity.grants.give(SECURITY, vendor.subject, lot, None, ends)
    await desk.add(Device(lot_id=lots[0], device_id="d2"), Device(lot_id=lots[0], device_id="d3"))
    devices = [(vendor, lots[0], "d1"), (other, lots[0], "d2"), (SECURITY, lots[0], "d3"), (vendor, lots[1], "d1")]
    rotate_device = desk.identity.device_credentials.rotate
    issued = [await rotate_device(by, lot, name, CREDENTIAL_METHOD_SECRET, 0) for by, lot, name in devices]
    own = await rotate(desk, vendor, by=vendor)
    desk.clock.advance(2 * SECOND)
    await desk.identity.grants.end(SECURITY, vendor.subject, lots[0])
    assert [await is_good(desk, each) for each in (*issued, own)] == [False, True, True, True, True]


async def test_lists_go_on_where_a_page_ended(desk: Desk) -> None:
    vendor = await desk.vendor()
    issued = [(await rotate(desk, vendor)).credential.client_id for _ in range(3)]
    credentials = desk.identity.vendor_credentials
    assert [each.client_id for each in await credentials.list(vendor, vendor.subject, "", 2)] == issued[:2]
    assert [each.client_id for each in await credentials.list(vendor, vendor.subject, issued[1], 2)] == issued[2:]
    lots = [await desk.lot(number) for number in (1, 2, 3)]
    for lot in lots:
        await desk.identity.grants.give(SECURITY, vendor.subject, lot, None, None)
    assert [each.lot_id for each in await desk.identity.grants.list(vendor, vendor.subject, lots[0], 5)] == lots[1:]
    other = await desk.vendor("另一公司")
    assert [each.vendor_id for each in await desk.identity.vendors.list(vendor.subject, 9)] == [other.subject]
    assert await credentials.list(SECURITY, other.subject, "", 9) == []


async def test_a_device_has_a_credential_for_its_one_lot(desk: Desk) -> None:
    lot, devices = await desk.lot(), desk.identity.device_credentials
    first = await devices.rotate(SECURITY, lot, "d1", CREDENTIAL_METHOD_SECRET, 0)
    assert first.credential == Credential(
        client_id=first.credential.client_id,
        role=ROLE_DEVICE,
        subject_id=lot,
        device_id="d1",
        method=CREDENTIAL_METHOD_SECRET,
        create_time=time_of(desk.clock.now_ms()),
    )
    second = await devices.rotate(SECURITY, lot, "d1", CREDENTIAL_METHOD_SECRET, 60 * SECOND)
    third = await devices.rotate(SECURITY, lot, "d1", CREDENTIAL_METHOD_SECRET, 60 * SECOND)
    assert [await is_good(desk, each) for each in (first, second, third)] == [False, True, True]
    signing = await devices.rotate(SECURITY, lot, "d1", CREDENTIAL_METHOD_SIGNATURE, 0)
    assert signing.secret.reveal() == signing_key(MASTER, signing.credential.client_id)
    with pytest.raises(NotRegistered):
        await devices.rotate(SECURITY, lot, "d9", CREDENTIAL_METHOD_SECRET, 0)
    await desk.add(Device(lot_id=lot, device_id="d2", state=SERVICE_STATE_RETIRED))
    with pytest.raises(StateNotAllowed):
        await devices.rotate(SECURITY, lot, "d2", CREDENTIAL_METHOD_SECRET, 0)


async def test_a_device_that_is_gone_proves_nothing_any_more(desk: Desk) -> None:
    lot, register = await desk.lot(), Register(desk.store, desk.clock, SequentialIds())
    await desk.add(Device(lot_id=lot, device_id="d2", type=DEVICE_TYPE_BARRIER, state=SERVICE_STATE_IN_SERVICE))
    issued = await desk.identity.device_credentials.rotate(SECURITY, lot, "d2", CREDENTIAL_METHOD_SECRET, 0)
    for state, good in ((SERVICE_STATE_OUT_OF_SERVICE, True), (SERVICE_STATE_RETIRED, False)):
        patch = Device(state=state)
        await register.update_part(SYSTEM, lot, "d2", patch, FieldMask(), reason="", effective_ms=None)
        assert await is_good(desk, issued) == good


async def test_the_credentials_of_first_administrators_end_by_the_security_administrator_alone(desk: Desk) -> None:
    await desk.add(Credential(client_id="admin", subject_id="platform", role=ROLE_ADMINISTRATOR))
    credentials = desk.identity.vendor_credentials
    for caller in (SYSTEM, Caller(CallerKind.VENDOR, "platform"), await desk.vendor()):
        with pytest.raises(NotRegistered):
            await credentials.revoke(caller, "platform", "admin")
    assert (await credentials.revoke(SECURITY, "platform", "admin")).revoked
    async with desk.store.reading() as facts:
        held = await facts.held(CREDENTIAL, "admin")
    assert held is not None
    assert held.revoked
