"""Signed requests: the published vectors, and that every fact and every key counts.

Run as a program, this file writes the vectors anew; as a test it proves that the published ones are still what the code
says.
"""

import base64
import dataclasses
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary.request_signature import FORMS, SignedRequest, content_digest, master_key, signing_key

DOCS = Path(__file__).resolve().parents[3] / "docs"
VECTORS, PAGE = DOCS / "vectors" / "request-signing.json", DOCS / "request-signing.md"
MASTER = b"the master key of the vectors, which no platform has"
RECORD = '{"records":[{"recordId":"in-1","lotId":"lot_4tq9","plateNumber":"闽B12345"}]}'.encode()
# RECORD as gzip packed it once: other versions pack it otherwise, and what is signed is what is sent.
PACKED = base64.b64decode(
    "H4sIAAAAAAACA6tWKkpNzi9KKVayiq6Gsj1TlKyUMvN0DZV0lHLyS8BcIB1vUlJoCRQqyEksSfUrzU1KLQJKvJy+18nQyNjEVKk2thYAFRvCsU4AAAA="
)
UPLOAD, LOTS = "/v1/records:upload", "/v1/lots"
CASES: list[tuple[str, str, str, str, bytes]] = [
    ("GET without a query", "GET", LOTS, "", b""),
    ("GET with a query, in the order sent", "GET", LOTS, "pageSize=50&pageToken=abc", b""),
    ("the same parameters in another order are another query", "GET", LOTS, "pageToken=abc&pageSize=50", b""),
    ("Chinese in the query, percent-encoded as UTF-8", "GET", LOTS, "name=%E6%96%87%E7%8C%AE%E8%B7%AF", b""),
    ("the same in lower case is another query", "GET", LOTS, "name=%e6%96%87%e7%8c%ae%e8%b7%af", b""),
    ("plus, tilde, an empty value and a second question mark", "GET", LOTS, "a=x+y&b=~&c=&d&e=?", b""),
    ("Chinese in the path, percent-encoded as UTF-8", "GET", "/v1/lots/%E8%8E%86%E7%94%B0", "", b""),
    ("POST with JSON", "POST", UPLOAD, "", b'{"records":[]}'),
    ("POST with an empty body", "POST", "/v1/lots/lot_4tq9/records:compare", "", b""),
    ("POST with Chinese in the JSON, as UTF-8", "POST", UPLOAD, "", RECORD),
    ("POST with the same in gzip: the packed bytes count", "POST", UPLOAD, "", PACKED),
    ("POST with a query and a body", "POST", UPLOAD, "dryRun=true", b'{"records":[]}\n'),
    ("PUT of bytes that are no text", "PUT", "/v1/lots/lot_4tq9/images/i-1_a", "", b"\xff\xd8\xff\xe0\x00\n\r\xff\xd9"),
    ("PATCH with commas", "PATCH", "/v1/lots/lot_4tq9", "updateMask=name,address", b'{"name":"\\u6587"}'),
    ("DELETE", "DELETE", "/v1/vendors/vendor_1/grants/lot_4tq9", "", b""),
    ("ids with - and _", "GET", "/v1/lots/-_lot-4_/records/_r-1-", "", b""),
]
CLIENTS = ("client_7gq2", "-_Client-7_gq2", "c")
NONCES = ("0123456789abcdef", "kJ8_mQ2-vT5xWz1LpR9sYd", "-_" * 32)


def made() -> dict[str, Any]:
    """The vectors, as they are published."""
    vectors = []
    for number, (name, method, path, query, body) in enumerate(CASES):
        client_id, nonce = CLIENTS[number % len(CLIENTS)], NONCES[(number + 1) % len(NONCES)]
        timestamp = str(4_102_444_800_000 + number)
        request = SignedRequest(method, path, query, timestamp, nonce, client_id, content_digest(body))
        key = signing_key(MASTER, client_id)
        vectors.append(
            {
                "name": name,
                "key": key,
                "method": method,
                "path": path,
                "query": query,
                "timestamp": timestamp,
                "nonce": nonce,
                "clientId": client_id,
                "body": base64.b64encode(body).decode(),
                "contentSha256": request.content_sha256,
                "canonical": request.canonical(),
                "signature": request.signature(key),
            }
        )
    return {"version": "PARKMESH-HMAC-SHA256-V1", "vectors": vectors}


def published() -> list[dict[str, str]]:
    """The vectors of the file."""
    vectors: list[dict[str, str]] = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    return vectors


def test_the_published_vectors_are_what_the_code_says() -> None:
    assert json.loads(VECTORS.read_text(encoding="utf-8")) == made()


