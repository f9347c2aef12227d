"""What the use cases of reconciliation found, as messages."""

from collections.abc import Iterable, Mapping
from typing import Final

from mesh.instants import time_of
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from vocabulary.fingerprint import Fingerprint

from access_records.reconciliation.classify import Difference
from access_records.reconciliation.closing import Standing
from access_records.reconciliation.ledger import Counted
from access_records.reconciliation.marks import Mark, token_of
from access_records.reconciliation.overview import LotBooks
from access_records.reconciliation.report import MOST_LISTED

_DIRECTIONS: Final = (record_pb2.DIRECTION_ENTRY, record_pb2.DIRECTION_EXIT)

Counts = Mapping[tuple[int, int], Counted]
"""By direction and class."""


def fingerprint(one: Fingerprint) -> messages.Fingerprint:
    """A fingerprint."""
    return messages.Fingerprint(count=one.count, digest_sum=one.digest_sum)


def _count(one: Fingerprint) -> messages.Fingerprint:
    return messages.Fingerprint(count=one.count)


def direction_counts(counts: Counts) -> list[messages.DirectionCounts]:
    """The counts of both directions, with all classes that occur."""
    found = []
    for direction in _DIRECTIONS:
        of_direction = {vehicle: one for (way, vehicle), one in counts.items() if way == direction}
        found.append(
            messages.DirectionCounts(
                direction=direction,
                records=sum(one.records for one in of_direction.values()),
                with_plate=sum(one.with_plate for one in of_direction.values()),
                manual_releases=sum(one.manual_releases for one in of_direction.values()),
                classes=[
                    messages.ClassCount(vehicle_class=vehicle, records=one.records)  # type: ignore[arg-type]
                    for vehicle, one in sorted(of_direction.items())
                ],
            )
        )
    return found


def equal_counts(vendor: Iterable[messages.DirectionCounts], counts: Counts) -> bool:
    """Whether every count that was sent equals the platform's."""
    platform = {one.direction: one for one in direction_counts(counts)}
    return all(_equal(theirs, platform[theirs.direction]) for theirs in vendor)


def _equal(theirs: messages.DirectionCounts, ours: messages.DirectionCounts) -> bool:
    classes = {one.vehicle_class: one.records for one in ours.classes}
    return (
        theirs.records == ours.records
        and (not theirs.HasField("with_plate") or theirs.with_plate == ours.with_plate)
        and (not theirs.HasField("manual_releases") or theirs.manual_releases == ours.manual_releases)
        and all(one.records == classes.get(one.vehicle_class, 0) for one in theirs.classes)
    )


def difference(one: Difference) -> messages.RecordDifference:
    """A record that differs."""
    answer = messages.RecordDifference(record_id=one.record_id, kind=one.kind, action=one.action, fields=one.fields)
    if one.held is not None:
        answer.digest = one.held.digest
        answer.event_time.CopyFrom(time_of(one.held.event_ms))
        answer.revision = one.held.revision
    if one.refusal is not None:
        answer.reason = one.refusal.reason
        answer.refused_field = one.refusal.field
        answer.refuse_time.CopyFrom(time_of(one.refusal.note_ms))
    return answer


def day_report(standing: Standing, *, with_sums: bool = True) -> messages.DayReport:
    """How the books of a day stand. Without sums only those that are signed are told: of two sums between which one
    record came the difference is its digest, and facts that can be guessed can be tried against a digest.
    """
    report = standing.report
    stated = fingerprint if with_sums or standing.signed is not None else _count
    answer = messages.DayReport(
        lot_id=report.lot_id,
        date=report.date,
        closed=standing.signed is not None,
        vendor=stated(report.vendor) if standing.told else None,
        platform=stated(report.platform),
        equal=standing.told and report.equal,
        position=token_of(report.lot_id, Mark(report.position, report.settled_ms)),
        settled_time=time_of(max(0, report.settled_ms)),
        author=report.author,
        closed_by=report.closed_by,
        account_id=report.account_id,
        differences_accepted=report.accept_differences and not report.equal,
        reason=report.reason,
        differences_found=report.differences_found,
        differences_repaired=report.differences_repaired,
        differences=[
            messages.FoundDifference(
                record_id=one.record_id,
                kind=one.kind,  # type: ignore[arg-type]
                find_time=time_of(one.find_ms),
                repaired=one.repaired,
            )
            for one in report.differences
        ],
        adjustments=len(standing.adjusted),
        adjusted_record_ids=standing.adjusted[:MOST_LISTED],
        present=(fingerprint if with_sums else _count)(standing.present),
    )
    if standing.signed is not None:
        answer.close_time.CopyFrom(time_of(report.close_ms))
        answer.signature.CopyFrom(messages.ReportSignature(**standing.signed._asdict()))
    return answer


def lot_books(one: LotBooks) -> messages.LotBooks:
    """The books of a lot."""
    answer = messages.LotBooks(
        lot_id=one.lot.lot_id,
        name=one.lot.name,
        state=one.state,
        platform_count=one.present.count,
        differences_accepted=one.accepted,
        adjusted=one.adjusted,
    )
    if one.vendor is not None:
        answer.vendor_count = one.vendor.count
        answer.compare_time.CopyFrom(time_of(one.at_ms))
    return answer
