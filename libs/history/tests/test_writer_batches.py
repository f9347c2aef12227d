"""The batch writer: one insert per table and partition, refusal of tables that forget, and harmless repetition."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from history.client import Account, HistoryClient
from history.durability import DURABLE_CLAUSE, DURABLE_SETTINGS, verify_durable
from history.errors import HistoryRejected, HistoryUnavailable, NotDurable
from history.rows import ProtobufTable, delimited
from history.writer import BatchWriter

SCHEMA = 'syntax = "proto3"; message Row { int64 ms = 1; string id = 2; }'


def encode(ms: int, name: str) -> bytes:
    number = bytearray()
    while ms > 127:
        number.append(ms & 127 | 128)
        ms >>= 7
    return b"\x08" + bytes([*number, ms]) + b"\x12" + bytes([len(name)]) + name.encode()


async def table(client: HistoryClient, database: str, name: str) -> ProtobufTable:
    await client.execute(
        f"CREATE TABLE {database}.{name} (ms Int64 EPHEMERAL, id String,"
        " at DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(ms, 'UTC')) ENGINE = ReplacingMergeTree"
        f" PARTITION BY toYYYYMM(at) ORDER BY (at, id) {DURABLE_CLAUSE}"
    )
    return ProtobufTable(f"{database}.{name}", ("ms", "id"), SCHEMA, "Row")


def month(number: int) -> tuple[int, int]:
    """The partition key and a millisecond of the n-th month from January 2100."""
    year, index = divmod(number, 12)
    middle = datetime(2100 + year, index + 1, 15, tzinfo=UTC)
    return int(f"{middle:%Y%m}"), int(middle.timestamp()) * 1000


def batch_of(name: str, months: int, rows: int) -> dict[str, dict[int, list[bytes]]]:
    parts: dict[int, list[bytes]] = defaultdict(list)
    for number in range(months):
        key, ms = month(number)
        parts[key].extend(encode(ms + row, f"r{number}-{row}") for row in range(rows))
    return {name: dict(parts)}


async def count(client: HistoryClient, name: str) -> tuple[int, int]:
    ((rows, ids),) = await client.rows(f"SELECT count(), uniqExact(id) FROM {name} FINAL")
    return rows, ids


async def test_one_insert_per_table_and_partition_in_order(client: HistoryClient, database: str) -> None:
    sent: list[tuple[str, int]] = []

    class Recording(HistoryClient):
        async def insert(self, table: ProtobufTable, data: bytes, **kwargs: object) -> None:
            sent.append((table.name, len(data)))
            await super().insert(table, data, **kwargs)  # type: ignore[arg-type]

    second, first = await table(client, database, "a"), await table(client, database, "b")
    batch = {**batch_of(second.name, 1, 1), **batch_of(first.name, 3, 2)}
    (january, rows), *later = batch[first.name].items()
    batch[first.name] = dict(reversed(later)) | {january: rows[:1], 205001: []}
    async with Recording(client.account) as recording:
        assert await BatchWriter(recording, [first, second]).write(batch) == 4
    row = len(delimited(rows[:1]))
    assert sent == [(first.name, row), (first.name, 2 * row), (first.name, 2 * row), (second.name, row)]
    assert await count(client, first.name) == (5, 5)
    assert await count(client, second.name) == (1, 1)


@pytest.mark.slow
async def test_a_batch_spanning_ten_years_drains(client: HistoryClient, database: str) -> None:
    target = await table(client, database, "t")
    assert await BatchWriter(client, [target]).write(batch_of(target.name, 120, 3)) == 120
    assert await count(client, target.name) == (360, 360)
    ((partitions,),) = await client.rows(
        "SELECT uniqExact(partition) FROM system.parts WHERE database = {d:String} AND active", {"d": database}
    )
    assert partitions == 120


async def test_a_row_filed_under_another_partition_is_refused(client: HistoryClient, database: str) -> None:
    target = await table(client, database, "t")
    rows = [encode(month(number)[1], f"r{number}") for number in (0, 1)]
    with pytest.raises(HistoryRejected):
        await BatchWriter(client, [target]).write({target.name: {210001: rows}})
    assert await count(client, target.name) == (0, 0)
    # Unless the table says so, as one does that feeds another by a materialized view.
    await BatchWriter(client, [replace(target, partitions=2)]).write({target.name: {210001: rows}})
    assert await count(client, target.name) == (2, 2)


async def test_an_unknown_table_is_a_defect(client: HistoryClient, database: str) -> None:
    target = await table(client, database, "t")
    with pytest.raises(KeyError, match="elsewhere"):
        await BatchWriter(client, [target]).write({**batch_of(target.name, 1, 1), "elsewhere": {}})
    assert await count(client, target.name) == (0, 0)


class FaultyClient(HistoryClient):
    """Fails chosen inserts, before the server has seen them or after it has stored them."""

    def __init__(self, account: Account, fails: Callable[[int], bool], *, stored: bool) -> None:
        super().__init__(account)
        self.inserts = 0
        self._fails, self._stored = fails, stored

    async def insert(self, table: ProtobufTable, data: bytes, **kwargs: object) -> None:
        self.inserts += 1
        if not self._fails(self.inserts):
            return await super().insert(table, data, **kwargs)  # type: ignore[arg-type]
        if self._stored:
            await super().insert(table, data, **kwargs)  # type: ignore[arg-type]
        raise HistoryUnavailable("injected")


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("stored", [False, True])
async def test_an_insert_of_unknown_outcome_is_sent_again_and_counts_once(
    client: HistoryClient, database: str, stored: bool
) -> None:
    target = await table(client, database, "t")
    async with FaultyClient(client.account, lambda n: n % 3 != 0, stored=stored) as faulty:
        await BatchWriter(faulty, [target], pause=at_once).write(batch_of(target.name, 4, 5))
        assert faulty.inserts == 12
    assert await count(client, target.name) == (20, 20)


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("fatal", [1, 2, 3, 4, 5, 6])
async def test_a_failure_between_partitions_is_made_good_by_writing_the_batch_again(
    client: HistoryClient, database: str, fatal: int, stored: bool
) -> None:
    first, second = await table(client, database, "a"), await table(client, database, "b")
    batch = batch_of(first.name, 3, 4) | batch_of(second.name, 3, 4)
    async with FaultyClient(client.account, lambda n: n == fatal, stored=stored) as faulty:
        with pytest.raises(HistoryUnavailable):
            await BatchWriter(faulty, [first, second], attempts=1).write(batch)
    for later in (batch, {**batch, **batch_of(second.name, 5, 4)}):
        await BatchWriter(client, [first, second]).write(later)
    assert await count(client, first.name) == (12, 12)
    assert await count(client, second.name) == (20, 20)


async def test_it_gives_up_after_its_attempts(client: HistoryClient, database: str) -> None:
    target = await table(client, database, "t")
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    async with FaultyClient(client.account, lambda _: True, stored=False) as faulty:
        with pytest.raises(HistoryUnavailable):
            await BatchWriter(faulty, [target], attempts=4, pause=note).write(batch_of(target.name, 1, 1))
        assert faulty.inserts == 4
    assert len(pauses) == 3
    assert all(0 <= pause <= limit for pause, limit in zip(pauses, (1, 2, 4), strict=True))


async def test_a_refused_insert_is_not_retried(client: HistoryClient, database: str) -> None:
    target = await table(client, database, "t")
    async with FaultyClient(client.account, lambda _: False, stored=False) as counting:
        with pytest.raises(HistoryRejected):
            await BatchWriter(counting, [target]).write({target.name: {210001: [b"\xff"]}})
        assert counting.inserts == 1


@pytest.mark.parametrize("lacking", DURABLE_SETTINGS)
async def test_a_table_that_may_forget_is_not_written(client: HistoryClient, database: str, lacking: str) -> None:
    settings = ", ".join(f"{name} = {value}" for name, value in DURABLE_SETTINGS.items() if name != lacking)
    await client.execute(
        f"CREATE TABLE {database}.t (id String) ENGINE = ReplacingMergeTree ORDER BY id SETTINGS {settings}"
    )
    target = ProtobufTable(f"{database}.t", ("id",), SCHEMA, "Row")
    writer = BatchWriter(client, [target])
    with pytest.raises(NotDurable, match=f"{lacking} = unset"):
        await writer.write({target.name: {0: [b"\x12\x01a"]}})
    assert await client.rows(f"SELECT count() FROM {target.name}") == [(0,)]
    await client.execute(f"ALTER TABLE {database}.t MODIFY SETTING {lacking} = {DURABLE_SETTINGS[lacking]}")
    await writer.write({target.name: {0: [b"\x12\x01a"]}})
    assert await client.rows(f"SELECT count() FROM {target.name}") == [(1,)]


async def test_a_table_that_counts_a_repeated_row_twice_is_not_written(client: HistoryClient, database: str) -> None:
    await client.execute(f"CREATE TABLE {database}.t (id String) ENGINE = MergeTree ORDER BY id {DURABLE_CLAUSE}")
    with pytest.raises(NotDurable, match="counted twice"):
        await verify_durable(client, [f"{database}.t"])


async def test_a_missing_table_is_not_durable(client: HistoryClient, database: str) -> None:
    with pytest.raises(NotDurable, match="does not exist"):
        await verify_durable(client, [f"{database}.nothing"])
