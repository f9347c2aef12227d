"""Assertions of private keys (RFC 7523): what is believed, and every trick that is not."""

import base64
import functools
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from mesh.testing import YEAR_2100_MS
from parkmesh.registry.v1.vendor_pb2 import CREDENTIAL_METHOD_KEY, CREDENTIAL_METHOD_SECRET
from registry.errors import InvalidFields
from registry.identity import assertion
from registry.identity.credentials import Method
from registry.identity.verifying_key import VerifyingKey, nobodys

NOW_S = YEAR_2100_MS // 1000
MAKERS: dict[str, Callable[[], Any]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@functools.cache
def private(algorithm: str) -> Any:
    return MAKERS[algorithm]()


def public_pem(algorithm: str) -> str:
    pem: bytes = private(algorithm).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def key(algorithm: str) -> VerifyingKey:
    return VerifyingKey.of_pem(public_pem(algorithm))


def claims(**changed: Any) -> dict[str, Any]:
    stated = {"iss": "c-1", "sub": "c-1", "aud": "parkmesh", "jti": "j-1", "iat": NOW_S, "exp": NOW_S + 300}
    return {name: value for name, value in (stated | changed).items() if value is not None}


def signed(algorithm: str = "EdDSA", headers: dict[str, Any] | None = None, **changed: Any) -> str:
    return jwt.encode(claims(**changed), private(algorithm), algorithm=algorithm, headers=headers)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", sorted(MAKERS))
def test_an_assertion_of_each_kind_of_key_is_believed(algorithm: str) -> None:
    text = signed(algorithm)
    assert assertion.claimed(text) == assertion.Claimed("c-1", algorithm)
    checked = assertion.verified(text, key(algorithm), YEAR_2100_MS)
    assert checked == assertion.Assertion("c-1", "j-1", (NOW_S + 300 + assertion.SKEW_S) * 1000)


@pytest.mark.parametrize("algorithm", sorted(MAKERS))
def test_the_algorithm_is_the_keys_and_never_what_the_assertion_says(algorithm: str) -> None:
    for other in MAKERS:
        if other != algorithm:
            assert assertion.verified(signed(other), key(algorithm), YEAR_2100_MS) is None
    payload = f"{part({'alg': 'none'})}.{part(claims())}"
    assert assertion.verified(f"{payload}.", key(algorithm), YEAR_2100_MS) is None
    # The oldest trick: an HMAC whose key is the public key that everybody may know.
    payload = f"{part({'alg': 'HS256'})}.{part(claims())}"
    for secret in (public_pem(algorithm).encode(), public_pem(algorithm).strip().encode()):
        mac = base64.urlsafe_b64encode(hmac.digest(secret, payload.encode(), hashlib.sha256)).rstrip(b"=").decode()
        assert assertion.verified(f"{payload}.{mac}", key(algorithm), YEAR_2100_MS) is None
    assert nobodys("HS256") is None
    assert nobodys("none") is None


def test_a_sibling_of_the_algorithm_is_not_believed() -> None:
    for algorithm, sibling in (("RS256", "RS512"), ("RS256", "PS256")):
        text = jwt.encode(claims(), private(algorithm), algorithm=sibling)
        assert assertion.verified(text, key(algorithm), YEAR_2100_MS) is None


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://example.com/keys"},
        {"jwk": {"kty": "OKP"}},
        {"x5u": "https://example.com/cert"},
        {"x5c": ["AA"]},
        {"crit": ["exp"]},
        {"zip": "DEF"},
        {"typ": "at+jwt"},
    ],
)
def test_headers_that_bring_keys_or_change_the_meaning_are_refused(header: dict[str, Any]) -> None:
    assert assertion.claimed(signed(headers=header)) is None


def test_a_key_id_is_passed_over() -> None:
    assert assertion.claimed(signed(headers={"kid": "../../etc/passwd"})) == assertion.Claimed("c-1", "EdDSA")


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": "c-2"},
        {"iss": "c-2"},
        {"sub": None},
        {"aud": None},
        {"aud": "another"},
        {"aud": ["parkmesh", "another"]},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 129},
        {"jti": 7},
        {"jti": "\ud800"},
        {"iat": None},
        {"exp": None},
        {"exp": NOW_S + 301},
        {"exp": NOW_S},
        {"iat": str(NOW_S)},
        {"iat": NOW_S + 0.5},
        {"exp": True},
        {"nbf": NOW_S + 61},
        {"nbf": "soon"},
        {"iat": NOW_S + 61, "exp": NOW_S + 120},
        {"iat": NOW_S - 400, "exp": NOW_S - 60},
    ],
)
def test_a_claim_that_is_not_right_is_refused(changed: dict[str, Any]) -> None:
    assert assertion.verified(signed(**changed), key("EdDSA"), YEAR_2100_MS) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["parkmesh"]},
        {"iat": NOW_S + 60, "exp": NOW_S + 120},
        {"iat": NOW_S - 359, "exp": NOW_S - 59},
        {"nbf": NOW_S + 60},
        {"jti": "x" * 128},
    ],
)
def test_clocks_may_differ_a_little(changed: dict[str, Any]) -> None:
    assert assertion.verified(signed(**changed), key("EdDSA"), YEAR_2100_MS) is not None


def test_what_was_altered_is_refused() -> None:
    text = signed()
    head, payload, signature = text.split(".")
    for altered in (
        f"{head}.{part(claims(jti='j-2'))}.{signature}",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{head}.{payload}.",
        signed("EdDSA").rpartition(".")[0] + "." + "A" * 86,
    ):
        assert assertion.verified(altered, key("EdDSA"), YEAR_2100_MS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "..",
        "a.b.c",
        f"{part([])}.{part({})}.AA",
        f"{part({'alg': 'EdDSA'})}.{part([])}.AA",
        f"{part({'alg': 'EdDSA'})}.{part({'iss': 7})}.AA",
        f"{part({'alg': 'EdDSA'})}.{part({'iss': 'nul' + chr(0)})}.AA",
        f"{part({'alg': 7})}.{part({'iss': 'c-1'})}.AA",
        f"{part({'alg': 'EdDSA'})}.{base64.urlsafe_b64encode(b'[' * 2900).decode()}.AA",
        f"{base64.urlsafe_b64encode(b'[' * 2900).decode()}.{part({})}.AA",
        "\u505c\u8f66",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    assert assertion.claimed(text) is None
    assert assertion.verified(text, key("EdDSA"), YEAR_2100_MS) is None


def test_a_key_must_be_a_public_one_of_a_known_kind() -> None:
    for algorithm in MAKERS:
        assert Method.asked_for(CREDENTIAL_METHOD_KEY, public_pem(algorithm)).public_key_pem == public_pem(algorithm)
    secret = private("EdDSA").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the key is short is what the test is about
        short = rsa.generate_private_key(65537, 1024).public_key()
    wide = ec.generate_private_key(ec.SECP384R1()).public_key()
    foreign = [each.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode() for each in (short, wide)]
    for pem in ("", "no key", secret, public_pem("EdDSA") + secret, *foreign):
        with pytest.raises(InvalidFields) as refused:
            Method.asked_for(CREDENTIAL_METHOD_KEY, pem)
        assert {violation.field for violation in refused.value.fields} == {"publicKeyPem"}
        assert "PRIVATE" not in str(refused.value.fields)
    with pytest.raises(InvalidFields):
        Method.asked_for(CREDENTIAL_METHOD_SECRET, public_pem("EdDSA"))
