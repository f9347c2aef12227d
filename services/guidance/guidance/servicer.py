"""The gRPC face: convert, search, convert."""

from typing import Final

from mesh import paging
from mesh.boundary import Context
from mesh.clock import Clock
from mesh.errors import FieldViolation, MeshError
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD
from parkmesh.guidance.v1 import guidance_service_pb2 as messages
from parkmesh.guidance.v1 import guidance_service_pb2_grpc as rpc
from vocabulary.coordinate import Coordinate, CoordinateSystem, convert

from guidance.answers import Answers
from guidance.place import Point, point_of
from guidance.search import Search

_RADIUS_M: Final = 1_000
_PAGE: Final = 20
_LONGEST_PAGE: Final = 100
_PLACE: Final = (r"0x[01]\.[0-9a-f]{1,13}p(\+[0-9]{1,2}|-[0-9]{1,4})", paging.ID)
"""A distance as `float.hex` writes it, and a lot."""
_EDGE: Final = FieldViolation(
    "longitude",
    "coordinate.edge",
    "must not lie on the 180th meridian, nor the latitude at a pole, where the systems cannot be converted",
    "不得位于180度经线，纬度不得位于两极，否则无法换算坐标系",
)


class GuidanceServicer(rpc.GuidanceServiceServicer):
    """Public searches over gRPC."""

    def __init__(self, search: Search, answers: Answers, clock: Clock) -> None:
        self._search = search
        self._answers = answers
        self._clock = clock

    async def SearchLots(self, request: messages.SearchLotsRequest, context: Context) -> messages.SearchLotsResponse:
        """See the proto."""
        request.DiscardUnknownFields()
        centre = _point(request)
        size = paging.page_size(request.page_size, _PAGE, _LONGEST_PAGE)
        after: tuple[float, str] | None = None
        if request.page_token:
            distance_m, lot_id = paging.decode(request.page_token, request, _PLACE)
            after = (float.fromhex(distance_m), lot_id)
        now_ms = self._clock.now_ms()
        found = self._search.near(centre, request.radius_m or _RADIUS_M, after, size + 1, now_ms)
        token = ""
        if len(found) > size:
            found = found[:size]
            token = paging.encode(request, (found[-1].distance_m.hex(), found[-1].place.lot_id))
        return self._answers.page(found, token, now_ms)


def _point(request: messages.SearchLotsRequest) -> Point:
    try:
        stated = Coordinate(CoordinateSystem(request.coordinate_system), request.latitude, request.longitude)
        true = convert(stated, CoordinateSystem.WGS84)
        return point_of(true.latitude, true.longitude)
    except ValueError:
        raise MeshError(ERROR_REASON_INVALID_FIELD, "A field breaks a rule.", fields=[_EDGE]) from None
