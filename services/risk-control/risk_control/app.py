"""Composes risk-control: the directory, the tokens, the signatures, the buckets, and the decision over them."""

from directory import Directory
from mesh import contract
from mesh.server import Mesh
from mesh.settings import SettingsError
from parkmesh.registry.v1.change_service_pb2 import FACT_KIND_ACCOUNT, FACT_KIND_CREDENTIAL, FACT_KIND_VENDOR
from vocabulary.request_signature import master_key

from risk_control.admission import Admission, Signing
from risk_control.buckets import Buckets
from risk_control.methods import PublicMethods
from risk_control.nonces import Nonces
from risk_control.servicer import AuthorizationServicer
from risk_control.settings import Settings
from risk_control.signatures import Signatures
from risk_control.tokens import Tokens, public_keys

_HOUR_MS = 3_600_000


async def bind(settings: Settings, mesh: Mesh) -> None:
    """Builds the service in order. It serves at once, and refuses until the directory has synced."""
    directory = Directory(
        mesh.channel(settings.registry_address),
        mesh.clock,
        kinds=[FACT_KIND_VENDOR, FACT_KIND_CREDENTIAL, FACT_KIND_ACCOUNT],
        max_age_ms=int(settings.directory_max_age_hours * _HOUR_MS),
    )
    admission = Admission(
        PublicMethods(contract.methods()),
        Tokens(public_keys(settings.token_keys.read_text())),
        directory,
        mesh.clock,
        signing=_signing(settings, mesh),
        clients=Buckets(settings.burst_seconds),
        public=Buckets(settings.burst_seconds),
        requests_per_second=settings.requests_per_second,
        public_requests_per_second=settings.public_requests_per_second,
        public_requests_per_address=settings.public_requests_per_address,
    )
    directory.subscribe(admission.changed)
    mesh.background("directory", directory.run)
    mesh.add_generic_handlers(AuthorizationServicer(admission, mesh.signer, mesh.clock).handler())


def _signing(settings: Settings, mesh: Mesh) -> Signing | None:
    if settings.signing_key is None:
        return None
    if not settings.redis_url:
        raise SettingsError("RISK_CONTROL_REDIS_URL is required: a signed request's nonce must outlive a restart")
    nonces = Nonces(settings.redis_url)
    mesh.stack.push_async_callback(nonces.close)
    return Signing(Signatures(master_key(settings.signing_key.read_text())), nonces)
