"""Who is believed to call: forged, stale, borrowed and clever assertions are not."""

import base64
import hashlib
import hmac
import json
import pathlib
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from mesh.caller import (
    Caller,
    CallerKind,
    NotAsserted,
    Signer,
    Verifier,
    current,
    current_or_none,
    generate_key_pair,
    trusted_in,
)
from mesh.testing import YEAR_2100_MS

NOW = YEAR_2100_MS
EDGE, EDGE_PUBLIC = generate_key_pair()
REGISTRY, REGISTRY_PUBLIC = generate_key_pair()
VENDOR = Caller(CallerKind.VENDOR, "vendor-1", "client-1")
SECOND = 1000


@pytest.fixture
def verifier() -> Verifier:
    return Verifier({"risk-control": EDGE_PUBLIC, "registry": REGISTRY_PUBLIC})


def made(private: Any = EDGE, headers: Any = None, **changed: Any) -> str:
    """An assertion with some claims changed; None takes a claim away."""
    now = NOW // SECOND
    claims = {
        "iss": "risk-control",
        "sub": "v",
        "kind": "vendor",
        "cred": "c",
        "acct": "a",
        "iat": now,
        "exp": now + 60,
        **changed,
    }
    given = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(given, load_pem_private_key(private.encode(), None), algorithm="EdDSA", headers=headers)  # type: ignore[arg-type]


def refused(verifier: Verifier, value: str, now_ms: int = NOW) -> bool:
    """Whether it is refused, twice: nothing refused is remembered as good."""
    for _ in range(2):
        with pytest.raises(NotAsserted):
            verifier.verify(value, now_ms)
    return True


def test_edge_speaks_for_vendors_and_administrators(verifier: Verifier) -> None:
    signer = Signer("risk-control", EDGE)
    for caller in (VENDOR, Caller(CallerKind.ADMINISTRATOR, "chen", "client-2"), signer.own()):
        assert verifier.verify(signer.assertion(caller, NOW), NOW) == caller


def test_service_speaks_for_itself_alone(verifier: Verifier) -> None:
    signer = Signer("registry", REGISTRY)
    assert verifier.verify(signer.assertion(signer.own(), NOW), NOW) == Caller(CallerKind.SERVICE, "registry")
    for borrowed in (VENDOR, Caller(CallerKind.ADMINISTRATOR, "chen"), Caller(CallerKind.SERVICE, "payments")):
        assert refused(verifier, signer.assertion(borrowed, NOW))
    edge = Signer("risk-control", EDGE)
    assert refused(verifier, edge.assertion(Caller(CallerKind.SERVICE, "registry"), NOW))


def test_forged_and_foreign_signatures(verifier: Verifier) -> None:
    assert verifier.verify(made(), NOW).subject == "v"
    assert refused(verifier, made(REGISTRY))
    assert refused(verifier, made(generate_key_pair()[0]))
    assert refused(verifier, made(iss="registry", kind="service", sub="registry"))
    assert refused(verifier, made(iss="nobody"))
    header, payload, signature = made().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "other"}).encode()).decode().rstrip("=")
    assert refused(verifier, f"{header}.{other}.{signature}")
    assert refused(verifier, f"{header}.{payload}.")
    for junk in ("", "x", "a.b.c", "..", "\x00", made() + "x", "x" * 100_000, f"{header}.{payload}"):
        assert refused(verifier, junk)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "ES256", "eddsa"])
