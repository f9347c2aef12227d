"""The control plane: tells Envoy what to be, and again when the certificate changes. `python -m edge.control_plane`"""

from mesh.server import Mesh, run

from edge import contract, resources
from edge.ads import Discovery
from edge.certificate_keeper import CertificateKeeper
from edge.settings import Settings


async def bind(settings: Settings, mesh: Mesh) -> None:
    """Builds everything in order. ValueError when the contract and the upstreams do not go together."""
    refused = mesh.telemetry.meter.create_counter("edge.configuration.refused", description="Refusals by an Envoy.")
    discovery = Discovery(lambda kind: refused.add(1, {"type": kind}))
    static = resources.static(contract.read(), settings)
    keeper = CertificateKeeper(settings.certificates, settings.names, mesh.clock)

    def publish(certificate: bytes) -> None:
        discovery.publish(static | {resources.SECRET: resources.certificate(certificate, keeper.key)})

    mesh.background("certificate", lambda: keeper.run(publish))
    mesh.add_generic_handlers(discovery.handler())


if __name__ == "__main__":
    run("edge", Settings, bind)
