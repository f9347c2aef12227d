"""Vendors, their credentials and their grants: load, decide, store."""

import secrets
from dataclasses import replace

from mesh.caller import Caller
from mesh.clock import Clock, Ids

from registry.domain import Credential, Grant, Vendor, secret_hash, superseded
from registry.errors import InvalidField, LotNotFound, NotRegistered
from registry.store import Reader, Store, to_the_end


class Vendors:
    """Who may send, with which credential, and for which lots. Nothing is deleted: what ends gets an end."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    @to_the_end
    async def create(self, caller: Caller, vendor: Vendor) -> Vendor:
        """Registers the vendor under an id of its own. AlreadyRegistered."""
        now_ms = self._clock.now_ms()
        vendor = replace(vendor, vendor_id=self._ids.new("vendor"), create_ms=now_ms)
        async with self._store.writing(now_ms, caller.subject, caller.credential) as facts:
            await facts.add_vendor(vendor)
        return vendor

    @to_the_end
    async def vendor(self, vendor_id: str) -> Vendor:
        """The vendor. NotRegistered."""
        async with self._store.reading() as facts:
            return await _known(facts, vendor_id)

    @to_the_end
    async def vendors(self, after: str, limit: int) -> list[Vendor]:
        """The vendors whose id follows, in that order."""
        async with self._store.reading() as facts:
            return await facts.vendors(after, limit)

    @to_the_end
    async def rotate_credential(self, caller: Caller, vendor_id: str, overlap_ms: int) -> tuple[Credential, str]:
        """A new credential and its secret, kept nowhere; the one before ends after the overlap. NotRegistered."""
        now_ms = self._clock.now_ms()
        secret = secrets.token_urlsafe(32)
        credential = Credential(self._ids.new("client"), vendor_id, create_ms=now_ms)
        async with self._store.writing(now_ms, caller.subject, caller.credential) as facts:
            await _known(facts, vendor_id)
            for ending in superseded(await facts.credentials(vendor_id), now_ms, overlap_ms):
                await facts.set_credential(ending)
            await facts.add_credential(credential, secret_hash(secret))
        return credential, secret

    @to_the_end
    async def revoke_credential(self, caller: Caller, vendor_id: str, client_id: str) -> Credential:
        """The credential, from now on revoked. NotRegistered, also when it is another vendor's."""
        async with self._store.writing(self._clock.now_ms(), caller.subject, caller.credential) as facts:
            account = await facts.account(client_id)
            if account is None or account.credential.vendor_id != vendor_id:
                raise NotRegistered("credential")
            credential = replace(account.credential, revoked=True)
            if credential != account.credential:
                await facts.set_credential(credential)
        return credential

    @to_the_end
    async def grant_lot(
        self, caller: Caller, vendor_id: str, lot_id: str, start_ms: int | None, end_ms: int | None
    ) -> Grant:
        """The grant, from now on with these times; None starts it now. InvalidField, NotRegistered, LotNotFound."""
        now_ms = self._clock.now_ms()
        grant = Grant(vendor_id, lot_id, now_ms if start_ms is None else start_ms, end_ms)
        if grant.ended_by(grant.start_ms):
            raise InvalidField("endTime", "grant.end_after_start", "must be later than the start")
        async with self._store.writing(now_ms, caller.subject, caller.credential) as facts:
            await _known(facts, vendor_id)
            if await facts.lot(lot_id) is None:
                raise LotNotFound
            if await facts.grant(vendor_id, lot_id) != grant:
                await facts.set_grant(grant)
        return grant

    @to_the_end
    async def revoke_grant(self, caller: Caller, vendor_id: str, lot_id: str) -> Grant:
        """The grant, over from now on; as it was when it is over already. NotRegistered."""
        now_ms = self._clock.now_ms()
        async with self._store.writing(now_ms, caller.subject, caller.credential) as facts:
            grant = await facts.grant(vendor_id, lot_id)
            if grant is None:
                raise NotRegistered("grant")
            if not grant.ended_by(now_ms):
                grant = replace(grant, end_ms=now_ms)
                await facts.set_grant(grant)
        return grant


async def _known(facts: Reader, vendor_id: str) -> Vendor:
    vendor = await facts.vendor(vendor_id)
    if vendor is None:
        raise NotRegistered("vendor")
    return vendor
