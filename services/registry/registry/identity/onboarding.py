"""How vendors join: a one-time code from the security administrator is exchanged for a credential."""

from dataclasses import dataclass
from typing import Final

from mesh.caller import Caller, CallerKind
from mesh.clock import Clock
from mesh.reasons import name_of
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_BAD_CODE
from parkmesh.registry.v1.role_pb2 import ROLE_VENDOR
from parkmesh.registry.v1.vendor_pb2 import Credential, Vendor

from registry.errors import BadCode
from registry.identity import codes
from registry.identity.codes import Code, Purpose
from registry.identity.credentials import Issued, Issuer, Method
from registry.identity.visibility import seen_vendor
from registry.storage.acts import Act
from registry.storage.kinds import VENDOR
from registry.storage.store import Store, to_the_end

VALID_MS: Final = 7 * 86_400_000
"""For how long a code is good unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A vendor that has joined, with its credential."""

    vendor: Vendor
    issued: Issued


class Onboarding:
    """Makes codes and exchanges them."""

    def __init__(self, store: Store, clock: Clock, issuer: Issuer) -> None:
        self._store = store
        self._clock = clock
        self._issuer = issuer

    @to_the_end
    async def invite(self, caller: Caller, vendor_id: str, valid_ms: int) -> Code:
        """A code for the vendor; 0 takes the usual time. A code made before ends. NotRegistered."""
        now_ms = self._clock.now_ms()
        async with self._store.writing(Act.of(caller, now_ms)) as facts:
            held = await seen_vendor(facts, caller, vendor_id)
            facts.about(VENDOR.title(held.message.vendor_id))
            facts.note()
            return await codes.give(facts, Purpose.ONBOARDING, vendor_id, now_ms + (valid_ms or VALID_MS))

    @to_the_end
    async def join(self, code: str, method: Method) -> Joined:
        """The vendor with a credential, once. BadCode.

        Whatever credentials it had before end at once: who needs a new code has lost them.
        """
        async with self._store.reading() as facts:
            kept = await codes.find(facts, Purpose.ONBOARDING, code)
        if kept is None:
            raise BadCode
        now_ms = self._clock.now_ms()
        joined = None
        vendor = Caller(CallerKind.VENDOR, kept.holder)
        async with self._store.writing(Act.of(vendor, now_ms)) as facts:
            if await codes.find(facts, Purpose.ONBOARDING, code) != kept:
                raise BadCode  # another call took it meanwhile
            await codes.drop(facts, Purpose.ONBOARDING, kept.holder)
            facts.about(VENDOR.title(kept.holder))
            if kept.good_at(now_ms):
                held = await seen_vendor(facts, vendor, kept.holder)
                credential = Credential(role=ROLE_VENDOR, subject_id=kept.holder)
                joined = Joined(held.dressed(), await self._issuer.rotate(facts, credential, method, overlap_ms=0))
            else:
                facts.note(name_of(ERROR_REASON_BAD_CODE))
        if joined is None:
            raise BadCode
        return joined
