"""The credentials of vendors: load, decide, store."""

from mesh.caller import Caller, CallerKind
from mesh.clock import Clock
from parkmesh.registry.v1.role_pb2 import ROLE_VENDOR
from parkmesh.registry.v1.vendor_pb2 import Credential

from registry.errors import NotRegistered
from registry.identity.credentials import Issued, Issuer, Method, revoke
from registry.identity.roles import PLATFORM
from registry.identity.visibility import seen_vendor
from registry.storage.acts import Act
from registry.storage.kinds import CREDENTIAL
from registry.storage.store import Store, to_the_end


class VendorCredentials:
    """What vendors prove themselves with. Nothing is deleted: what ends gets an end."""

    def __init__(self, store: Store, clock: Clock, issuer: Issuer) -> None:
        self._store = store
        self._clock = clock
        self._issuer = issuer

    @to_the_end
    async def list(self, caller: Caller, vendor_id: str, after: str, limit: int) -> list[Credential]:
        """The vendor's credentials whose client id follows, in that order. NotRegistered."""
        async with self._store.reading() as facts:
            await seen_vendor(facts, caller, vendor_id)
            found = await facts.many(CREDENTIAL, owner=vendor_id, after=after, limit=limit)
            return [held.dressed() for held in found]

    @to_the_end
    async def rotate(self, caller: Caller, vendor_id: str, method: Method, overlap_ms: int) -> Issued:
        """A new credential; the latest before ends after the overlap, older ones now. NotRegistered."""
        async with self._store.writing(Act.of(caller, self._clock.now_ms())) as facts:
            await seen_vendor(facts, caller, vendor_id)
            credential = Credential(role=ROLE_VENDOR, subject_id=vendor_id)
            return await self._issuer.rotate(facts, credential, method, overlap_ms)

    @to_the_end
    async def revoke(self, caller: Caller, vendor_id: str, client_id: str) -> Credential:
        """The credential, from now on revoked. NotRegistered, also when it is another's.

        For the security administrator, the platform stands in place of a vendor for the credentials that administrators
        have without an account.
        """
        async with self._store.writing(Act.of(caller, self._clock.now_ms())) as facts:
            if vendor_id != PLATFORM:
                await seen_vendor(facts, caller, vendor_id)
            elif caller.kind is not CallerKind.SECURITY_ADMINISTRATOR:
                raise NotRegistered("vendor")
            credential = await facts.held(CREDENTIAL, client_id)
            if credential is None or CREDENTIAL.owner(credential) != vendor_id:
                raise NotRegistered("credential")
            return await revoke(facts, credential)
