"""A vendor's books and the platform's are made to agree: by the SDK over both transports, and by following the page."""

import uuid
from pathlib import Path

import pytest
from local_platform.testing import RunningPlatform
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.revision_pb2 import RecordRevision
from parkmesh_cli.reconcile.summary import kind_of
from parkmesh_sdk import Client, Protocol
from parkmesh_sdk.method import UPLOAD_REVISIONS
from parkmesh_sdk.reconciliation import MemoryBooks, Policy, Step, Winner, compare_days, reconcile
from vocabulary import beijing

from tests.city import connection, lots, now_ms, record
from tests.docs.pages import RECONCILIATION
from tests.docs.typed import as_told

COUNT = 150


def void(name: str, lot_id: str) -> RecordRevision:
    revision = RecordRevision(
        lot_id=lot_id,
        record_id=name,
        revision=1,
        kind=record_pb2.REVISION_KIND_VOID,
        reason=record_pb2.REVISION_REASON_TEST,
        author="somebody",
    )
    revision.made_time.FromMilliseconds(now_ms())
    return revision


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_each_difference_is_found_and_made_good(platform: RunningPlatform, protocol: Protocol) -> None:
    (site,) = await lots(platform, f"books-{uuid.uuid4().hex[:8]}", 1)
    day = beijing.day_bounds(now_ms() - 2 * beijing.DAY_MS)
    date, minute_ms = beijing.day_key(day.start_ms), beijing.MINUTE_MS
    stored = [record(site, f"r-{place:03}", day.start_ms + place * minute_ms, place) for place in range(COUNT)]
    books = MemoryBooks(stored)
    other = record(site, "r-020", day.start_ms + 20 * minute_ms, COUNT)
    moved = record(site, "r-030", day.start_ms + beijing.DAY_MS, 30)
    refused = record(site, "refused", day.start_ms + 5, 0)
    refused.plate_number = "闽B1234"
    async with Client(connection(platform), protocol=protocol) as vendor:
        assert (await vendor.upload(stored)).all_stored
        assert (await vendor.upload([refused])).rejected == 1
        voided = access.UploadRevisionsRequest(revisions=[void("r-040", site.lot_id)])
        assert (await vendor.call(UPLOAD_REVISIONS, voided)).all_stored
        books.erase("r-010")
        for each in (other, moved, refused, record(site, "missing", day.start_ms + 7, 1)):
            books.write(each)
        policy = Policy(winner=Winner.LOT, author="night audit", first_wait_s=0.01)
        first = await reconcile(vendor, site.lot_id, date, books, policy)
        assert {each.record_id: (kind_of(each), each.step) for each in first.differences} == {
            "missing": ("MISSING", Step.RESEND),
            "r-010": ("EXTRA", Step.TAKE),
            "r-020": ("DIFFERENT", Step.CORRECT),
            "r-030": ("EXTRA", Step.CORRECT),
            "refused": ("REFUSED", Step.NONE),
        }
        assert [(each.record_id, each.refused) for each in first.left] == [("refused", "PLATE_MALFORMED")]
        # A void of a moment ago that the vendor does not know yet is no difference before it is settled.
        assert first.pending == ("r-040",)
        books.write(stored[40], voided=True)
        refused.plate_number = "闽B12345"
        books.write(refused)
        policy = Policy(author="night audit", close=True)
        second = await reconcile(vendor, site.lot_id, date, books, policy)
        assert second.equal
        assert second.report is not None
        assert (second.report.equal, second.report.platform.count) == (True, COUNT)
        days = await compare_days(vendor, site.lot_id, date, beijing.day_key(day.end_ms), books)
        assert [(each.vendor.count, each.agree) for each in days] == [(COUNT, True), (1, True)]


def test_the_books_agree_by_following_the_page(platform: RunningPlatform, tmp_path: Path) -> None:
    assert as_told(RECONCILIATION, tmp_path, platform) > 10
