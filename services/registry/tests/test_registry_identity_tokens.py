"""Tokens for secrets, assertions, sessions and devices, on both databases."""

import asyncio
import functools
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mesh.testing import throwaway_keys
from parkmesh.registry.v1.vendor_pb2 import (
    CREDENTIAL_METHOD_KEY,
    CREDENTIAL_METHOD_SECRET,
    CREDENTIAL_METHOD_SIGNATURE,
)
from registry.errors import BadCredential
from registry.identity.credentials import Issued, Method
from registry.identity.proofs import Proof
from registry.identity.signer import Token
from registry.identity.testing import SECURITY, Desk
from registry.identity.verifying_key import VerifyingKey

SECOND = 1000
MINUTE = 60_000


def claims(token: Token) -> dict[str, Any]:
    text = token.text.reveal()
    assert jwt.get_unverified_header(text) == {"alg": "EdDSA", "typ": "JWT"}
    # The clock of the test stands in 2100, the library looks at the machine's.
    return jwt.decode(text, throwaway_keys()[1], algorithms=["EdDSA"], options={"verify_iat": False})


@functools.cache
def private() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_pem() -> str:
    return private().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def issued(desk: Desk, method: Any = CREDENTIAL_METHOD_SECRET, overlap_ms: int = 0) -> Issued:
    vendors = await desk.identity.vendors.list("", 1)
    vendor = vendors[0].vendor_id if vendors else (await desk.vendor()).subject
    asked = Method.asked_for(method, public_pem() if method == CREDENTIAL_METHOD_KEY else "")
    return await desk.identity.vendor_credentials.rotate(SECURITY, vendor, asked, overlap_ms)


def asserted(desk: Desk, client_id: str, jti: str = "j-1", **changed: Any) -> str:
    now = desk.clock.now_ms() // 1000
    stated = {"iss": client_id, "sub": client_id, "aud": "parkmesh", "jti": jti, "iat": now, "exp": now + 60}
    return jwt.encode(stated | changed, private(), algorithm="ES256")


async def refusal(call: Any) -> tuple[Any, ...]:
    with pytest.raises(BadCredential) as refused:
        await call
    return refused.value.reason, refused.value.message, refused.value.metadata, refused.value.fields


async def test_a_good_secret_gives_a_token(desk: Desk) -> None:
    given = await issued(desk)
    desk.clock.advance(1)
    token = await desk.identity.tokens.for_secret(given.credential.client_id, given.secret.reveal())
    now_s = desk.clock.now_ms() // 1000
    assert (token.expires_in, token.expire_ms) == (900, (now_s + 900) * 1000)
    assert claims(token) == {
        "iss": "registry",
        "sub": given.credential.client_id,
        "subject": given.credential.subject_id,
        "kind": "vendor",
        "iat": now_s,
        "exp": now_s + 900,
    }


async def test_a_token_never_outlives_its_credential(desk: Desk) -> None:
    given = await issued(desk)
    await issued(desk, overlap_ms=30 * SECOND)
    tokens = desk.identity.tokens
    token = await tokens.for_secret(given.credential.client_id, given.secret.reveal())
    assert (token.expires_in, token.expire_ms) == (30, desk.clock.now_ms() + 30 * SECOND)
    assert claims(token)["exp"] * 1000 == token.expire_ms
    desk.clock.advance(29_500)
    assert (await tokens.for_secret(given.credential.client_id, given.secret.reveal())).expires_in == 1
    desk.clock.advance(500)
    await refusal(tokens.for_secret(given.credential.client_id, given.secret.reveal()))


async def test_whatever_is_wrong_with_a_credential_the_answer_is_the_same(desk: Desk) -> None:
    tokens = desk.identity.tokens
    ended, signing, keyed = (
        await issued(desk),
        await issued(desk, CREDENTIAL_METHOD_SIGNATURE),
        await issued(desk, CREDENTIAL_METHOD_KEY),
    )
    revoked = await issued(desk)
    vendor = revoked.credential.subject_id
    await desk.identity.vendor_credentials.revoke(SECURITY, vendor, revoked.credential.client_id)
    good = await issued(desk)
    client = good.credential.client_id
    answers = [
        await refusal(tokens.for_secret(client, "wrong")),
        await refusal(tokens.for_secret(client, "")),
        await refusal(tokens.for_secret(client, revoked.secret.reveal())),
        await refusal(tokens.for_secret("client-99", good.secret.reveal())),
        await refusal(tokens.for_secret(ended.credential.client_id, ended.secret.reveal())),
        await refusal(tokens.for_secret(revoked.credential.client_id, revoked.secret.reveal())),
        await refusal(tokens.for_secret(signing.credential.client_id, signing.secret.reveal())),
        await refusal(tokens.for_secret(keyed.credential.client_id, "")),
        await refusal(tokens.for_assertion("nonsense")),
        await refusal(tokens.for_assertion(asserted(desk, client))),
        await refusal(tokens.for_assertion(asserted(desk, "client-99"))),
        await refusal(tokens.for_assertion(asserted(desk, signing.credential.client_id))),
        await refusal(tokens.for_assertion(asserted(desk, keyed.credential.client_id))),
    ]
    assert all(answer == answers[0] for answer in answers)


