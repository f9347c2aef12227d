"""Authorization end to end: a real server asked as Envoy asks it, over a directory that a registry fills."""

import asyncio
import base64
import contextlib
import itertools
import json
import pathlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
from directory.testing import StatedRegistry, account, credential, vendor
from google.rpc import status_pb2  # type: ignore[import-untyped]
from mesh.caller import HEADER, Caller, CallerKind, Verifier, generate_key_pair
from mesh.hosting import Mesh
from mesh.settings import BaseSettings
from mesh.testing import YEAR_2100_MS, ManualClock, running, throwaway_keys
from parkmesh.edge.v1 import ext_authz_pb2
from parkmesh.registry.v1 import role_pb2, vendor_pb2
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from risk_control.app import bind
from risk_control.settings import Settings

TOKEN_PRIVATE, TOKEN_PUBLIC = generate_key_pair()
CHECK = "/envoy.service.auth.v3.Authorization/Check"
NOWHERE = "127.0.0.1:1"


def token(client_id: str = "client-1", subject: str = "vendor-1", **claims: Any) -> str:
    now = YEAR_2100_MS // 1000
    stated = {"iss": "registry", "sub": client_id, "subject": subject, "kind": "vendor", "iat": now, "exp": now + 900}
    return "Bearer " + jwt.encode(stated | claims, TOKEN_PRIVATE, algorithm="EdDSA")


@dataclass
class Asked:
    """A running risk-control, and the registry and the clock behind it."""

    ask: Callable[..., Any]
    registry: StatedRegistry
    clock: ManualClock


