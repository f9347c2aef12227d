"""The registry, put together."""

from mesh.server import Mesh
from parkmesh.registry.v1.account_service_pb2_grpc import add_AccountServiceServicer_to_server
from parkmesh.registry.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from parkmesh.registry.v1.change_service_pb2_grpc import add_ChangeServiceServicer_to_server
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from parkmesh.registry.v1.registry_service_pb2_grpc import add_RegistryServiceServicer_to_server
from parkmesh.registry.v1.rule_service_pb2_grpc import add_RuleServiceServicer_to_server
from parkmesh.registry.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from parkmesh.registry.v1.survey_service_pb2_grpc import add_SurveyServiceServicer_to_server
from parkmesh.registry.v1.token_service_pb2_grpc import add_TokenServiceServicer_to_server
from parkmesh.registry.v1.vendor_service_pb2_grpc import add_VendorServiceServicer_to_server

from registry.history.audit import Audit
from registry.history.changes import Changes
from registry.history.feed import Feed
from registry.identity.administrators import Administrators, administrators
from registry.identity.composition import Identity
from registry.servicers.account_servicer import AccountServicer
from registry.servicers.audit_servicer import AuditServicer
from registry.servicers.change_servicer import ChangeServicer
from registry.servicers.directory_servicer import DirectoryServicer
from registry.servicers.registry_servicer import RegistryServicer
from registry.servicers.rule_servicer import RuleServicer
from registry.servicers.session_servicer import SessionServicer
from registry.servicers.survey_servicer import SurveyServicer
from registry.servicers.token_servicer import TokenServicer
from registry.servicers.vendor_servicer import VendorServicer
from registry.settings import Settings
from registry.static.register import Register
from registry.static.rules import Rules
from registry.storage.store import opened
from registry.surveys.surveys import Surveys


async def bind(settings: Settings, mesh: Mesh) -> None:
    """Opens the store, makes the first administrators, and serves. ValueError when the settings do not go together."""
    first = administrators(settings)
    store = await mesh.stack.enter_async_context(opened(settings.database_url))
    await Administrators(store).ensure(first, mesh.clock.now_ms())
    identity = Identity.of(store, mesh.clock, mesh.ids, settings)
    feed = Feed(
        store,
        mesh.clock,
        poll_seconds=settings.poll_seconds,
        sign_of_life_seconds=settings.sign_of_life_seconds,
        draining=mesh.draining,
    )
    register = Register(store, mesh.clock, mesh.ids)
    mesh.serve(add_RegistryServiceServicer_to_server, RegistryServicer(register, identity.device_credentials))
    mesh.serve(add_ChangeServiceServicer_to_server, ChangeServicer(Changes(store, mesh.clock)))
    mesh.serve(add_SurveyServiceServicer_to_server, SurveyServicer(Surveys(store, mesh.clock, mesh.ids)))
    mesh.serve(add_RuleServiceServicer_to_server, RuleServicer(Rules(store, mesh.clock, mesh.ids)))
    mesh.serve(add_AuditServiceServicer_to_server, AuditServicer(Audit(store)))
    mesh.serve(
        add_VendorServiceServicer_to_server,
        VendorServicer(identity.vendors, identity.vendor_credentials, identity.onboarding, identity.grants),
    )
    mesh.serve(add_TokenServiceServicer_to_server, TokenServicer(identity.tokens, identity.onboarding))
    mesh.serve(add_AccountServiceServicer_to_server, AccountServicer(identity.accounts))
    mesh.serve(add_SessionServiceServicer_to_server, SessionServicer(identity.sessions))
    mesh.serve(add_DirectoryServiceServicer_to_server, DirectoryServicer(feed))
    mesh.background("feed", feed.run)
