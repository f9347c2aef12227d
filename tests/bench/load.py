"""The load: a process of its own that makes its requests first, says that it is ready, and sends them on "go".

It reads one job as a line of JSON, writes one line when ready, reads one line with the metadata to send, and writes
one line with what was answered. Requests go out as the bytes they are, so that little of the machine is spent here.
"""

import asyncio
import dataclasses
import json
import resource
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self

import grpc
import uvloop
from parkmesh.access.v1 import access_record_service_pb2 as messages

from .records import Place, batches, json_body, request

_UNARY: Final = "/parkmesh.access.v1.AccessRecordService/UploadRecords"
_STREAM: Final = "/parkmesh.access.v1.AccessRecordService/StreamRecords"
_DEADLINE_S: Final = 60.0
_CHANNELS: Final = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What one load process sends, where and how."""

    how: str
    """`grpc`, `rest` or `stream`."""
    address: str
    """host:port."""
    ca: str
    """The file with the authority to trust; empty: no TLS."""
    prefix: str
    """What the ids of its records begin with."""
    count: int
    """How many requests."""
    size: int
    """Records in each."""
    first_ms: int
    last_ms: int
    """Between which instants the events lie."""
    at_once: int
    """Requests under way at the same time; for streams, how many streams."""
    per_second: float = 0.0
    """Requests sent each second whatever becomes of them; 0: as fast as they are answered."""
    places: tuple[Place, ...] = ()

    @classmethod
    def read(cls, line: str) -> Self:
        """The job that `written` wrote."""
        fields = json.loads(line)
        return cls(**{**fields, "places": tuple(Place(*place) for place in fields["places"])})

    def written(self) -> str:
        """The job as one line."""
        return json.dumps(dataclasses.asdict(self))


@dataclasses.dataclass
class Answered:
    """What came of a job; instants by the machine's monotonic clock, in seconds."""

    begin_s: float
    end_s: float = 0.0
    accepted: int = 0
    other: int = 0
    """Records that were answered with anything but ACCEPTED, or with a warning."""
    cpu_s: float = 0.0
    sent_s: list[float] = dataclasses.field(default_factory=list)
    """When each request was due, by its number; only for loads with a rate."""
    acknowledged_s: list[float] = dataclasses.field(default_factory=list)
    """When each was answered."""

    def count(self, result: messages.UploadRecordsResponse) -> None:
        """Enters an answer."""
        self.accepted += result.accepted
        self.other += result.duplicate + result.conflicting + result.rejected + result.deferred + len(result.items)


Send = Callable[[int], Awaitable[None]]


async def unary(job: Job, bodies: Sequence[bytes], metadata: Sequence[tuple[str, str]], answered: Answered) -> None:
    """Sends the bodies by UploadRecords."""
    channels = [_channel(job) for _ in range(_CHANNELS)]
    calls: list[Any] = [channel.unary_unary(_UNARY) for channel in channels]
    await asyncio.gather(*(channel.channel_ready() for channel in channels))

    async def send(number: int) -> None:
        answer = await calls[number % _CHANNELS](bodies[number], metadata=metadata, timeout=_DEADLINE_S)
        answered.count(messages.UploadRecordsResponse.FromString(answer))

    await _paced(job, send, answered)
    await asyncio.gather(*(channel.close() for channel in channels))


async def stream(job: Job, bodies: Sequence[bytes], metadata: Sequence[tuple[str, str]], answered: Answered) -> None:
    """Sends the bodies as messages of `at_once` streams."""
    channel = _channel(job)
    await channel.channel_ready()
    call: Any = channel.stream_stream(_STREAM)

    async def one(mine: Sequence[bytes]) -> None:
        async def messages_of() -> AsyncIterator[bytes]:
            for body in mine:
                yield body

        got = 0
        async for answer in call(messages_of(), metadata=metadata, timeout=_DEADLINE_S):
            answered.count(messages.StreamRecordsResponse.FromString(answer).result)
            got += 1
        assert got == len(mine), f"{len(mine)} messages were sent and {got} answered"

    answered.begin_s = time.monotonic()
    await asyncio.gather(*(one(bodies[first :: job.at_once]) for first in range(job.at_once)))
    answered.end_s = time.monotonic()
    await channel.close()


async def rest(job: Job, bodies: Sequence[bytes], metadata: Sequence[tuple[str, str]], answered: Answered) -> None:
    """Posts the bodies over connections that stay open."""
    host, _, port = job.address.partition(":")
    trusted = ssl.create_default_context(cafile=job.ca)
    head = f"POST /v1/records:upload HTTP/1.1\r\nhost: {job.address}\r\ncontent-type: application/json\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in metadata)
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(job.at_once):
        free.put_nowait(await asyncio.open_connection(host, int(port), ssl=trusted))

    async def send(number: int) -> None:
        reader, writer = connection = await free.get()
        body = bodies[number]
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        answered_head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answered_head.partition("content-length:")[2].partition("\r\n")[0])
        answer = await reader.readexactly(length)
        if not answered_head.startswith("http/1.1 200"):
            raise RuntimeError(f"the edge answered {answered_head.partition(chr(13))[0]}: {answer[:500]!r}")
        result = json.loads(answer)
        answered.accepted += result.get("accepted", 0)
        answered.other += len(result.get("items", ()))
        free.put_nowait(connection)

    await _paced(job, send, answered)
    while not free.empty():
        free.get_nowait()[1].close()


async def _paced(job: Job, send: Send, answered: Answered) -> None:
    """Sends all requests: at their rate, whatever becomes of them, or `at_once` at a time."""
    answered.begin_s = time.monotonic()
    if job.per_second:
        answered.sent_s = [answered.begin_s + number / job.per_second for number in range(job.count)]
        answered.acknowledged_s = [0.0] * job.count

        async def due(number: int) -> None:
            await asyncio.sleep(answered.sent_s[number] - time.monotonic())
            await send(number)
            answered.acknowledged_s[number] = time.monotonic()

        await asyncio.gather(*(due(number) for number in range(job.count)))
    else:
        numbers = iter(range(job.count))

        async def worker() -> None:
            for number in numbers:
                await send(number)

        await asyncio.gather(*(worker() for _ in range(job.at_once)))
    answered.end_s = time.monotonic()


def _channel(job: Job) -> grpc.aio.Channel:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    if not job.ca:
        return grpc.aio.insecure_channel(job.address, options)
    return grpc.aio.secure_channel(job.address, grpc.ssl_channel_credentials(Path(job.ca).read_bytes()), options)


def bodies_of(job: Job) -> list[bytes]:
    """The requests of a job as they travel."""
    made: list[bytes] = []
    for batch in batches(job.prefix, job.count, job.size, job.first_ms, job.last_ms):
        sent = request(job.places, batch)
        if job.how == "rest":
            made.append(json_body(sent))
        elif job.how == "stream":
            made.append(messages.StreamRecordsRequest(sequence=batch.number, records=sent.records).SerializeToString())
        else:
            made.append(sent.SerializeToString())
    return made


def main() -> None:
    """Does one job."""
    job = Job.read(sys.stdin.readline())
    bodies = bodies_of(job)
    _say({"ready": True})
    metadata = [(name, value) for name, value in json.loads(sys.stdin.readline())]
    answered = Answered(time.monotonic())
    before = _cpu_s()
    uvloop.run({"grpc": unary, "stream": stream, "rest": rest}[job.how](job, bodies, metadata, answered))
    answered.cpu_s = _cpu_s() - before
    _say(dataclasses.asdict(answered))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
