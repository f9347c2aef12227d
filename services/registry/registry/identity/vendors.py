"""Vendors: load, decide, store."""

from google.protobuf.field_mask_pb2 import FieldMask
from mesh.caller import Caller
from mesh.clock import Clock, Ids
from parkmesh.registry.v1.vendor_pb2 import Vendor

from registry.errors import InvalidFields
from registry.identity.visibility import seen_vendor
from registry.static.edit import left_out
from registry.static.register import added, changed
from registry.storage.acts import Act
from registry.storage.kinds import SET_BY_STORE, VENDOR
from registry.storage.store import Store, to_the_end


class Vendors:
    """Makers and runners of parking software. Each caller acts on what it sees (`visibility`)."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    @to_the_end
    async def create(self, caller: Caller, vendor: Vendor, reason: str) -> Vendor:
        """Registers the vendor under an id of its own. InvalidFields, AlreadyRegistered."""
        if found := left_out(vendor, ("vendor_id", *SET_BY_STORE), "vendor"):
            raise InvalidFields(found)
        async with self._store.writing(Act.of(caller, self._clock.now_ms(), reason=reason)) as facts:
            vendor.vendor_id = self._ids.new("vendor")
            return await added(facts, vendor)

    @to_the_end
    async def vendor(self, caller: Caller, vendor_id: str) -> Vendor:
        """The vendor. NotRegistered."""
        async with self._store.reading() as facts:
            return (await seen_vendor(facts, caller, vendor_id)).dressed()

    @to_the_end
    async def list(self, after: str, limit: int) -> list[Vendor]:
        """The vendors whose id follows, in that order."""
        async with self._store.reading() as facts:
            return [held.dressed() for held in await facts.many(VENDOR, after=after, limit=limit)]

    @to_the_end
    async def update(self, caller: Caller, vendor_id: str, patch: Vendor, mask: FieldMask, reason: str) -> Vendor:
        """Changes the masked fields. NotRegistered, InvalidFields, EtagMismatch, AlreadyRegistered."""
        async with self._store.writing(Act.of(caller, self._clock.now_ms(), reason=reason)) as facts:
            return await changed(facts, await seen_vendor(facts, caller, vendor_id), patch, mask)
