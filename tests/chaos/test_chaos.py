"""Under load, processes are killed, hung, starved, stopped: what was acknowledged is there once, nothing else is."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import redis.asyncio
from grpc import StatusCode
from local_platform.testing import RunningPlatform
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.access_record_service_pb2 import OUTCOME_DEFERRED
from parkmesh_cli.premises import Site
from parkmesh_sdk import Client, PlatformError, Protocol, RetryPolicy

from ..city import HOUR_MS, connection, log_url, lots, now_ms, record
from .books import Fate
from .checking import check
from .load import BATCH, Load

PROMISED = ("access-records", "log", "history-writer", "clickhouse")
OTHERS = ("risk-control", "edge", "envoy", "registry")
PROCESSES = PROMISED + OTHERS


@pytest.fixture(scope="module")
async def sites(platform: RunningPlatform) -> list[Site]:
    return await lots(platform, "chaos", 5)


@pytest.fixture
def seed() -> int:
    """Of the moments and the victims; printed, so that a failure shows it. PARKMESH_CHAOS_SEED plays one again."""
    chosen = int(os.environ.get("PARKMESH_CHAOS_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"PARKMESH_CHAOS_SEED={chosen}")  # noqa: T201
    return chosen


async def pid(platform: RunningPlatform, name: str) -> int:
    """The process's id, as soon as it runs."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(KeyError, FileNotFoundError):
                return platform.pid(name)
            await asyncio.sleep(0.02)


async def kill(platform: RunningPlatform, name: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(await pid(platform, name), signal.SIGKILL)


async def test_whatever_is_killed_whenever_no_promise_is_broken(
    platform: RunningPlatform, sites: list[Site], seed: int
) -> None:
    chance = random.Random(seed)
    victims = [*PROMISED * 3, *OTHERS * 2]
    chance.shuffle(victims)
    load = Load(platform, sites, f"kill{seed}", seed)
    async with load.running():
        for victim in victims:
            await load.acknowledged(2 * BATCH)
            await asyncio.sleep(chance.random())
            await kill(platform, victim)
            if chance.random() < 0.25:
                await kill(platform, chance.choice(PROCESSES))
        await load.acknowledged(10 * BATCH)
    await check(platform, load.books, f"kill{seed}")
    assert load.books.count(Fate.UNKNOWN), "the kills cut no call off: they did not come under load"


@contextlib.contextmanager
def frozen(process: int) -> Iterator[None]:
    """The process neither works nor answers within the block."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


@contextlib.asynccontextmanager
async def away(platform: RunningPlatform, name: str) -> AsyncIterator[None]:
    """Nobody listens on the process's port within the block: whoever takes its place is frozen before it does."""
    former = await pid(platform, name)
    os.kill(former, signal.SIGKILL)
    async with asyncio.timeout(60):
        while (successor := await pid(platform, name)) == former:  # noqa: ASYNC110 - the supervisor starts it
            await asyncio.sleep(0.005)
    with frozen(successor):
        yield


async def test_without_clickhouse_recent_records_are_taken_and_old_ones_deferred(
    platform: RunningPlatform, sites: list[Site], seed: int
) -> None:
    load = Load(platform, sites, f"away{seed}", seed)
    async with Client(connection(platform), retry=RetryPolicy(attempts=1)) as client:
        answers = []

        async def both_kinds(name: str) -> None:
            ages = {f"away{seed}-{name}-recent": HOUR_MS, f"away{seed}-{name}-old": 100 * HOUR_MS}
            records = [record(sites[0], record_id, now_ms() - age) for record_id, age in ages.items()]
            load.books.send(records)
            answer = await client.upload(records)
            load.books.answer(records, answer)
            answers.append(answer)

        with frozen(await pid(platform, "clickhouse")):
            await both_kinds("frozen")
        async with away(platform, "clickhouse"):
            await both_kinds("away")
            async with load.running():
                await load.acknowledged(10 * BATCH)
                await kill(platform, "access-records")
                await load.acknowledged(10 * BATCH)
        for answer in answers:
            assert (answer.accepted, answer.deferred, answer.all_stored) == (1, 1, False)
            (item,) = [item for item in answer.items if item.outcome == OUTCOME_DEFERRED]
            assert (item.index, item.field, item.retryable) == (1, "records[1]", True), answer
            assert answer.retry_after_ms > 0
        assert set(load.books.reasons) == {"ERROR_REASON_HISTORY_UNAVAILABLE"}
        assert load.books.count(Fate.REFUSED)
    # A vendor's SDK sends what was deferred again by itself.
    async with Client(connection(platform)) as client:
        refused = [load.books.sent[key] for key in load.books.with_fate(Fate.REFUSED)]
        left = [one for one in refused if isinstance(one, record_pb2.AccessRecord)]
        load.books.send(left)
        async for result in client.upload_all(left):
            assert result.all_stored
    await check(platform, load.books, f"away{seed}")


async def test_a_full_log_refuses_says_when_to_come_back_and_loses_nothing(
    platform: RunningPlatform, sites: list[Site], seed: int
) -> None:
    load = Load(platform, sites, f"full{seed}", seed)
    once = RetryPolicy(attempts=1)
    async with redis.asyncio.Redis.from_url(log_url(platform)) as log, load.running():
        await load.acknowledged(5 * BATCH)
        allowed = int((await log.config_get("maxmemory"))["maxmemory"] or 0)
        try:
            await log.config_set("maxmemory", int((await log.info("memory"))["used_memory"] * 1.2))
            for protocol in Protocol:
                async with Client(connection(platform), protocol=protocol, retry=once) as client:
                    refusal = await refused(client, load)
                    assert refusal.code is StatusCode.RESOURCE_EXHAUSTED
                    assert refusal.reason == "LOG_FULL"
                    assert refusal.retry_after_s is not None
                    assert refusal.retry_after_s > 0
        finally:
            await log.config_set("maxmemory", allowed)
        await load.acknowledged(5 * BATCH)
    assert load.books.answered["RESOURCE_EXHAUSTED"]
    await check(platform, load.books, f"full{seed}")


async def refused(client: Client, load: Load) -> PlatformError:
    """The refusal of an upload, once the service has looked at the log's memory again."""
    async with asyncio.timeout(30):
        while True:
            refusal = await load.upload(client, load.batch())
            if refusal is not None:
                return refusal


@pytest.mark.parametrize("gently", [True, False], ids=["stopped", "killed"])
async def test_the_whole_platform_may_end_under_load_and_start_again(
    platform: RunningPlatform, sites: list[Site], seed: int, gently: bool
) -> None:
    prefix = f"{'stop' if gently else 'crash'}{seed}"
    load = Load(platform, sites, prefix, seed)
    async with load.running():
        await load.acknowledged(20 * BATCH)
        if gently:
            assert await asyncio.to_thread(platform.stop) == 0
        else:
            await asyncio.to_thread(platform.kill)
        await asyncio.to_thread(platform.start)
        await load.acknowledged(10 * BATCH)
    await check(platform, load.books, prefix)