@pytest.mark.parametrize("vector", published(), ids=lambda vector: vector["name"])
def test_a_vendor_gets_the_same_from_the_description_alone(vector: dict[str, str]) -> None:
    body = base64.b64decode(vector["body"])
    assert vector["contentSha256"] == hashlib.sha256(body).hexdigest()
    lines = ["PARKMESH-HMAC-SHA256-V1", vector["method"], vector["path"], vector["query"]]
    lines += [vector["timestamp"], vector["nonce"], vector["clientId"], vector["contentSha256"]]
    assert vector["canonical"] == "\n".join(lines)
    text, key = vector["canonical"].encode(), vector["key"].encode()
    assert vector["signature"] == hmac.new(key, text, hashlib.sha256).hexdigest()


def test_the_vectors_cover_what_goes_wrong() -> None:
    vectors = published()
    assert len(vectors) >= 12
    assert {vector["method"] for vector in vectors} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert any(base64.b64decode(vector["body"]).startswith(b"\x1f\x8b") for vector in vectors)
    assert len({vector["signature"] for vector in vectors}) == len(vectors)


def test_the_worked_example_of_the_page_is_a_vector() -> None:
    page = PAGE.read_text(encoding="utf-8")
    (vector,) = [each for each in published() if each["name"] == "POST with Chinese in the JSON, as UTF-8"]
    assert f"```text\n{vector['canonical']}\n```" in page
    body = base64.b64decode(vector["body"]).decode()
    assert all(f"`{value}`" in page for value in (body, vector["key"], vector["signature"], vector["contentSha256"]))
    assert all(f"| `{name}` |" in page.lower() for name in FORMS)


def test_the_code_of_the_page_signs_as_the_platform_does() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    named: dict[str, Any] = {}
    exec(code[1], named)
    made_by_page = named["signed_headers"]("client-1", "key", "POST", f"{UPLOAD}?a=b", b"{}")
    headers = {name.lower(): value for name, value in made_by_page.items()}
    stated = (headers["x-parkmesh-timestamp"], headers["x-parkmesh-nonce"])
    assert headers == SignedRequest("POST", UPLOAD, "a=b", *stated, "client-1", content_digest(b"{}")).headers("key")
    assert all(re.fullmatch(form, headers[name]) for name, form in FORMS.items())


REQUEST = SignedRequest("POST", UPLOAD, "a=b", "1", "0123456789abcdef", "client-1", content_digest(b""))


def test_the_signature_is_lower_case_hexadecimal() -> None:
    headers = REQUEST.headers("key")
    assert headers.keys() == FORMS.keys()
    assert all(re.fullmatch(FORMS[name], value) for name, value in headers.items())
    assert headers["x-parkmesh-signature"] == REQUEST.signature("key") != REQUEST.signature("kez")


@given(st.sampled_from([field.name for field in dataclasses.fields(SignedRequest)]), st.text("abc/?=%", min_size=1))
def test_every_fact_counts(name: str, other: str) -> None:
    changed = dataclasses.replace(REQUEST, **{name: getattr(REQUEST, name) + other})
    assert changed.canonical() != REQUEST.canonical()
    assert changed.signature("key") != REQUEST.signature("key")


def test_the_key_of_a_client_follows_from_the_master_key() -> None:
    master = bytes(range(32))
    assert signing_key(master, "client-1") == "6F6do17XmvEONhTCL8bD_I6HB34vyWxPBrYjlBidIHs"
    digest = hmac.new(master, b"parkmesh-signing-v1|client-1", hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signing_key(master, "client-1") + "=") == digest
    assert signing_key(master, "client-2") != signing_key(master, "client-1")
    assert signing_key(master[:-1] + b"x", "client-1") != signing_key(master, "client-1")


@given(st.binary(min_size=32, max_size=100))
def test_a_master_key_is_read_from_every_form(master: bytes) -> None:
    plain, safe = base64.b64encode(master).decode(), base64.urlsafe_b64encode(master).decode()
    lines = "\n".join(plain[start : start + 64] for start in range(0, len(plain), 64))
    pem = f"-----BEGIN PARKMESH SIGNING KEY-----\n{lines}\n-----END PARKMESH SIGNING KEY-----\n"
    for text in (master.hex(), master.hex().upper() + "\n", pem, f" {plain}\n", safe, safe.rstrip("=")):
        assert master_key(text) == master


@pytest.mark.parametrize(
    "text", ["", "\n", "00" * 31, base64.b64encode(bytes(31)).decode(), "闽" * 40, "a key that is none: " + "x" * 40]
)
def test_a_short_or_unreadable_master_key_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a master key ") as refused:
        master_key(text)
    assert not text.strip() or text not in str(refused.value)


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(made(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
