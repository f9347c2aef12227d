"""The registry, put together."""

from mesh.server import Mesh
from mesh.settings import Secret
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from parkmesh.registry.v1.registry_service_pb2_grpc import add_RegistryServiceServicer_to_server
from parkmesh.registry.v1.token_service_pb2_grpc import add_TokenServiceServicer_to_server
from parkmesh.registry.v1.vendor_service_pb2_grpc import add_VendorServiceServicer_to_server

from registry.administrator import Administrator
from registry.feed import Feed
from registry.lots import Lots
from registry.servicer import DirectoryServicer, RegistryServicer, TokenServicer, VendorServicer
from registry.settings import Settings
from registry.store import opened
from registry.tokens import Tokens
from registry.vendors import Vendors


async def bind(settings: Settings, mesh: Mesh) -> None:
    """Opens the store, makes the first administrator, and serves. ValueError when the settings do not go together."""
    store = await mesh.stack.enter_async_context(opened(settings.database_url))
    if settings.admin_client_id or settings.admin_client_secret:
        administrator = Administrator(settings.admin_client_id, settings.admin_client_secret or Secret(""))
        await store.carry_out(administrator.ensure(store, mesh.clock.now_ms()))
    feed = Feed(
        store,
        poll_seconds=settings.poll_seconds,
        sign_of_life_seconds=settings.sign_of_life_seconds,
        draining=mesh.draining,
    )
    lots = Lots(store, mesh.clock, mesh.ids)
    vendors = Vendors(store, mesh.clock, mesh.ids)
    tokens = Tokens(store, mesh.clock, settings.token_key.read_bytes(), settings.token_seconds)
    mesh.serve(add_RegistryServiceServicer_to_server, RegistryServicer(lots))
    mesh.serve(add_VendorServiceServicer_to_server, VendorServicer(vendors))
    mesh.serve(add_TokenServiceServicer_to_server, TokenServicer(tokens))
    mesh.serve(add_DirectoryServiceServicer_to_server, DirectoryServicer(feed))
    mesh.background("feed", feed.run)
