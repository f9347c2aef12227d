"""Composes risk-control: the directory, the tokens, the buckets, and the decision over them."""

from directory import Directory
from mesh import contract
from mesh.server import Mesh

from risk_control.admission import Admission
from risk_control.buckets import Buckets
from risk_control.methods import PublicMethods
from risk_control.servicer import AuthorizationServicer
from risk_control.settings import Settings
from risk_control.tokens import Tokens, public_keys

_HOUR_MS = 3_600_000


async def bind(settings: Settings, mesh: Mesh) -> None:
    """Builds the service in order. It serves at once, and refuses until the directory has synced."""
    directory = Directory(
        mesh.channel(settings.registry_address),
        mesh.clock,
        max_age_ms=int(settings.directory_max_age_hours * _HOUR_MS),
    )
    admission = Admission(
        PublicMethods(contract.methods()),
        Tokens(public_keys(settings.token_keys.read_text())),
        directory,
        mesh.clock,
        vendors=Buckets(settings.burst_seconds),
        public=Buckets(settings.burst_seconds),
        requests_per_second=settings.requests_per_second,
        public_requests_per_second=settings.public_requests_per_second,
    )
    directory.subscribe(admission.changed)
    mesh.background("directory", directory.run)
    mesh.add_generic_handlers(AuthorizationServicer(admission, mesh.signer, mesh.clock).handler())
