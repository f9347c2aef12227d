"""The client against a platform that accepts, refuses, stalls and forgets, by gRPC and by REST."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from grpc import StatusCode
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1.record_pb2 import DIRECTION_EXIT, AccessRecord
from parkmesh_sdk import CertificateError, Client, Connection, PlatformError, Protocol, RetryPolicy
from parkmesh_sdk.retry import Verdict, verdict
from parkmesh_sdk.testing import SECRET, Bench, RefusedError, outcomes, record

UNANSWERED = (
    StatusCode.UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.CANCELLED,
    StatusCode.UNKNOWN,
    StatusCode.INTERNAL,
)
FINAL = (
    StatusCode.INVALID_ARGUMENT,
    StatusCode.OUT_OF_RANGE,
    StatusCode.UNIMPLEMENTED,
    StatusCode.NOT_FOUND,
    StatusCode.PERMISSION_DENIED,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.ALREADY_EXISTS,
    StatusCode.ABORTED,
    StatusCode.DATA_LOSS,
)


async def test_what_is_uploaded_arrives_as_it_is(bench: Bench) -> None:
    full = record(1)
    full.free_spaces = 0
    full.confidence_permille = 0
    full.image_ids.extend(["a", "b"])
    full.visit_id, full.release_reason, full.resend = "v-1", '引号" 与 \\', True
    full.event_time.nanos = 123_456_789
    async with bench.client() as client:
        answer = await client.upload([full, record(2)])
    assert answer.all_stored
    assert answer.accepted == 2
    assert bench.platform.records == [full, record(2)]


async def test_an_answer_arrives_as_it_was_given(bench: Bench) -> None:
    given = outcomes(access.OUTCOME_DUPLICATE, access.OUTCOME_REJECTED, retry_after_ms=7)
    bench.platform.script.append(given)
    async with bench.client() as client:
        answer = await client.upload([record(1), record(2)])
    assert answer == given(access.UploadRecordsRequest(records=[record(1), record(2)]))


async def test_one_token_serves_many_calls_and_is_renewed_before_it_expires(bench: Bench) -> None:
    bench.platform.expires_in_s = 100
    async with bench.client() as client:
        await client.upload([record(1)])
        bench.time.now_s += 79
        await client.upload([record(2)])
        assert bench.platform.tokens == 1
        bench.time.now_s += 2
        await client.upload([record(3)])
    assert bench.platform.tokens == 2


async def test_a_refused_token_is_replaced_once(bench: Bench) -> None:
    async with bench.client() as client:
        await client.upload([record(1)])
        bench.platform.forget_tokens()
        await client.upload([record(2)])
        assert bench.platform.tokens == 2
        bench.platform.script += [RefusedError(StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")] * 3
        with pytest.raises(PlatformError, match="UNAUTHENTICATED"):
            await client.upload([record(3)])
    assert bench.platform.tokens == 3
    assert bench.time.waits == []


async def test_a_wrong_secret_is_told_at_once(bench: Bench) -> None:
    async with bench.client(client_secret="wrong") as client:
        with pytest.raises(PlatformError) as caught:
            await client.upload([record(1)])
    assert (caught.value.code, caught.value.reason) == (StatusCode.UNAUTHENTICATED, "BAD_CREDENTIAL")
    assert bench.time.waits == []


async def test_a_refusal_tells_reason_field_and_request(bench: Bench) -> None:
    bench.platform.script.append(RefusedError(StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"))
    async with bench.client() as client:
        with pytest.raises(PlatformError) as caught:
            await client.upload([])
    error = caught.value
    assert (error.message, error.chinese) == ("Said why.", "已说明原因。")
    assert error.violations == (("records", "size", "1 to 1,000", "1 至 1,000 条"),)
    assert str(error) == (
        "INVALID_FIELD: Said why. 已说明原因。; records: 1 to 1,000 1 至 1,000 条 (request request-1)"
    )


@pytest.mark.parametrize("code", UNANSWERED)
async def test_what_was_not_answered_is_sent_again_under_the_same_ids(bench: Bench, code: StatusCode) -> None:
    if bench.protocol is Protocol.REST and code.value[0] not in (13, 14):
        code = StatusCode.UNAVAILABLE
    bench.platform.script += [RefusedError(code, "WHATEVER")] * 2
    async with bench.client() as client:
        assert (await client.upload([record(1)])).all_stored
    assert bench.platform.batches == [["r-1"]] * 3
    assert bench.time.waits == pytest.approx([0.15, 0.3])


async def test_a_shed_call_waits_as_long_as_asked_and_a_bit(bench: Bench) -> None:
    bench.platform.script.append(RefusedError(StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry_after_ms=4000))
    async with bench.client() as client:
        assert (await client.upload([record(1)])).all_stored
    assert bench.time.waits == pytest.approx([5.0])


@pytest.mark.parametrize("code", FINAL)
async def test_what_can_never_succeed_is_not_sent_again(bench: Bench, code: StatusCode) -> None:
    if bench.protocol is Protocol.REST and code.value[0] not in (3, 5, 7, 12):
        code = StatusCode.NOT_FOUND
    bench.platform.script.append(RefusedError(code, "WHATEVER"))
    async with bench.client() as client:
        with pytest.raises(PlatformError):
            await client.upload([record(1)])
    assert len(bench.platform.batches) == 1


async def test_attempts_end(bench: Bench) -> None:
    bench.platform.script += [RefusedError(StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")] * 9
    async with bench.client(retry=RetryPolicy(attempts=3)) as client:
        with pytest.raises(PlatformError, match="LOG_UNAVAILABLE"):
            await client.upload([record(1)])
    assert len(bench.platform.batches) == 3


async def test_a_call_that_is_not_answered_ends_at_its_deadline(bench: Bench) -> None:
    bench.platform.hangs = True
    async with bench.client(deadline_s=0.5, retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(PlatformError) as caught:
            await client.upload([record(1)])
    assert caught.value.code is StatusCode.DEADLINE_EXCEEDED


async def test_a_certificate_of_another_authority_is_refused_once(bench: Bench, foreign_ca: Path) -> None:
    async with bench.client(ca=foreign_ca) as client:
        with pytest.raises(CertificateError):
            await client.upload([record(1)])
    assert bench.time.waits == []
    assert bench.platform.tokens == 0


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_a_ca_file_without_a_certificate_is_told(protocol: Protocol, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    client = Client(Connection("https://localhost:1", "client-1", SECRET, tmp_path / "ca.pem"), protocol=protocol)
    with pytest.raises(OSError):  # noqa: PT011
        await client.__aenter__()


async def test_a_platform_that_is_away_is_told(bench: Bench) -> None:
    bench.platform.url = "https://localhost:1"
    async with bench.client(retry=RetryPolicy(attempts=2)) as client:
        with pytest.raises(PlatformError) as caught:
            await client.upload([record(1)])
    assert caught.value.code is StatusCode.UNAVAILABLE
    assert len(bench.time.waits) == 1


async def test_reading_goes_by_path_and_query(bench: Bench) -> None:
    async with bench.client() as client:
        stored = await client.get_record("lot_1", "r-1")
        start = datetime(2100, 1, 1, tzinfo=UTC)
        listed = [each async for each in client.list_records("lot_1", start=start, direction=DIRECTION_EXIT)]
        with pytest.raises(PlatformError, match="RECORD_NOT_FOUND"):
            await client.get_record("lot_1", "none")
    assert (stored.record.record_id, stored.delay_ms, listed) == ("r-1", -3, [])
    asked = bench.platform.requests[1]
    assert isinstance(asked, access.ListRecordsRequest)
    assert (asked.lot_id, asked.start_time.ToDatetime(UTC), asked.direction) == ("lot_1", start, DIRECTION_EXIT)
    assert not asked.HasField("end_time")
    if bench.protocol is Protocol.REST:
        assert "GET /v1/lots/lot_1/records/r-1" in bench.platform.paths


async def test_pages_are_joined(bench: Bench) -> None:
    bench.platform.lots = 5
    async with bench.client() as client:
        assert [lot.lot_id async for lot in client.list_lots()] == [f"lot_{number}" for number in range(5)]


async def test_bodies_can_be_packed(bench: Bench) -> None:
    async with bench.client(compress=True) as client:
        assert (await client.upload([record(1)])).all_stored
    assert bench.platform.records == [record(1)]
    assert bool(bench.platform.packed) is (bench.protocol is Protocol.REST)


async def test_a_stream_answers_each_batch_in_order(bench: Bench) -> None:
    async def batches() -> AsyncIterator[list[AccessRecord]]:
        yield [record(1), record(2)]
        yield [record(3)]

    async with bench.client() as client:
        if bench.protocol is Protocol.REST:
            with pytest.raises(ValueError, match="gRPC"):
                await anext(client.stream(batches()))
            return
        assert [answer.accepted async for answer in client.stream(batches())] == [2, 1]


async def test_a_broken_stream_is_told(bench: Bench) -> None:
    async def batches() -> AsyncIterator[list[AccessRecord]]:
        yield [record(1)]

    if bench.protocol is Protocol.REST:
        return
    bench.platform.script.append(RefusedError(StatusCode.UNAVAILABLE))
    async with bench.client() as client:
        with pytest.raises(PlatformError):
            [answer async for answer in client.stream(batches())]


def test_a_wrong_credential_is_no_matter_of_a_new_token() -> None:
    refused = PlatformError(StatusCode.UNAUTHENTICATED, "no", reason="BAD_CREDENTIAL")
    assert verdict(refused) is Verdict.NEVER
    assert verdict(PlatformError(StatusCode.UNAUTHENTICATED, "no", reason="UNAUTHENTICATED")) is Verdict.NEW_TOKEN


@pytest.mark.parametrize("url", ["http://localhost:1", "https://", "localhost:8443", "https://localhost:8443/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https://host:port"):
        Connection(url, "client-1", SECRET)


def test_the_secret_does_not_show() -> None:
    connection = Connection("https://[::1]", "client-1", SECRET)
    assert SECRET not in repr(connection)
    assert connection.address == "[::1]:443"
