"""What was found, as the public is told: distances in whole metres, ages in whole seconds, positions in GCJ-02."""

from collections.abc import Iterable
from dataclasses import dataclass

from mesh.instants import time_of
from parkmesh.guidance.v1 import guidance_service_pb2 as messages
from parkmesh.registry.v1 import coordinate_pb2

from guidance.search import Found


@dataclass(frozen=True, slots=True)
class Answers:
    """Writes answers; a report of `stale_after_ms` or older is called stale."""

    stale_after_ms: int

    def page(self, found: Iterable[Found], next_token: str, now_ms: int) -> messages.SearchLotsResponse:
        """A page of lots."""
        return messages.SearchLotsResponse(lots=[self._lot(one, now_ms) for one in found], next_page_token=next_token)

    def _lot(self, found: Found, now_ms: int) -> messages.NearbyLot:
        place, report = found.place, found.report
        lot = messages.NearbyLot(
            lot_id=place.lot_id,
            name=place.name,
            address=place.address,
            type=place.type,
            distance_m=round(found.distance_m),
            position=coordinate_pb2.Coordinate(
                latitude=place.shown[0], longitude=place.shown[1], system=coordinate_pb2.COORDINATE_SYSTEM_GCJ02
            ),
            open_berths=place.open_berths,
            freshness=messages.FRESHNESS_UNKNOWN,
        )
        if report is not None:
            age_ms = max(0, now_ms - report.observed_ms)  # a lot's clock may be a little ahead of ours
            lot.free_berths = report.free_berths
            lot.observe_time.CopyFrom(time_of(report.observed_ms))
            lot.age_seconds = age_ms // 1000
            stale = age_ms >= self.stale_after_ms
            lot.freshness = messages.FRESHNESS_STALE if stale else messages.FRESHNESS_FRESH
        return lot
