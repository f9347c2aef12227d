"""The gRPC face of maintenance: convert, ask, convert."""

from mesh import caller
from mesh.boundary import Context
from mesh.clock import Clock
from parkmesh.access.v1 import maintenance_service_pb2 as messages
from parkmesh.access.v1 import maintenance_service_pb2_grpc as rpc
from parkmesh.access.v1 import rebuild_pb2

from access_records.rebuild.maintenance import Maintenance


class MaintenanceServicer(rpc.MaintenanceServiceServicer):
    """Maintenance of the history over gRPC."""

    def __init__(self, maintenance: Maintenance, clock: Clock) -> None:
        self._maintenance = maintenance
        self._clock = clock

    async def RebuildHistory(self, request: messages.RebuildHistoryRequest, context: Context) -> rebuild_pb2.Rebuild:
        """See the proto."""
        request.DiscardUnknownFields()
        who = caller.current()
        return await self._maintenance.rebuild(
            request.projection,
            check_only=request.check_only,
            account_id=who.account or who.credential,
            now_ms=self._clock.now_ms(),
        )

    async def GetRebuild(self, request: messages.GetRebuildRequest, context: Context) -> rebuild_pb2.Rebuild:
        """See the proto."""
        return await self._maintenance.one(request.rebuild_id)
