"""Many batches: every record is decided once, whatever the platform answers on the way."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from grpc import StatusCode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1.access_record_service_pb2 import (
    OUTCOME_ACCEPTED,
    OUTCOME_CONFLICT,
    OUTCOME_DEFERRED,
    OUTCOME_DUPLICATE,
    OUTCOME_REJECTED,
)
from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh_sdk import BatchResult, PlatformError, RetryPolicy
from parkmesh_sdk.testing import Bench, RefusedError, Time, outcomes, record
from parkmesh_sdk.uploading import Uploader, batched


async def test_all_records_are_sent_in_batches(bench: Bench) -> None:
    async with bench.client() as client:
        results = [result async for result in client.upload_all(map(record, range(25)), batch_size=10, concurrency=2)]
    assert sorted((result.index, result.size, result.accepted) for result in results) == [
        (0, 10, 10),
        (1, 10, 10),
        (2, 5, 5),
    ]
    assert sorted(sent for batch in bench.platform.batches for sent in batch) == sorted(
        f"r-{number}" for number in range(25)
    )


async def test_deferred_records_alone_are_sent_again_after_the_time_asked_for(bench: Bench) -> None:
    bench.platform.script += [
        outcomes(OUTCOME_REJECTED, OUTCOME_DEFERRED, OUTCOME_ACCEPTED, OUTCOME_DEFERRED, retry_after_ms=2000),
        outcomes(OUTCOME_DEFERRED, OUTCOME_DUPLICATE),
        outcomes(OUTCOME_CONFLICT),
    ]
    async with bench.client() as client:
        [result] = [result async for result in client.upload_all(map(record, range(4)))]
    assert bench.platform.batches == [["r-0", "r-1", "r-2", "r-3"], ["r-1", "r-3"], ["r-1"]]
    assert (result.accepted, result.duplicate, result.conflicting, result.rejected, result.deferred) == (1, 1, 1, 1, 0)
    assert {item.index: item.outcome for item in result.items} == {
        0: OUTCOME_REJECTED,
        1: OUTCOME_CONFLICT,
        3: OUTCOME_DUPLICATE,
    }
    assert result.attempts == 3
    assert not result.all_stored
    assert bench.time.waits[0] == pytest.approx(2.5)
    assert result.seconds == pytest.approx(sum(bench.time.waits))


async def test_what_stays_undecided_is_counted_as_deferred(bench: Bench) -> None:
    bench.platform.script += [outcomes(OUTCOME_DEFERRED)] * 2
    async with bench.client(retry=RetryPolicy(attempts=2)) as client:
        [result] = [result async for result in client.upload_all([record(0)])]
    assert (result.deferred, result.attempts, result.error) == (1, 2, None)


async def test_a_batch_that_is_never_answered_is_deferred_with_its_error(bench: Bench) -> None:
    bench.platform.script += [RefusedError(StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")] * 2
    async with bench.client(retry=RetryPolicy(attempts=2)) as client:
        results = [result async for result in client.upload_all(map(record, range(4)), batch_size=2, concurrency=1)]
    assert [(result.accepted, result.deferred) for result in results] == [(0, 2), (2, 0)]
    assert results[0].error is not None
    assert results[0].error.reason == "LOG_UNAVAILABLE"


async def test_a_refusal_for_good_ends_it_all(bench: Bench) -> None:
    bench.platform.script.append(RefusedError(StatusCode.PERMISSION_DENIED, "METHOD_NOT_ALLOWED"))
    async with bench.client() as client:
        with pytest.raises(PlatformError, match="METHOD_NOT_ALLOWED"):
            [result async for result in client.upload_all(map(record, range(9)), batch_size=1, concurrency=3)]


@pytest.mark.parametrize(
    "wrong",
    [
        access.UploadRecordsResponse(accepted=1),
        access.UploadRecordsResponse(accepted=1, deferred=1),
        access.UploadRecordsResponse(accepted=2, items=[access.ItemResult(index=2)]),
    ],
)
async def test_an_answer_that_does_not_add_up_counts_for_nothing(
    bench: Bench, wrong: access.UploadRecordsResponse
) -> None:
    bench.platform.script.append(lambda request: wrong)
    async with bench.client() as client:
        [result] = [result async for result in client.upload_all(map(record, range(2)))]
    assert (result.accepted, result.deferred) == (0, 2)


@pytest.mark.parametrize("size", [0, 1001])
async def test_a_batch_size_that_the_platform_does_not_take_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        await anext(batched([], size))


class Slow:
    """Answers when told to, and knows how many calls are on their way."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.started: list[int] = []

    async def send(self, records: object) -> access.UploadRecordsResponse:
        taken = list(records)  # type: ignore[call-overload]
        self.started.append(int(taken[0].record_id[2:]))
        self.running += 1
        self.most = max(self.most, self.running)
        # The first one is the slowest: the others must not wait for it.
        for _ in range(90 if self.started[-1] == 0 else 12):
            await asyncio.sleep(0)
        self.running -= 1
        return access.UploadRecordsResponse(accepted=len(taken))


