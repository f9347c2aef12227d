"""The history of the register, and the departments' receipts."""

from mesh.boundary import Context
from mesh.caller import current
from parkmesh.registry.v1 import change_service_pb2 as messages
from parkmesh.registry.v1 import change_service_pb2_grpc

from registry.history.changes import Changes, Wanted
from registry.servicers.requests import instant, next_token, numbered_place


class ChangeServicer(change_service_pb2_grpc.ChangeServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def ListChanges(self, request: messages.ListChangesRequest, context: Context) -> messages.ListChangesResponse:
        """See the proto."""
        after, size = numbered_place(request)
        wanted = Wanted(
            kinds=tuple(request.kinds),
            lot_id=request.lot_id,
            author=request.author,
            change_set=request.change_set,
            reported_from_ms=instant(request, "reported_from"),
            reported_before_ms=instant(request, "reported_before"),
            late_only=request.late_only,
            awaiting_receipt=request.awaiting_receipt,
            newest_first=request.newest_first,
        )
        found = await self._changes.list(current(), wanted, after, size + 1)
        return messages.ListChangesResponse(
            changes=found[:size], next_page_token=next_token(request, size, [str(each.revision) for each in found])
        )

    async def ReceiveChanges(
        self, request: messages.ReceiveChangesRequest, context: Context
    ) -> messages.ReceiveChangesResponse:
        """See the proto."""
        received = await self._changes.receive(current(), request.revisions)
        return messages.ReceiveChangesResponse(received=received)
