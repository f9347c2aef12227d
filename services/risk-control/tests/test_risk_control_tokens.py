"""Reading access tokens: only the registry's, only in time, remembered within bounds."""

import base64
import json
from typing import Any

import jwt
import pytest
from mesh.caller import generate_key_pair
from mesh.testing import YEAR_2100_MS
from risk_control.tokens import Token, Tokens, public_keys

NOW = YEAR_2100_MS
PRIVATE, PUBLIC = generate_key_pair()
OTHER_PRIVATE, OTHER_PUBLIC = generate_key_pair()


def token(key: str = PRIVATE, algorithm: str = "EdDSA", **changes: Any) -> str:
    claims = {"iss": "registry", "sub": "client-1", "subject": "vendor-1", "kind": "vendor"}
    times = {"iat": NOW // 1000, "exp": NOW // 1000 + 900}
    stated = {name: value for name, value in (claims | times | changes).items() if value is not None}
    return jwt.encode(stated, key, algorithm=algorithm)


def reader(**options: Any) -> Tokens:
    return Tokens(public_keys(PUBLIC), **options)


def test_a_token_of_the_registry_is_read() -> None:
    assert reader().read(token(), NOW) == Token("client-1", "vendor-1", NOW + 900_000)


def test_a_token_ends() -> None:
    tokens, text = reader(), token()
    assert tokens.read(text, NOW + 899_999)
    assert tokens.read(text, NOW + 900_000) is None
    assert reader().read(text, NOW + 900_000) is None


def unsigned(header: dict[str, str]) -> str:
    claims = token().split(".")[1]
    return f"{base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b'=').decode()}.{claims}."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "x" * 10_000,
        token(OTHER_PRIVATE),
        token()[:-3] + "AAA",
        jwt.encode({"iss": "registry"}, "k" * 32, algorithm="HS256"),
        jwt.encode({"iss": "registry", "sub": "client-1"}, PUBLIC.replace("PUBLIC", "X"), algorithm="HS256"),
        unsigned({"alg": "none"}),
        unsigned({"alg": "EdDSA"}),
        token(iss="risk-control"),
        token(iss=None),
        token(sub=None),
        token(subject=None),
        token(subject=""),
        token(subject=7),
        token(exp=None),
        token(exp=str(NOW)),
        token(iat=NOW // 1000 + 60),
    ],
)
def test_no_other_text_is_a_token(text: str) -> None:
    assert reader().read(text, NOW) is None


def test_two_keys_are_believed_while_one_replaces_the_other() -> None:
    tokens = Tokens(public_keys(PUBLIC + OTHER_PUBLIC))
    assert tokens.read(token(), NOW)
    assert tokens.read(token(OTHER_PRIVATE), NOW)


def test_a_remembered_token_is_not_verified_again_until_its_credential_changes() -> None:
    tokens, text = reader(), token()
    assert tokens.read(text, NOW)
    tokens._keys = []
    assert tokens.read(text, NOW)
    tokens.drop("client-2")
    assert tokens.read(text, NOW)
    tokens.drop("client-1")
    assert tokens.read(text, NOW) is None


def test_only_so_many_are_remembered() -> None:
    tokens = reader(remembered=3)
    texts = [token(sub=f"client-{number}") for number in range(10)]
    assert all(tokens.read(text, NOW) for text in texts)
    assert len(tokens._known) == 3
    assert sum(map(len, tokens._of_client.values())) == 3
    for number in range(10):
        tokens.drop(f"client-{number}")
    assert not tokens._known


@pytest.mark.parametrize("pem", ["", "nothing", PRIVATE])
def test_keys_are_public_keys(pem: str) -> None:
    with pytest.raises(ValueError, match="key"):
        public_keys(pem)
