"""The gRPC face of exports: convert, ask, give."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from eventlog import LogUnavailable
from google.api import httpbody_pb2  # type: ignore[import-untyped]
from history.errors import HistoryError
from mesh import caller, paging
from mesh.boundary import Context
from mesh.clock import Clock
from mesh.instants import ms_of
from parkmesh.access.v1 import export_pb2
from parkmesh.access.v1 import export_service_pb2 as messages
from parkmesh.access.v1 import export_service_pb2_grpc as rpc

from access_records.exports.exports import Exports
from access_records.records.reading import history_unavailable, log_unavailable


class ExportServicer(rpc.ExportServiceServicer):
    """Exports over gRPC."""

    def __init__(self, exports: Exports, clock: Clock) -> None:
        self._exports = exports
        self._clock = clock

    async def RequestExport(self, request: messages.RequestExportRequest, context: Context) -> export_pb2.Export:
        """See the proto."""
        with _away():
            return await self._exports.request(caller.current(), request, self._clock.now_ms())

    async def ApproveExport(self, request: messages.ApproveExportRequest, context: Context) -> export_pb2.Export:
        """See the proto."""
        return await self._decide(request.export_id, request.remark, approved=True)

    async def RejectExport(self, request: messages.RejectExportRequest, context: Context) -> export_pb2.Export:
        """See the proto."""
        return await self._decide(request.export_id, request.remark, approved=False)

    async def GetExport(self, request: messages.GetExportRequest, context: Context) -> export_pb2.Export:
        """See the proto."""
        return await self._exports.one(caller.current(), request.export_id, self._clock.now_ms())

    async def ListExports(self, request: messages.ListExportsRequest, context: Context) -> messages.ListExportsResponse:
        """See the proto."""
        request.DiscardUnknownFields()
        size = paging.page_size(request.page_size)
        place = paging.decode(request.page_token, request, ("[0-9]{1,15}", paging.ID))
        after = (int(place[0]), place[1]) if place else None
        found = await self._exports.page(
            caller.current(), frozenset(request.states), after, size + 1, self._clock.now_ms()
        )
        page = found[:size]
        more = len(found) > size
        key = (str(ms_of(page[-1].create_time)), page[-1].export_id) if more else ()
        return messages.ListExportsResponse(exports=page, next_page_token=paging.encode(request, key) if more else "")

    async def DownloadExport(
        self, request: messages.DownloadExportRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        """See the proto."""
        file = await self._exports.download(caller.current(), request.export_id, self._clock.now_ms())
        # Becomes a header at the edge, so that browsers save the file under its name.
        await context.send_initial_metadata((("content-disposition", f'attachment; filename="{file.name}"'),))
        async for chunk in file.chunks:
            yield httpbody_pb2.HttpBody(content_type=file.content_type, data=chunk)

    async def _decide(self, export_id: str, remark: str, *, approved: bool) -> export_pb2.Export:
        who = caller.current()
        return await self._exports.decide(who, export_id, approved=approved, remark=remark, now_ms=self._clock.now_ms())


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except HistoryError:
        raise history_unavailable() from None
    except LogUnavailable:
        raise log_unavailable() from None