async def test_no_more_than_so_many_are_on_their_way_and_each_starts_in_order() -> None:
    slow, time, read = Slow(), Time(), []

    def source() -> object:
        for number in range(12):
            read.append(number)
            yield record(number)

    uploader = Uploader(slow.send, RetryPolicy(), time.sleep, lambda: 0.5, lambda: time.now_s)
    order = []
    async for result in uploader.upload(batched(source(), 1), 3):  # type: ignore[arg-type]
        order.append(result.index)
        assert len(read) <= len(order) + 3
    assert slow.most == 3
    assert slow.started == list(range(12))
    assert order[0] != 0
    assert sorted(order) == list(range(12))


async def test_results_do_not_wait_for_the_next_batch() -> None:
    arrived = asyncio.Event()

    async def batches() -> AsyncIterator[list[AccessRecord]]:
        yield [record(0)]
        await arrived.wait()
        yield [record(1)]

    time = Time()
    uploader = Uploader(Slow().send, RetryPolicy(), time.sleep, lambda: 0.5, lambda: time.now_s)
    results = uploader.upload(batches(), 2)
    assert (await anext(results)).index == 0
    arrived.set()
    assert [result.index async for result in results] == [1]


async def test_leaving_early_leaves_nothing_running() -> None:
    slow, time = Slow(), Time()
    uploader = Uploader(slow.send, RetryPolicy(), time.sleep, lambda: 0.5, lambda: time.now_s)
    before = asyncio.all_tasks()
    results: AsyncIterator[BatchResult] = uploader.upload(batched(map(record, range(9)), 1), 3)
    await anext(results)
    await results.aclose()  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == before


SCRIPTS = st.lists(
    st.lists(
        st.sampled_from([OUTCOME_ACCEPTED, OUTCOME_DUPLICATE, OUTCOME_CONFLICT, OUTCOME_REJECTED, OUTCOME_DEFERRED]),
        min_size=6,
        max_size=6,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=SCRIPTS)
def test_every_record_is_decided_once_and_never_sent_again_then(script: list[list[access.Outcome.ValueType]]) -> None:
    rounds = list(script)
    decided: set[str] = set()

    async def send(records: object) -> access.UploadRecordsResponse:
        request = access.UploadRecordsRequest(records=records)  # type: ignore[arg-type]
        said = rounds.pop(0)[: len(request.records)] if rounds else [OUTCOME_ACCEPTED] * len(request.records)
        for sent, outcome in zip(request.records, said, strict=True):
            assert sent.record_id not in decided
            if outcome != OUTCOME_DEFERRED:
                decided.add(sent.record_id)
        return outcomes(*said)(request)

    async def upload() -> list[BatchResult]:
        time = Time()
        uploader = Uploader(send, RetryPolicy(), time.sleep, lambda: 0.5, lambda: time.now_s)
        return [result async for result in uploader.upload(batched(map(record, range(6)), 6), 1)]

    [result] = asyncio.run(upload())
    assert result.accepted + result.duplicate + result.conflicting + result.rejected == 6
    assert result.deferred == 0
    assert decided == {f"r-{number}" for number in range(6)}
