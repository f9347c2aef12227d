"""Signed requests: every part of a signature counts, in time and only once, also after restarts."""

import contextlib
import hmac
import itertools
import json
import pathlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from directory import CredentialFacts, VendorFacts
from directory.facts import FOREVER
from eventlog.server import EmbeddedServer, free_port, running
from eventlog.server import ServerSettings as LogSettings
from mesh import contract
from mesh.caller import Caller, CallerKind, Signer, Verifier, generate_key_pair
from mesh.errors import MeshError
from mesh.settings import SettingsError
from mesh.testing import YEAR_2100_MS, ManualClock
from mesh.testing import running as serving
from parkmesh.edge.v1 import ext_authz_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import vendor_pb2
from risk_control import app
from risk_control.admission import Admission, Signing
from risk_control.buckets import Buckets
from risk_control.methods import PublicMethods
from risk_control.nonces import LIFE_MS, Nonces
from risk_control.servicer import AuthorizationServicer
from risk_control.settings import Settings
from risk_control.signatures import Signatures
from risk_control.tokens import Tokens, public_keys
from vocabulary import request_signature
from vocabulary.request_signature import SKEW_MS, SignedRequest, content_digest, signing_key

MASTER = bytes(range(32))
PRIVATE, PUBLIC = generate_key_pair()
PATH, QUERY, BODY = "/v1/lots/%E8%8E%86/records", "pageSize=3&x=a+b", b'{"a":1}'
SKEWS = (-SKEW_MS - 1, SKEW_MS + 1)
NUMBERS = itertools.count()


@dataclass
class Known:
    """The directory's part: one vendor, and the credentials that a test states."""

    credentials: dict[str, CredentialFacts] = field(default_factory=dict)
    requests_per_second: int = 1000

    def good_credential(self, client_id: str, now_ms: int) -> CredentialFacts | None:
        found = self.credentials.get(client_id)
        return found if found and found.good_at(now_ms) else None

    def vendor(self, vendor_id: str) -> VendorFacts | None:
        return VendorFacts(vendor_id, vendor_id, self.requests_per_second) if vendor_id == "vendor-1" else None

    def require_fresh(self, now_ms: int) -> None:
        return


@dataclass
class Asked:
    """A risk-control that signed requests are put to, as Envoy puts them."""

    servicer: AuthorizationServicer
    known: Known
    clock: ManualClock

    async def headers(
        self, headers: Mapping[str, str], verb: str = "POST", target: str = f"{PATH}?{QUERY}", **where: str
    ) -> ext_authz_pb2.CheckResponse:
        request = ext_authz_pb2.CheckRequest()
        http = request.attributes.request.http
        http.method, http.path = verb, target
        http.headers.update(headers)
        request.attributes.context_extensions.update(where or {"body": "later"})
        return await self.servicer.check(request, None)

    async def signed(self, **changes: str) -> ext_authz_pb2.CheckResponse:
        return await self.headers(signature(**changes))

    async def body(self, body: bytes, headers: Mapping[str, str]) -> ext_authz_pb2.CheckResponse:
        request = ext_authz_pb2.CheckRequest()
        http = request.attributes.request.http
        http.raw_body = body
        http.headers.update(headers)
        request.attributes.context_extensions["body"] = "here"
        return await self.servicer.check(request, None)


def signature(**changes: str) -> dict[str, str]:
    """The headers of a request that is right but for `changes`."""
    stated = {
        "method": "POST",
        "path": PATH,
        "query": QUERY,
        "timestamp": str(YEAR_2100_MS),
        "nonce": f"nonce_of-this-test-{next(NUMBERS)}",
        "client_id": "client-1",
        "content_sha256": content_digest(BODY),
    }
    request = SignedRequest(**(stated | changes))
    return request.headers(signing_key(MASTER, request.client_id))


