"""How fast entries and exits are paired: a projection of the bench's own, in this process, behind the history."""

import asyncio
import gc
import random
import time
from collections.abc import Iterator
from typing import Final

import grpc
from access_records import progress
from access_records.settings import VisitSettings
from access_records.visits.app import follower
from history.client import Account, HistoryClient
from history.positions import Positions
from local_platform.platform import WRITER
from mesh.clock import SystemClock
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.access_record_service_pb2_grpc import AccessRecordServiceStub
from parkmesh_cli.plates import MOST, vehicle

from .crowd import at_once
from .ledger import Void
from .records import Place
from .repeat import Repeat
from .stage import Stage

_SIZE: Final = 1_000
_AT_ONCE: Final = 8
_HOUR_MS: Final = 3_600_000
_HOURS: Final = 10
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")


async def visits(repeat: Repeat) -> None:
    """A working day of visits, half of them with an id: records per second of one core, and of the clock."""
    stage = repeat.stage
    before = await stage.log.end(0)
    records = list(_day(stage.places, repeat.extent.batches * _SIZE // 2, repeat.number))
    async with grpc.aio.insecure_channel(stage.service) as channel:
        stub = AccessRecordServiceStub(channel)

        async def send(part: list[record_pb2.AccessRecord]) -> None:
            request = messages.UploadRecordsRequest(records=part)
            answer = await stub.UploadRecords(request, metadata=stage.asserted())
            if not answer.all_stored:
                raise Void(f"the visits' records were not stored: {answer.items[0].field} {answer.items[0].message}")

        # A few at a time: exits come behind their entries, as they do.
        for start in range(0, len(records), _SIZE * _AT_ONCE):
            wave = records[start : start + _SIZE * _AT_ONCE]
            await at_once(_AT_ONCE, [wave[at : at + _SIZE] for at in range(0, len(wave), _SIZE)], send)
    end = await stage.log.end(0)
    await _drained(stage, end.offset)
    account = stage.writer.account
    async with HistoryClient(Account(account.url, WRITER, account.password)) as client:
        own = Positions(client, f"visits of the bench {repeat.number}")
        settings = VisitSettings(batch_records=len(records) // 6)
        one = follower(settings, SystemClock(), stage.log, client, 0, own)
        await own.advance(stage.log.epoch, {0: before.offset})
        position = await one.begin()
        # The first two steps after a start write more than they must.
        position = await one.follow(position, before.offset + len(records) // 3)
        begun_at = position.offset
        collector = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)  # as in the process that mesh runs
        begun, used = time.monotonic(), time.process_time()
        await one.follow(position, end.offset)
        gc.set_threshold(*collector)
        took, used = time.monotonic() - begun, time.process_time() - used
    paired = end.offset - begun_at
    repeat.figures.add("visits.core", "records/s", paired / used)
    repeat.figures.add("visits.paired", "records/s", paired / took)
    ((closed,),) = await stage.reader.rows(
        "SELECT count() FROM store.visits FINAL WHERE startsWith(entry_record_id, {prefix:String}) AND state = 2",
        {"prefix": f"day-{repeat.number}-"},
    )
    if closed != len(records) // 2:
        raise Void(f"{len(records) // 2} visits were made and {closed} found")


def _day(places: tuple[Place, ...], count: int, number: int) -> Iterator[record_pb2.AccessRecord]:
    """The entries and exits of some visits of one vehicle each, in the order in which they happened."""
    chance = random.Random(number)
    lots: dict[str, list[Place]] = {}
    for place in places:
        lots.setdefault(place.lot_id, []).append(place)
    names = sorted(lots)
    passages: list[tuple[int, int, Place]] = []
    first_ms = int(time.time() * 1000) - _HOURS * _HOUR_MS
    for visit in range(count):
        lanes = lots[names[visit % len(names)]]
        entry_ms = first_ms + chance.randrange((_HOURS - 2) * _HOUR_MS)
        exit_ms = entry_ms + chance.randrange(120_000, 2 * _HOUR_MS)
        for at_ms, direction in ((entry_ms, record_pb2.DIRECTION_ENTRY), (exit_ms, record_pb2.DIRECTION_EXIT)):
            passages.append((at_ms, visit, chance.choice([one for one in lanes if one.direction == direction])))
    for at_ms, visit, place in sorted(passages):
        car = vehicle(MOST - 1 - (visit + number * count) % MOST)  # from the end: other parts count from the beginning
        # Without digits, so that no id shows a plate by chance.
        name = f"day-{number}-{str(visit).translate(_LETTERS)}"
        made = record_pb2.AccessRecord(
            record_id=f"{name}-{place.direction}",
            lot_id=place.lot_id,
            direction=place.direction,  # type: ignore[arg-type]
            plate_number=car.plate,
            plate_colour=car.colour,
            plate_kind=car.kind,
            plate_state=record_pb2.PLATE_STATE_READ,
            vehicle_class=car.vehicle_class,
            gate_id=place.gate_id,
            lane_id=place.lane_id,
            visit_id=name if visit % 2 else "",
            parking_type=car.parking,
        )
        made.event_time.FromMilliseconds(at_ms)
        yield made


async def _drained(stage: Stage, offset: int) -> None:
    """Returns when the history holds the log up to there."""
    positions = Positions(stage.reader, progress.PROJECTION)
    for _ in range(600):
        if (await positions.read(stage.log.epoch)).get(0, 0) >= offset:
            return
        await asyncio.sleep(0.1)
    raise Void("the history did not follow the log")