@contextlib.asynccontextmanager
async def risk_control(tmp_path: pathlib.Path, *facts: Any, away: bool = False, **changes: Any) -> AsyncIterator[Asked]:
    registry, clock = StatedRegistry(*facts), ManualClock()
    keys = tmp_path / "token.pem"
    keys.write_text(TOKEN_PUBLIC)

    async def serve_registry(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(add_DirectoryServiceServicer_to_server, registry)

    async with running(serve_registry, BaseSettings(), name="registry", clock=clock) as serving:
        address = NOWHERE if away else serving.address
        settings = Settings(token_keys=keys, registry_address=address, **changes)
        async with running(bind, settings, name="risk-control", clock=clock) as asked:
            check = asked.channel().unary_unary(
                CHECK, ext_authz_pb2.CheckRequest.SerializeToString, ext_authz_pb2.CheckResponse.FromString
            )

            async def ask(
                verb: str, path: str, address: str = "192.0.2.1", **headers: str
            ) -> ext_authz_pb2.CheckResponse:
                request = ext_authz_pb2.CheckRequest()
                request.attributes.source.address.socket_address.address = address
                http = request.attributes.request.http
                http.method, http.path = verb, path
                http.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
                return await check(request, timeout=5)

            if not away:
                await until(lambda: ask("GET", "/"), 16)
            yield Asked(ask, registry, clock)


async def until(ask: Callable[[], Awaitable[ext_authz_pb2.CheckResponse]], code: int) -> None:
    """Asks until the answer has the status."""
    async with asyncio.timeout(5):
        while (await ask()).status.code != code:  # noqa: ASYNC110 - what is awaited happens in another component
            await asyncio.sleep(0.01)


def headers_of(answer: ext_authz_pb2.CheckResponse) -> dict[str, str]:
    set_headers = answer.denied_response.headers if answer.HasField("denied_response") else answer.ok_response.headers
    assert all(option.append_action == 2 for option in set_headers)
    return {option.header.key: option.header.value for option in set_headers}


def reason_of(answer: ext_authz_pb2.CheckResponse) -> str:
    body = json.loads(answer.denied_response.body)
    (info,) = [detail for detail in body["details"] if detail["@type"].endswith("ErrorInfo")]
    assert info["domain"] == "parkmesh"
    return str(info["reason"])


FACTS = (vendor("vendor-1"), credential("client-1", "vendor-1"))


async def test_a_good_token_is_replaced_by_an_assertion(tmp_path: pathlib.Path) -> None:
    async with risk_control(tmp_path, *FACTS) as risk:
        answer = await risk.ask("GET", "/v1/lots", authorization=token())
        assert answer.status.code == 0
        assert list(answer.ok_response.headers_to_remove) == ["authorization"]
        assertion = headers_of(answer)[HEADER]
        caller = Verifier({"risk-control": throwaway_keys()[1]}).verify(assertion, YEAR_2100_MS)
        assert caller == Caller(CallerKind.VENDOR, "vendor-1", "client-1")
        again = await risk.ask("POST", "/v1/records:upload", authorization=token())
        assert headers_of(again)[HEADER] == assertion


async def test_a_caller_is_what_the_registry_says_not_what_the_token_says(tmp_path: pathlib.Path) -> None:
    credentials = (
        credential("client-2", "platform", role=role_pb2.ROLE_ADMINISTRATOR),
        credential("client-3", "platform", role=role_pb2.ROLE_SECURITY_ADMINISTRATOR, account_id="account-3"),
        credential("client-4", "lot-1", role=role_pb2.ROLE_DEVICE),
        credential("client-5", "account-5", role=role_pb2.ROLE_COLLECTOR, account_id="account-5"),
    )
    accounts = (
        account("account-3", role_pb2.ROLE_SECURITY_ADMINISTRATOR),
        account("account-5", role_pb2.ROLE_COLLECTOR, "lot-1"),
    )
    async with risk_control(tmp_path, *FACTS, *accounts, *credentials) as risk:
        verifier = Verifier({"risk-control": throwaway_keys()[1]})
        for caller in (
            Caller(CallerKind.VENDOR, "vendor-1", "client-1"),
            Caller(CallerKind.ADMINISTRATOR, "platform", "client-2"),
            Caller(CallerKind.SECURITY_ADMINISTRATOR, "platform", "client-3", "account-3"),
            Caller(CallerKind.DEVICE, "lot-1", "client-4"),
            Caller(CallerKind.COLLECTOR, "account-5", "client-5", "account-5"),
        ):
            for kind in ("vendor", "administrator"):
                authorization = token(caller.credential, caller.subject, kind=kind)
                answer = await risk.ask("GET", "/v1/lots", authorization=authorization)
                assert verifier.verify(headers_of(answer)[HEADER], YEAR_2100_MS) == caller


async def test_without_a_good_token_every_path_is_401(tmp_path: pathlib.Path) -> None:
    paths = [
        ("GET", "/v1/lots"),
        ("GET", "/v9/nothing"),
        ("POST", "/v1/token/x"),
        ("GET", "/v1/token"),
        ("BREW", "*"),
    ]
    authorizations = ["", "Bearer", "Bearer x", "Basic eDp5", token("client-9"), token()[7:]]
    async with risk_control(tmp_path, *FACTS) as risk:
        for (verb, path), authorization in itertools.product(paths, authorizations):
            answer = await risk.ask(verb, path, authorization=authorization, x_request_id="request-1")
            assert (answer.denied_response.status.code, answer.status.code) == (401, 16)
            assert reason_of(answer) == "UNAUTHENTICATED"
            assert headers_of(answer) == {"content-type": "application/json", "www-authenticate": "Bearer"}
            assert "request-1" in answer.denied_response.body


async def test_a_credential_must_be_live_and_its_vendors_own(tmp_path: pathlib.Path) -> None:
    now = YEAR_2100_MS
    facts = (
        *FACTS,
        credential("revoked", "vendor-1", revoked=True),
        credential("ended", "vendor-1", expire_ms=now),
        credential("ending", "vendor-1", expire_ms=now + 1000),
        credential("orphan", "vendor-9"),
    )
    async with risk_control(tmp_path, *facts) as risk:

        async def code(client_id: str, subject: str = "vendor-1") -> int:
            return int((await risk.ask("GET", "/v1/lots", authorization=token(client_id, subject))).status.code)

        assert [await code(name) for name in ("client-1", "revoked", "ended", "ending")] == [0, 16, 16, 0]
        assert await code("orphan", "vendor-9") == 16
        assert await code("client-1", "vendor-2") == 16
        risk.clock.advance(1000)
        assert await code("ending") == 16


async def test_a_revoked_credential_is_refused_as_soon_as_the_directory_knows(tmp_path: pathlib.Path) -> None:
    async with risk_control(tmp_path, *FACTS) as risk:
        assert (await risk.ask("GET", "/v1/lots", authorization=token())).status.code == 0
        risk.registry.state(credential("client-1", "vendor-1", revoked=True))
        await until(lambda: risk.ask("GET", "/v1/lots", authorization=token()), 16)


async def test_a_vendor_is_limited_by_its_own_rate(tmp_path: pathlib.Path) -> None:
    facts = (*FACTS, vendor("vendor-2", requests_per_second=2), credential("client-2", "vendor-2"))
    async with risk_control(tmp_path, *facts, burst_seconds=2.0, requests_per_second=3.0) as risk:
        slow, fast = token("client-2", "vendor-2"), token()
        assert [(await risk.ask("GET", "/", authorization=slow)).status.code for _ in range(5)] == [0, 0, 0, 0, 8]
        assert [(await risk.ask("GET", "/", authorization=fast)).status.code for _ in range(7)] == [0] * 6 + [8]
        answer = await risk.ask("GET", "/", authorization=slow)
        assert (answer.denied_response.status.code, reason_of(answer)) == (429, "RATE_LIMITED")
        assert headers_of(answer)["retry-after"] == "1"
        assert '"retryDelay": "0.500s"' in answer.denied_response.body
        risk.clock.advance(500)
        assert (await risk.ask("GET", "/", authorization=slow)).status.code == 0


async def test_everybody_else_is_limited_by_the_default_rate_each_for_themselves(tmp_path: pathlib.Path) -> None:
    facts = (
        vendor("platform", requests_per_second=1),  # the same name, another kind
        credential("client-1", "platform"),
        credential("client-2", "platform", role=role_pb2.ROLE_ADMINISTRATOR),
        credential("client-3", "police", role=role_pb2.ROLE_SUPERVISOR, account_id="account-3"),
        credential("client-4", "police", role=role_pb2.ROLE_SUPERVISOR, account_id="account-4"),
        account("account-3", role_pb2.ROLE_SUPERVISOR),
        account("account-4", role_pb2.ROLE_SUPERVISOR),
    )
    async with risk_control(tmp_path, *facts, burst_seconds=1.0, requests_per_second=3.0) as risk:
        for client_id, subject, size in (
            ("client-1", "platform", 1),
            ("client-2", "platform", 3),
            ("client-3", "police", 3),
            ("client-4", "police", 3),
        ):
            authorization = token(client_id, subject)
            codes = [(await risk.ask("GET", "/", authorization=authorization)).status.code for _ in range(size + 1)]
            assert codes == [0] * size + [8]


async def test_a_credential_is_good_while_its_account_is(tmp_path: pathlib.Path) -> None:
    person = credential("client-5", "account-5", role=role_pb2.ROLE_COLLECTOR, account_id="account-5")
    stranger = credential("client-6", "account-6", role=role_pb2.ROLE_COLLECTOR, account_id="account-6")
    async with risk_control(tmp_path, *FACTS, account("account-5", role_pb2.ROLE_COLLECTOR), person, stranger) as risk:

        async def ask() -> ext_authz_pb2.CheckResponse:
            answer: ext_authz_pb2.CheckResponse = await risk.ask(
                "GET", "/", authorization=token("client-5", "account-5")
            )
            return answer

        assert (await ask()).status.code == 0
        assert (await risk.ask("GET", "/", authorization=token("client-6", "account-6"))).status.code == 16
        risk.registry.state(account("account-5", role_pb2.ROLE_COLLECTOR, active=False))
        await until(ask, 16)
        risk.registry.state(account("account-5", role_pb2.ROLE_COLLECTOR))
        await until(ask, 0)


async def test_who_signs_requests_cannot_use_a_token(tmp_path: pathlib.Path) -> None:
    signer = credential("client-7", "vendor-1", method=vendor_pb2.CREDENTIAL_METHOD_SIGNATURE)
    async with risk_control(tmp_path, *FACTS, signer) as risk:
        answer = await risk.ask("GET", "/", authorization=token("client-7"))
        assert (answer.denied_response.status.code, reason_of(answer)) == (401, "UNAUTHENTICATED")


async def test_public_methods_need_no_token_and_have_a_limit_of_their_own(tmp_path: pathlib.Path) -> None:
    async with risk_control(tmp_path, *FACTS, burst_seconds=2.0, public_requests_per_second=1.0) as risk:
        answer = await risk.ask("POST", "/v1/token", authorization="Bearer x")
        assert answer.status.code == 0
        assert headers_of(answer) == {}
        assert list(answer.ok_response.headers_to_remove) == ["authorization"]
        assert (await risk.ask("POST", "/v1/token")).status.code == 0
        assert (await risk.ask("POST", "/v1/token")).status.code == 8
        assert (await risk.ask("GET", "/v1/lots", authorization=token())).status.code == 0


async def test_an_address_that_sends_too_much_takes_nothing_from_others(tmp_path: pathlib.Path) -> None:
    limits: dict[str, Any] = {"public_requests_per_address": 1.0, "public_requests_per_second": 3.0}
    async with risk_control(tmp_path, *FACTS, burst_seconds=2.0, **limits) as risk:
        first = [(await risk.ask("POST", "/v1/token", "192.0.2.1")).status.code for _ in range(20)]
        assert (first[:2], set(first[2:])) == ([0, 0], {8})
        second = [(await risk.ask("POST", "/v1/token", "2001:db8::1")).status.code for _ in range(3)]
        assert second == [0, 0, 8]
        others = [(await risk.ask("POST", "/v1/token", f"198.51.100.{host}")).status.code for host in range(9)]
        assert others.count(0) == 2, "all together have a limit too"


async def test_grpc_callers_get_a_grpc_status(tmp_path: pathlib.Path) -> None:
    async with risk_control(tmp_path, *FACTS) as risk:
        for kind in ("application/grpc", "application/grpc+proto"):
            answer = await risk.ask("POST", "/a.B/C", content_type=kind, x_request_id="request-1")
            headers = headers_of(answer)
            assert (headers["grpc-status"], answer.denied_response.body) == ("16", "")
            status = status_pb2.Status.FromString(base64.b64decode(headers["grpc-status-details-bin"]))
            assert status.message == headers["grpc-message"]
            assert [detail.TypeName() for detail in status.details] == [
                "google.rpc.ErrorInfo",
                "google.rpc.LocalizedMessage",
                "google.rpc.RequestInfo",
            ]


async def test_before_the_directory_has_synced_nobody_is_known(tmp_path: pathlib.Path) -> None:
    async with risk_control(tmp_path, away=True) as risk:
        for headers in ({"authorization": token()}, {}):
            answer = await risk.ask("GET", "/v1/lots", **headers)
            assert (answer.denied_response.status.code, reason_of(answer)) == (503, "DIRECTORY_UNAVAILABLE")
        assert (await risk.ask("POST", "/v1/token")).status.code == 0


async def test_facts_that_are_too_old_are_not_decided_by(tmp_path: pathlib.Path) -> None:
    async with risk_control(tmp_path, *FACTS, directory_max_age_hours=0.0001) as risk:
        assert (await risk.ask("GET", "/v1/lots", authorization=token())).status.code == 0
        risk.clock.advance(400)
        answer = await risk.ask("GET", "/v1/lots", authorization=token())
        assert answer.denied_response.status.code == 503