def credential(client_id: str, **changes: Any) -> CredentialFacts:
    stated: dict[str, Any] = {
        "client_id": client_id,
        "kind": CallerKind.VENDOR,
        "subject": "vendor-1",
        "account": "",
        "method": vendor_pb2.CREDENTIAL_METHOD_SIGNATURE,
        "expire_ms": FOREVER,
        "revoked": False,
    }
    return CredentialFacts(**(stated | changes))


def reason_of(answer: ext_authz_pb2.CheckResponse) -> str:
    """The reason of a refusal; empty for an admission."""
    if not answer.HasField("denied_response"):
        return ""
    details = json.loads(answer.denied_response.body)["details"]
    return str(next(detail["reason"] for detail in details if detail["@type"].endswith("ErrorInfo")))


@contextlib.asynccontextmanager
async def asked(url: str) -> AsyncIterator[Asked]:
    known, clock, nonces = Known({"client-1": credential("client-1")}), ManualClock(), Nonces(url)
    admission = Admission(
        PublicMethods(contract.methods()),
        Tokens(public_keys(PUBLIC)),
        known,
        clock,
        signing=Signing(Signatures(MASTER), nonces),
        clients=Buckets(1),
        public=Buckets(1),
        requests_per_second=1000,
        public_requests_per_second=1000,
        public_requests_per_address=1000,
    )
    try:
        yield Asked(AuthorizationServicer(admission, Signer("risk-control", PRIVATE), clock), known, clock)
    finally:
        await nonces.close()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The platform's log server, that all tests share: nonces of one never meet another's."""
    with running(tmp_path_factory.mktemp("log")) as server:
        yield server


@pytest.fixture
async def risk(valkey: EmbeddedServer) -> AsyncIterator[Asked]:
    """A risk-control with a credential that signs."""
    async with asked(valkey.url) as fresh:
        yield fresh


async def test_a_right_signature_makes_its_vendor_the_caller(risk: Asked) -> None:
    answer = await risk.signed()
    assert reason_of(answer) == ""
    (option,) = answer.ok_response.headers
    caller = Verifier({"risk-control": PUBLIC}).verify(option.header.value, YEAR_2100_MS)
    assert caller == Caller(CallerKind.VENDOR, "vendor-1", "client-1")
    assert not set(answer.ok_response.headers_to_remove) & set(request_signature.FORMS)


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        ("PUT", f"{PATH}?{QUERY}"),
        ("post", f"{PATH}?{QUERY}"),
        ("POST", f"{PATH}?{QUERY}x"),
        ("POST", f"{PATH}?x=a+b&pageSize=3"),
        ("POST", f"{PATH}?pageSize=3&x=a%20b"),
        ("POST", PATH),
        ("POST", f"{PATH}s?{QUERY}"),
        ("POST", f"/v1/lots/%e8%8e%86/records?{QUERY}"),
        ("POST", f"/v1/lots/莆/records?{QUERY}"),
        ("POST", f"{PATH}/?{QUERY}"),
        ("POST", f"{PATH}??{QUERY}"),
    ],
)
async def test_method_path_and_query_are_taken_as_they_came(risk: Asked, verb: str, target: str) -> None:
    answer = await risk.headers(signature(), verb, target)
    assert reason_of(answer) == "UNAUTHENTICATED"


@pytest.mark.parametrize("name", request_signature.FORMS)
async def test_one_character_of_any_header_is_enough(risk: Asked, name: str) -> None:
    right = signature()
    for place in (0, len(right[name]) - 1):
        other = "1" if right[name][place] != "1" else "2"
        wrong = right[name][:place] + other + right[name][place + 1 :]
        assert reason_of(await risk.headers(right | {name: wrong})) == "UNAUTHENTICATED"
    assert reason_of(await risk.headers(right)) == ""


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *((name, value) for name in request_signature.FORMS for value in (None, "", " ", "\n", "闽")),
        *((name, f"{signature()[name]},{signature()[name]}") for name in request_signature.FORMS),
        *((name, f"{signature()[name]}\n") for name in request_signature.FORMS),
        (request_signature.CLIENT, "c" * 65),
        (request_signature.TIMESTAMP, "-1"),
        (request_signature.TIMESTAMP, "0"),
        (request_signature.TIMESTAMP, f"0{YEAR_2100_MS}"),
        (request_signature.TIMESTAMP, f"{YEAR_2100_MS}.0"),
        (request_signature.TIMESTAMP, "4102444800000٠"),
        (request_signature.TIMESTAMP, "1" * 16),
        (request_signature.NONCE, "n" * 15),
        (request_signature.NONCE, "n" * 65),
        (request_signature.NONCE, "nonce.with.a.dot.in.it"),
        (request_signature.CONTENT_SHA256, content_digest(BODY).upper()),
        (request_signature.CONTENT_SHA256, content_digest(BODY)[1:]),
        (request_signature.SIGNATURE, "A" * 64),
        (request_signature.SIGNATURE, "0" * 63),
        (request_signature.SIGNATURE, "0" * 66),
    ],
)
async def test_every_header_comes_once_and_in_its_form(risk: Asked, name: str, wrong: str | None) -> None:
    headers = signature() | {name: wrong or ""}
    if wrong is None:
        del headers[name]
    answer = await risk.headers(headers)
    assert reason_of(answer) == "UNAUTHENTICATED"
    (bad,) = [detail for detail in json.loads(answer.denied_response.body)["details"] if "fieldViolations" in detail]
    (violation,) = bad["fieldViolations"]
    assert (violation["field"], violation["reason"]) == (
        name,
        "signature.required" if wrong is None else "signature.form",
    )
    if wrong and len(wrong) > 1:
        assert wrong not in answer.denied_response.body


@pytest.mark.parametrize("nonce", ["n" * 16, "n" * 64, "-_-_-_-_-_-_-_-_"])
async def test_nonces_of_every_form_are_good(risk: Asked, nonce: str) -> None:
    assert reason_of(await risk.signed(nonce=nonce)) == ""


async def test_the_clock_may_be_off_by_300_seconds_and_no_more(risk: Asked) -> None:
    for skew_ms in (-SKEW_MS, SKEW_MS):
        assert reason_of(await risk.signed(timestamp=str(YEAR_2100_MS + skew_ms))) == ""
    for skew_ms in SKEWS:
        answer = await risk.signed(timestamp=str(YEAR_2100_MS + skew_ms))
        assert reason_of(answer) == "SIGNATURE_EXPIRED"
        status = json.loads(answer.denied_response.body)
        side = "ahead of" if skew_ms > 0 else "behind"
        assert f"300.001 s {side} the platform's time, which is 2100-01-01T00:00:00.000Z" in status["message"]
        (info,) = [detail for detail in status["details"] if detail["@type"].endswith("ErrorInfo")]
        assert info["metadata"] == {"differenceMs": str(skew_ms), "serverTime": "2100-01-01T00:00:00.000Z"}


async def test_nothing_precise_is_told_before_the_signature_has_proved_right(risk: Asked) -> None:
    used = signature()
    assert reason_of(await risk.headers(used)) == ""
    wrong = {request_signature.SIGNATURE: "0" * 64}
    unknown = signature(client_id="client-9")
    answers = [
        await risk.headers(unknown),
        await risk.headers(unknown | wrong),
        await risk.headers(signature() | wrong),
        await risk.headers(used | wrong),
        *[await risk.headers(signature(timestamp=str(YEAR_2100_MS + skew)) | wrong) for skew in SKEWS],
        *[await risk.headers(signature(timestamp=str(YEAR_2100_MS + skew), client_id="client-9")) for skew in SKEWS],
    ]
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    assert reason_of(answers[0]) == "UNAUTHENTICATED"


async def test_only_a_live_credential_that_signs_may_sign(risk: Asked) -> None:
    risk.known.credentials = {
        "gets-tokens": credential("gets-tokens", method=vendor_pb2.CREDENTIAL_METHOD_SECRET),
        "has-a-key": credential("has-a-key", method=vendor_pb2.CREDENTIAL_METHOD_KEY),
        "revoked": credential("revoked", revoked=True),
        "ended": credential("ended", expire_ms=YEAR_2100_MS),
        "orphan": credential("orphan", subject="vendor-9"),
        "ending": credential("ending", expire_ms=YEAR_2100_MS + 1),
    }
    found = {client_id: reason_of(await risk.signed(client_id=client_id)) for client_id in risk.known.credentials}
    assert found == dict.fromkeys(risk.known.credentials, "UNAUTHENTICATED") | {"ending": ""}


async def test_a_nonce_is_good_once_for_each_client(risk: Asked) -> None:
    risk.known.credentials["client-2"] = credential("client-2")
    nonce = "the-same-nonce-for-both"
    assert reason_of(await risk.signed(nonce=nonce)) == ""
    assert reason_of(await risk.signed(nonce=nonce)) == "NONCE_REUSED"
    assert reason_of(await risk.signed(nonce=nonce, timestamp=str(YEAR_2100_MS + 1))) == "NONCE_REUSED"
    assert reason_of(await risk.signed(nonce=nonce, client_id="client-2")) == ""


async def test_a_nonce_is_spent_by_its_owner_alone(risk: Asked) -> None:
    """Neither a wrong signature nor a wrong time uses a nonce up."""
    nonce = "a-nonce-that-is-kept"
    await risk.headers(signature(nonce=nonce) | {request_signature.SIGNATURE: "0" * 64})
    await risk.signed(nonce=nonce, timestamp=str(YEAR_2100_MS - SKEW_MS - 1))
    assert reason_of(await risk.signed(nonce=nonce)) == ""


def test_a_nonce_outlives_every_request_that_could_bring_it_again() -> None:
    assert LIFE_MS > 2 * SKEW_MS


async def test_the_server_forgets_nonces_in_the_end(valkey: EmbeddedServer, risk: Asked) -> None:
    nonces = Nonces(valkey.url)
    await nonces.use("client-7", "a-nonce-with-an-end")
    left = await nonces._client.pttl("nonce:client-7:a-nonce-with-an-end")
    await nonces.close()
    assert LIFE_MS - 10_000 < left <= LIFE_MS


@pytest.mark.slow
async def test_nonces_survive_that_everything_is_killed(tmp_path: pathlib.Path) -> None:
    server = EmbeddedServer(LogSettings(tmp_path, free_port())).start()
    used = signature()
    try:
        async with asked(server.url) as first:
            assert reason_of(await first.headers(used)) == ""
        async with asked(server.url) as second:
            assert reason_of(await second.headers(used)) == "NONCE_REUSED"
            server.kill()
            away = await second.signed()
            assert (away.denied_response.status.code, reason_of(away)) == (503, "SERVICE_UNAVAILABLE")
            assert '"retryDelay": "1s"' in away.denied_response.body
            server.start()
            assert reason_of(await second.headers(used)) == "NONCE_REUSED"
            assert reason_of(await second.signed()) == ""
    finally:
        with contextlib.suppress(AssertionError):
            server.kill()


async def test_without_the_server_signed_requests_wait_and_others_do_not() -> None:
    async with asked(f"redis://127.0.0.1:{free_port()}") as risk:
        assert reason_of(await risk.signed()) == "SERVICE_UNAVAILABLE"
        assert reason_of(await risk.signed(timestamp="1")) == "SIGNATURE_EXPIRED"
        public = ext_authz_pb2.CheckRequest()
        public.attributes.request.http.method, public.attributes.request.http.path = "POST", "/v1/token"
        assert reason_of(await risk.servicer.check(public, None)) == ""


async def test_the_vendors_rate_bounds_how_many_nonces_it_can_add(risk: Asked) -> None:
    risk.known.requests_per_second = 3
    wrong = signature() | {request_signature.SIGNATURE: "0" * 64}
    for _ in range(10):
        assert reason_of(await risk.headers(wrong)) == "UNAUTHENTICATED"
    sent = [signature() for _ in range(5)]
    found = [reason_of(await risk.headers(each)) for each in sent]
    assert found == [""] * 3 + ["RATE_LIMITED"] * 2
    risk.clock.advance(1000)
    assert reason_of(await risk.headers(sent[-1])) == ""


async def test_a_token_and_a_signature_are_not_sent_at_once(risk: Asked) -> None:
    right = signature()
    for name in right:
        answer = await risk.headers({name: right[name], "authorization": "Bearer x"})
        assert reason_of(answer) == "UNAUTHENTICATED"
    assert reason_of(await risk.headers(right | {"authorization": "Bearer x"})) == "UNAUTHENTICATED"
    assert reason_of(await risk.headers(right)) == ""


async def test_a_signature_is_checked_where_none_is_needed(risk: Asked) -> None:
    right = signature(path="/v1/token", query="")
    assert reason_of(await risk.headers(right | {request_signature.SIGNATURE: "0" * 64}, "POST", "/v1/token")) == (
        "UNAUTHENTICATED"
    )
    assert reason_of(await risk.headers(right, "POST", "/v1/token")) == ""


async def test_what_the_edge_will_not_show_the_body_of_cannot_be_signed(risk: Asked) -> None:
    right = signature()
    for where in ({"other": "x"}, {"body": "never"}):
        assert reason_of(await risk.headers(right, **where)) == "UNAUTHENTICATED"
    grpc_call = await risk.headers(right | {"content-type": "application/grpc"}, other="x")
    headers = {option.header.key: option.header.value for option in grpc_call.denied_response.headers}
    assert headers["grpc-status"] == "16"
    assert "sign a REST request" in headers["grpc-message"]


async def test_the_body_is_the_one_that_was_signed(risk: Asked) -> None:
    right = signature()
    answer = await risk.body(BODY, right)
    assert reason_of(answer) == ""
    assert set(answer.ok_response.headers_to_remove) == set(request_signature.FORMS)
    large = BODY * 100_000
    assert reason_of(await risk.body(large, signature(content_sha256=content_digest(large)))) == ""
    for body in (b"", BODY[:-1], BODY + b"\n", large):
        answer = await risk.body(body, right)
        assert (answer.denied_response.status.code, reason_of(answer)) == (401, "BODY_DIGEST_MISMATCH")
    assert reason_of(await risk.body(b"", signature(content_sha256=content_digest(b"")))) == ""


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    right = signature()
    assert Signatures(MASTER).proof("POST", f"{PATH}?{QUERY}", right) is None
    assert compared == [(right[request_signature.SIGNATURE],) * 2]


async def test_signed_requests_need_a_key_and_a_place_for_nonces(tmp_path: pathlib.Path) -> None:
    keys, master = tmp_path / "token.pem", tmp_path / "signing.key"
    keys.write_text(PUBLIC)
    stated: dict[str, Any] = {"token_keys": keys, "registry_address": "127.0.0.1:1"}
    master.write_text(MASTER.hex())
    with pytest.raises(SettingsError, match="REDIS_URL"):
        async with serving(app.bind, Settings(signing_key=master, **stated), name="risk-control"):
            pass
    master.write_text("00" * 31)
    stated["redis_url"] = "redis://127.0.0.1:1"
    with pytest.raises(ValueError, match="32 bytes"):
        async with serving(app.bind, Settings(signing_key=master, **stated), name="risk-control"):
            pass


async def test_a_platform_without_a_master_key_takes_no_signatures() -> None:
    admission = Admission(
        PublicMethods([]),
        Tokens(public_keys(PUBLIC)),
        Known({"client-1": credential("client-1")}),
        ManualClock(),
        signing=None,
        clients=Buckets(1),
        public=Buckets(1),
        requests_per_second=1,
        public_requests_per_second=1,
        public_requests_per_address=1,
    )
    with pytest.raises(MeshError) as refused:
        await admission.decide_signed("POST", f"{PATH}?{QUERY}", signature(), body_follows=True)
    assert refused.value.reason == reasons.ERROR_REASON_UNAUTHENTICATED
