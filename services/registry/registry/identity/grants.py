"""Grants: which vendor may speak for which lot, and from when until when."""

from mesh.caller import Caller
from mesh.clock import Clock
from mesh.instants import ms_of, time_of
from parkmesh.registry.v1.vendor_pb2 import Grant

from registry.errors import InvalidFields, LotNotFound, NotRegistered
from registry.forms.validity import ValidityRule
from registry.forms.violation import broken
from registry.identity.device_credentials import end_made_by
from registry.identity.visibility import seen_vendor
from registry.storage.acts import Act
from registry.storage.kinds import GRANT, LOT
from registry.storage.store import Store, to_the_end


class Grants:
    """Gives and ends grants. Nothing is deleted: what ends gets an end."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @to_the_end
    async def give(
        self, caller: Caller, vendor_id: str, lot_id: str, start_ms: int | None, end_ms: int | None
    ) -> Grant:
        """The grant, from now on with these times; None starts it now. InvalidFields, NotRegistered, LotNotFound."""
        now_ms = self._clock.now_ms()
        start_ms = now_ms if start_ms is None else start_ms
        grant = Grant(vendor_id=vendor_id, lot_id=lot_id, start_time=time_of(start_ms))
        if end_ms is not None:
            if end_ms <= start_ms:
                raise InvalidFields([broken("endTime", ValidityRule.ORDER)])
            grant.end_time.CopyFrom(time_of(end_ms))
        async with self._store.writing(Act.of(caller, now_ms)) as facts:
            await seen_vendor(facts, caller, vendor_id)
            if await facts.held(LOT, lot_id) is None:
                raise LotNotFound
            return await facts.set(grant)

    @to_the_end
    async def end(self, caller: Caller, vendor_id: str, lot_id: str) -> Grant:
        """The grant, over from now on; as it was when it is over already. NotRegistered.

        One that has not begun never begins. What the vendor got for devices of the lot ends as well, also where the
        grant is over already.
        """
        now_ms = self._clock.now_ms()
        async with self._store.writing(Act.of(caller, now_ms)) as facts:
            await seen_vendor(facts, caller, vendor_id)
            grant = await facts.held(GRANT, f"{vendor_id}/{lot_id}")
            if grant is None:
                raise NotRegistered("grant")
            facts.about(GRANT.title(f"{vendor_id}/{lot_id}"))
            await end_made_by(facts, vendor_id, lot_id)
            if grant.HasField("end_time") and ms_of(grant.end_time) <= now_ms:
                return grant
            ended = Grant(vendor_id=vendor_id, lot_id=lot_id, start_time=grant.start_time, end_time=time_of(now_ms))
            return await facts.set(ended)

    @to_the_end
    async def list(self, caller: Caller, vendor_id: str, after: str, limit: int) -> list[Grant]:
        """The vendor's grants of lots whose id follows, in that order. NotRegistered."""
        async with self._store.reading() as facts:
            await seen_vendor(facts, caller, vendor_id)
            place = f"{vendor_id}/{after}" if after else ""
            return [held.message for held in await facts.many(GRANT, owner=vendor_id, after=place, limit=limit)]
