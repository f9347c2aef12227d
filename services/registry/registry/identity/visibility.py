"""Which vendors a caller sees: itself, or for administrators all; a foreign one looks as if it were not there."""

from mesh.caller import Caller, CallerKind
from parkmesh.registry.v1.vendor_pb2 import Vendor

from registry.errors import NotRegistered
from registry.identity.roles import PLATFORM
from registry.storage.kinds import VENDOR
from registry.storage.reader import Held, Reader


async def seen_vendor(facts: Reader, caller: Caller, vendor_id: str) -> Held[Vendor]:
    """The vendor. NotRegistered when there is none, or none that the caller may see."""
    # Databases of the first schema hold the platform's administrators as a vendor.
    foreign = vendor_id == PLATFORM or (caller.kind is CallerKind.VENDOR and caller.subject != vendor_id)
    held = None if foreign else await facts.find(VENDOR, vendor_id)
    if held is None:
        raise NotRegistered("vendor")
    return held
