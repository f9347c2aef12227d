"""The credentials of devices that report without lot software (A1), each bound to its one lot."""

from mesh.caller import Caller
from mesh.clock import Clock
from parkmesh.registry.v1.gate_pb2 import SERVICE_STATE_RETIRED
from parkmesh.registry.v1.role_pb2 import ROLE_DEVICE
from parkmesh.registry.v1.vendor_pb2 import Credential, CredentialMethod

from registry.errors import NotRegistered, StateNotAllowed
from registry.identity.credentials import Issued, Issuer, Method, end_all, revoke
from registry.storage.acts import Act
from registry.storage.kinds import CREDENTIAL, DEVICE
from registry.storage.reader import is_over
from registry.storage.store import Store, to_the_end
from registry.storage.writer import Writer


class DeviceCredentials:
    """What devices prove themselves with."""

    def __init__(self, store: Store, clock: Clock, issuer: Issuer) -> None:
        self._store = store
        self._clock = clock
        self._issuer = issuer

    @to_the_end
    async def rotate(
        self, caller: Caller, lot_id: str, device_id: str, method: CredentialMethod.ValueType, overlap_ms: int
    ) -> Issued:
        """A new credential; the latest before ends after the overlap, older ones now. The caller sees the lot.

        NotRegistered, and StateNotAllowed when the device is gone for good.
        """
        async with self._store.writing(Act.of(caller, self._clock.now_ms())) as facts:
            device = await facts.held(DEVICE, f"{lot_id}/{device_id}")
            if device is None:
                raise NotRegistered("device")
            if device.state == SERVICE_STATE_RETIRED:
                raise StateNotAllowed("RETIRED")
            credential = Credential(role=ROLE_DEVICE, subject_id=lot_id, device_id=device_id)
            return await self._issuer.rotate(facts, credential, Method.asked_for(method), overlap_ms)


async def end_credentials(facts: Writer, lot_id: str, device_id: str) -> None:
    """Revokes all that the device could prove itself with; for when it is gone for good."""
    await end_all(facts, f"{lot_id}/{device_id}", ROLE_DEVICE)


async def end_made_by(facts: Writer, vendor_id: str, lot_id: str) -> None:
    """Revokes what the vendor got for devices of the lot: it knows these secrets, and may not speak for the lot now."""
    for held in await facts.some(CREDENTIAL, await facts.added_by(CREDENTIAL, vendor_id)):
        credential = held.message
        if (credential.role, credential.subject_id) == (ROLE_DEVICE, lot_id) and not is_over(credential, facts.now_ms):
            await revoke(facts, credential)
