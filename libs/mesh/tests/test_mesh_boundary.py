"""The error boundary: what an exception becomes on the wire, and what it never becomes."""

import asyncio
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as details  # type: ignore[import-untyped]
from mesh.boundary import as_refusal
from mesh.errors import FieldViolation, MeshError, status_of
from mesh.reasons import MEANINGS, chinese_of
from mesh.settings import BaseSettings
from mesh.testing import SequentialIds, running
from parkmesh.errors.v1 import error_reason_pb2 as reasons

KINDS = ("One", "Many", "Collect", "Talk")
CANARY = "闽B12345"


@pytest.mark.parametrize("kind", KINDS)
async def test_unknown_exception_is_internal_without_its_text_and_logged_once(kind: str, echo: Any, lines: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(f"plate {CANARY}") from error

    async with running(echo.bind(respond), BaseSettings(), ids=SequentialIds()) as service:
        refusal = await echo.refusal(service.channel(echo.vendor), kind, echo.request(text_value="x"))
    assert refusal.code is grpc.StatusCode.INTERNAL
    assert refusal.detail(details.ErrorInfo).reason == "INTERNAL"
    assert refusal.detail(details.RequestInfo).request_id == "req-1"
    assert CANARY not in refusal.text
    assert "12345" not in refusal.text
    (line,) = lines()
    assert CANARY not in str(line)
    assert line["request_id"] == "req-1"
    assert len(line["trace_id"]) == 32
    assert [error["type"] for error in line["errors"]] == ["builtins.ValueError", "builtins.KeyError"]
    assert "respond" in line["errors"][0]["frames"][-1]


@pytest.mark.parametrize("kind", KINDS)
async def test_refusal_travels_with_all_its_details(kind: str, echo: Any, lines: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        raise MeshError(
            reasons.ERROR_REASON_LOG_FULL,
            "The log is full.",
            fields=[FieldViolation("records[3].plateNumber", "string.pattern", "must be a plate", "须为号牌")],
            retry_after_ms=1500,
            metadata={"watermark": "disk"},
        )

    async with running(echo.bind(respond), BaseSettings()) as service:
        refusal = await echo.refusal(
            service.channel(echo.vendor), kind, echo.request(), metadata=[("x-request-id", "edge-id-1")]
        )
    assert (refusal.code, refusal.message) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "The log is full.")
    info = refusal.detail(details.ErrorInfo)
    assert (info.reason, info.domain, dict(info.metadata)) == ("LOG_FULL", "parkmesh", {"watermark": "disk"})
    (violation,) = refusal.detail(details.BadRequest).field_violations
    assert (violation.field, violation.reason) == ("records[3].plateNumber", "string.pattern")
    assert violation.description == "must be a plate"
    assert (violation.localized_message.locale, violation.localized_message.message) == ("zh-CN", "须为号牌")
    told = refusal.detail(details.LocalizedMessage)
    assert (told.locale, told.message) == ("zh-CN", chinese_of(reasons.ERROR_REASON_LOG_FULL))
    assert refusal.detail(details.RetryInfo).retry_delay.ToMilliseconds() == 1500
    assert refusal.detail(details.RequestInfo).request_id == "edge-id-1"
    assert lines() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_timeout_is_deadline_exceeded(kind: str, echo: Any, lines: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        async with asyncio.timeout(0):
            await asyncio.sleep(60)
        return ""

    async with running(echo.bind(respond), BaseSettings()) as service:
        refusal = await echo.refusal(service.channel(echo.vendor), kind, echo.request())
    assert refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert refusal.detail(details.ErrorInfo).reason == "DEADLINE_EXCEEDED"
    assert lines() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_abort_is_left_as_it_is(kind: str, echo: Any, lines: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "by hand")
        return ""

    async with running(echo.bind(respond), BaseSettings()) as service:
        refusal = await echo.refusal(service.channel(echo.vendor), kind, echo.request())
    assert (refusal.code, refusal.message) == (grpc.StatusCode.FAILED_PRECONDITION, "by hand")
    assert lines() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_cancelled_call_is_cancelled_within(kind: str, echo: Any, lines: Any) -> None:
    begun = asyncio.Event()
    cancelled = asyncio.Event()

    async def respond(request: Any, context: Any) -> str:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return ""

    async with running(echo.bind(respond), BaseSettings()) as service:
        calling = asyncio.create_task(echo.call(service.channel(echo.vendor), kind, echo.request()))
        await begun.wait()
        calling.cancel()
        await asyncio.wait_for(cancelled.wait(), 10)
        with pytest.raises(asyncio.CancelledError):
            await calling
    assert lines() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_unreadable_bytes_are_malformed(kind: str, echo: Any, lines: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        return ""

    async with running(echo.bind(respond), BaseSettings()) as service:
        for raw in (b"\xff\xff", b"\x0a\x02\xff\xfe"):
            refusal = await echo.refusal(service.channel(echo.vendor), kind, raw)
            assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
            assert refusal.detail(details.ErrorInfo).reason == "MALFORMED_REQUEST"
    assert lines() == []


async def test_answers_given_before_an_error_arrive(echo: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        if request.text_value == "bad":
            raise MeshError(reasons.ERROR_REASON_LOT_NOT_FOUND, "No such lot.")
        return str(request.text_value)

    async def requests() -> Any:
        for text in ("first", "bad"):
            yield echo.request(text_value=text)

    async with running(echo.bind(respond), BaseSettings()) as service:
        talk: Any = service.channel(echo.vendor).stream_stream(
            "/meshtest.v1.EchoService/Talk",
            request_serializer=echo.request.SerializeToString,
            response_deserializer=echo.response.FromString,
        )(requests())
        assert (await talk.read()).text_value == "first"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await talk.read()
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_unknown_method_is_told_to_callers_only(echo: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        return ""

    async with running(echo.bind(respond), BaseSettings()) as service:
        for path in ("/meshtest.v1.EchoService/None", "/no.such.Service/Method"):
            known = await echo.refusal(service.channel(echo.vendor), path, echo.request())
            stranger = await echo.refusal(service.channel(), path, echo.request())
            assert known.detail(details.ErrorInfo).reason == "UNKNOWN_METHOD"
            assert known.code is grpc.StatusCode.UNIMPLEMENTED
            assert stranger.detail(details.ErrorInfo).reason == "CALLER_NOT_ASSERTED"


@pytest.mark.parametrize("given", ["short", "has space in it", "x" * 65, "闽B12345闽"])
def test_status_is_bounded_however_many_fields_are_at_fault(given: str) -> None:
    fields = [
        FieldViolation(f"records[{index}].plateNumber", "string.max_len", "d" * 100, "中" * 50) for index in range(1000)
    ]
    status = status_of(MeshError(reasons.ERROR_REASON_INVALID_FIELD, "m", fields=fields), given)
    # In base64, beside the other trailers, it must stay below 8 KiB.
    assert len(status.SerializeToString()) < 5000
    info = details.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.metadata["violations"] == "1000"


async def test_ill_formed_request_id_is_replaced(echo: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        raise MeshError(reasons.ERROR_REASON_LOT_NOT_FOUND, "No such lot.")

    async with running(echo.bind(respond), BaseSettings(), ids=SequentialIds()) as service:
        for number, given in enumerate(("short", "has space in it", "x" * 65), 1):
            refusal = await echo.refusal(
                service.channel(echo.vendor), "One", echo.request(), metadata=[("x-request-id", given)]
            )
            assert refusal.detail(details.RequestInfo).request_id == f"req-{number}"


def test_failures_of_services_behind_are_told_apart() -> None:
    def failed(code: grpc.StatusCode) -> MeshError:
        return as_refusal(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), CANARY))

    assert failed(grpc.StatusCode.UNAVAILABLE).reason == reasons.ERROR_REASON_SERVICE_UNAVAILABLE
    assert failed(grpc.StatusCode.DEADLINE_EXCEEDED).reason == reasons.ERROR_REASON_DEADLINE_EXCEEDED
    assert failed(grpc.StatusCode.NOT_FOUND).reason == reasons.ERROR_REASON_INTERNAL
    assert as_refusal(ConnectionError(CANARY)).reason == reasons.ERROR_REASON_INTERNAL


def test_status_follows_from_the_reason() -> None:
    for reason, meaning in MEANINGS.items():
        error = MeshError(reason, "m")
        assert (error.code, error.retryable) == meaning


def test_an_error_may_say_more_in_chinese_than_its_reason() -> None:
    status = status_of(MeshError(reasons.ERROR_REASON_LOT_NOT_FOUND, "m", chinese="没有此停车场"), "req-1")
    told = details.LocalizedMessage()
    assert status.details[1].Unpack(told)
    assert told.message == "没有此停车场"
    assert status.details[-1].Is(details.RequestInfo.DESCRIPTOR)
