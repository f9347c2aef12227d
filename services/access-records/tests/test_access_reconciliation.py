"""Reconciliation over real engines: every seeded difference is found, and what is repaired agrees."""

import itertools

import pytest
from access_records.facts import digest_of, facts_of
from access_records.reconciliation import fingerprint
from access_records.testing import LOT, NOW_MS, Platform, entry
from parkmesh.access.v1 import access_record_service_pb2 as records
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from vocabulary import beijing


async def test_smoke(access: Platform) -> None:
    day = beijing.day_bounds(NOW_MS - 3 * beijing.DAY_MS)
    ones = [entry(f"k-{n}", ms=day.start_ms + n * 60_000) for n in range(100)]
    answer = await access.stub().UploadRecords(records.UploadRecordsRequest(records=ones))
    assert answer.accepted == 100, answer
    mine = fingerprint.of(digest_of(facts_of(one)) for one in ones)
    request = messages.CompareDigestsRequest(lot_id=LOT, step=messages.STEP_DAY, counts=[mine.count], digest_sums=[mine.digest_sum])
    request.start_time.FromMilliseconds(day.start_ms)
    got = await access.reconciliation().CompareDigests(request)
    print(got)
    assert got.equal