async def test_the_comparison_takes_place_for_an_unknown_client_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def is_secret(secret: str, proof: Proof) -> bool:
        compared.append(secret)
        return False

    monkeypatch.setattr("registry.identity.tokens.is_secret", is_secret)
    await refusal(desk.identity.tokens.for_secret("client-99", "sent"))
    assert compared == ["sent"]


async def test_a_signature_is_checked_for_an_unknown_client_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def verified(text: str, key: VerifyingKey, now_ms: int) -> None:
        checked.append(key.algorithm)

    monkeypatch.setattr("registry.identity.assertion.verified", verified)
    without, keyed = await issued(desk), await issued(desk, CREDENTIAL_METHOD_KEY)
    for client in ("client-99", without.credential.client_id, keyed.credential.client_id):
        await refusal(desk.identity.tokens.for_assertion(asserted(desk, client)))
    other = jwt.encode({"iss": keyed.credential.client_id}, throwaway_keys()[0], algorithm="EdDSA")
    await refusal(desk.identity.tokens.for_assertion(other))
    assert checked == ["ES256", "ES256", "ES256", "EdDSA"]


async def test_an_assertion_gives_a_token_once(desk: Desk) -> None:
    given, tokens = await issued(desk, CREDENTIAL_METHOD_KEY), desk.identity.tokens
    client = given.credential.client_id
    text = asserted(desk, client)
    assert claims(await tokens.for_assertion(text))["sub"] == client
    await refusal(tokens.for_assertion(text))
    await refusal(tokens.for_assertion(asserted(desk, client, exp=desk.clock.now_ms() // 1000 + 90)))
    assert await tokens.for_assertion(asserted(desk, client, "j-2"), client)
    await refusal(tokens.for_assertion(asserted(desk, client, "j-3"), "client-99"))


async def test_of_one_assertion_sent_many_times_at_once_one_gives_a_token(desk: Desk) -> None:
    given = await issued(desk, CREDENTIAL_METHOD_KEY)
    text = asserted(desk, given.credential.client_id)
    answers = await asyncio.gather(
        *(desk.identity.tokens.for_assertion(text) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["BadCredential"] * 3 + ["Token"]


async def test_used_assertions_are_forgotten_when_they_are_over_and_not_before(desk: Desk) -> None:
    given, tokens = await issued(desk, CREDENTIAL_METHOD_KEY), desk.identity.tokens
    client = given.credential.client_id
    text = asserted(desk, client)
    await tokens.for_assertion(text)
    desk.clock.advance(119 * SECOND)
    await tokens.for_assertion(asserted(desk, client, "j-2"))
    await refusal(tokens.for_assertion(text))
    assert len(await desk.rows("SELECT value FROM used_once")) == 2
    desk.clock.advance(SECOND)
    await tokens.for_assertion(asserted(desk, client, "j-3"))
    assert len(await desk.rows("SELECT value FROM used_once")) == 2
    await refusal(tokens.for_assertion(text))


async def test_one_clients_assertion_ids_are_not_anothers(desk: Desk) -> None:
    first = await issued(desk, CREDENTIAL_METHOD_KEY)
    second = await issued(desk, CREDENTIAL_METHOD_KEY, overlap_ms=MINUTE)
    for given in (first, second):
        assert await desk.identity.tokens.for_assertion(asserted(desk, given.credential.client_id))


async def test_tokens_leave_no_trace_in_history_and_audit(desk: Desk) -> None:
    given = await issued(desk, CREDENTIAL_METHOD_KEY)
    before = await desk.rows("SELECT revision, audit_number FROM numbering")
    await desk.identity.tokens.for_assertion(asserted(desk, given.credential.client_id))
    await refusal(desk.identity.tokens.for_secret(given.credential.client_id, "x"))
    assert await desk.rows("SELECT revision, audit_number FROM numbering") == before


async def test_a_devices_token_is_a_sign_of_life_at_most_once_a_minute(desk: Desk) -> None:
    lot = await desk.lot()
    given = await desk.identity.device_credentials.rotate(SECURITY, lot, "d1", CREDENTIAL_METHOD_SECRET, 0)
    tokens, start = desk.identity.tokens, desk.clock.now_ms()
    seen = []
    for _ in range(4):
        token = await tokens.for_secret(given.credential.client_id, given.secret.reveal())
        async with desk.store.reading() as facts:
            seen.append((await facts.devices_seen([f"{lot}/d1"]))[f"{lot}/d1"] - start)
        desk.clock.advance(MINUTE // 2)
    assert seen == [0, 0, MINUTE, MINUTE]
    assert (claims(token)["kind"], claims(token)["subject"]) == ("device", lot)
    await refusal(tokens.for_secret(given.credential.client_id, "wrong"))
    desk.clock.advance(MINUTE)
    async with desk.store.reading() as facts:
        assert (await facts.devices_seen([f"{lot}/d1"]))[f"{lot}/d1"] - start == MINUTE