def test_no_other_algorithm(verifier: Verifier, algorithm: str) -> None:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    now = NOW // SECOND
    claims = {
        "iss": "risk-control",
        "sub": "v",
        "kind": "vendor",
        "cred": "c",
        "acct": "a",
        "iat": now,
        "exp": now + 60,
    }
    text = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    assert refused(verifier, f"{text}.")
    # The public key taken for a shared secret.
    for secret in (EDGE_PUBLIC, EDGE_PUBLIC.strip()):
        signature = hmac.digest(secret.encode(), text.encode(), hashlib.sha256)
        assert refused(verifier, f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")


@pytest.mark.parametrize("name", ["kid", "jku", "jwk", "x5u", "x5c", "crit", "cty", "b64"])
def test_headers_choose_no_key(verifier: Verifier, name: str) -> None:
    value: Any = ["exp"] if name in ("crit", "x5c") else False if name == "b64" else "registry"
    assert refused(verifier, made(headers={name: value}))
    assert refused(verifier, made(REGISTRY, headers={name: value}))


@pytest.mark.parametrize("name", ["iss", "sub", "kind", "cred", "acct", "iat", "exp"])
def test_every_claim_is_needed_and_typed(verifier: Verifier, name: str) -> None:
    assert refused(verifier, made(**{name: None}))
    if name != "iss":
        for value in (["x"], {"x": 1}, True, 1.5, "" if name not in ("cred", "acct") else 7):
            assert refused(verifier, made(**{name: value}))


def test_times(verifier: Verifier) -> None:
    now = NOW // SECOND
    assert refused(verifier, made(iat=now, exp=now + 61))
    assert refused(verifier, made(iat=now, exp=now))
    assert refused(verifier, made(iat=now, exp=now - 1))
    assert refused(verifier, made(iat=now - 60, exp=now))
    assert refused(verifier, made(iat=now + 6, exp=now + 60))
    assert refused(verifier, made(iat=now + 3600, exp=now + 3660))
    assert verifier.verify(made(iat=now + 5, exp=now + 60), NOW).subject == "v"
    assert verifier.verify(made(iat=now - 59, exp=now + 1), NOW).subject == "v"


def test_verification_is_remembered_until_the_end_and_no_longer(verifier: Verifier) -> None:
    value = made()
    first = verifier.verify(value, NOW)
    assert verifier.verify(value, NOW + 59_999) is first
    assert refused(verifier, value, NOW + 60_000)
    assert refused(verifier, value, NOW + 3_600_000)


def test_trust_ends_at_once(verifier: Verifier) -> None:
    value = made()
    verifier.verify(value, NOW)
    verifier.trust({"registry": REGISTRY_PUBLIC})
    assert refused(verifier, value)
    with pytest.raises(ValueError, match="key"):
        verifier.trust({"risk-control": "no key"})
    verifier.trust({"risk-control": REGISTRY_PUBLIC + EDGE_PUBLIC})
    assert verifier.verify(value, NOW).subject == "v"


def test_many_assertions_do_not_grow_the_memory(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesh.caller._REMEMBERED", 10)
    signer = Signer("risk-control", EDGE)
    for number in range(50):
        caller = Caller(CallerKind.VENDOR, f"v-{number}")
        assert verifier.verify(signer.assertion(caller, NOW), NOW) == caller
    assert len(verifier._verified) <= 10
    assert len(signer._made) <= 10


def test_assertion_is_made_once_and_again_in_time() -> None:
    signer = Signer("risk-control", EDGE)
    value = signer.assertion(VENDOR, NOW)
    assert signer.assertion(VENDOR, NOW + 40_000) is value
    later = signer.assertion(VENDOR, NOW + 41_000)
    assert later != value
    # A clock set back must not hand out what is not good yet.
    assert signer.assertion(VENDOR, NOW - 3_600_000) not in (value, later)


def test_keys_of_other_kinds_are_refused(tmp_path: pathlib.Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="Ed25519"):
        Signer("registry", private.decode())
    with pytest.raises(ValueError, match="Ed25519"):
        Verifier({"registry": public.decode()})
    with pytest.raises(NotADirectoryError):
        trusted_in(tmp_path / "absent")
    (tmp_path / "registry.pem").write_text(REGISTRY_PUBLIC)
    assert trusted_in(tmp_path) == {"registry": REGISTRY_PUBLIC}


def test_no_caller_outside_of_a_call() -> None:
    assert current_or_none() is None
    with pytest.raises(LookupError):
        current()
