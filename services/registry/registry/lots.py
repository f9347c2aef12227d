"""Registration of lots and gates: load, decide, store."""

from dataclasses import replace

from mesh.caller import Caller, CallerKind
from mesh.clock import Clock, Ids
from vocabulary import division

from registry.domain import Gate, Lot
from registry.errors import InvalidField, LotNotFound
from registry.store import Reader, Store, to_the_end


class Lots:
    """Lots and their gates. Administrators see all; a vendor sees the lots that it holds a grant for now."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    @to_the_end
    async def create_lot(self, caller: Caller, lot: Lot) -> Lot:
        """Registers the lot under an id of its own. InvalidField, AlreadyRegistered."""
        if not division.is_code(lot.division_code):
            raise InvalidField("lot.divisionCode", "division.code", "must be a division code of GB/T 2260")
        now_ms = self._clock.now_ms()
        lot = replace(lot, lot_id=self._ids.new("lot"), create_ms=now_ms)
        async with self._store.writing(now_ms, caller.subject, caller.credential) as facts:
            await facts.add_lot(lot)
        return lot

    @to_the_end
    async def lot(self, caller: Caller, lot_id: str) -> Lot:
        """The lot. LotNotFound when the caller may not see it, too."""
        async with self._store.reading() as facts:
            return await self._seen(facts, caller, lot_id)

    @to_the_end
    async def lots(self, caller: Caller, after: str, limit: int) -> list[Lot]:
        """The lots that the caller may see whose id follows, in that order."""
        vendor_id = caller.subject if caller.kind is CallerKind.VENDOR else None
        async with self._store.reading() as facts:
            return await facts.lots(after, limit, granted_to=vendor_id, now_ms=self._clock.now_ms())

    @to_the_end
    async def create_gate(self, caller: Caller, gate: Gate) -> Gate:
        """Registers a gate. InvalidField, LotNotFound, AlreadyRegistered."""
        seen = set()
        for place, lane in enumerate(gate.lanes):
            if lane.lane_id in seen:
                raise InvalidField(f"gate.lanes[{place}].laneId", "lane.unique", "must not repeat an earlier lane's")
            seen.add(lane.lane_id)
        async with self._store.writing(self._clock.now_ms(), caller.subject, caller.credential) as facts:
            await self._seen(facts, caller, gate.lot_id)
            await facts.add_gate(gate)
        return gate

    @to_the_end
    async def gates(self, caller: Caller, lot_id: str, after: str, limit: int) -> list[Gate]:
        """The lot's gates whose number follows, in that order. LotNotFound when the caller may not see the lot, too."""
        async with self._store.reading() as facts:
            await self._seen(facts, caller, lot_id)
            return await facts.gates(lot_id, after, limit)

    async def _seen(self, facts: Reader, caller: Caller, lot_id: str) -> Lot:
        lot = await facts.lot(lot_id)
        is_vendor = caller.kind is CallerKind.VENDOR
        if lot is None or (is_vendor and not await facts.may_see(caller.subject, lot_id, self._clock.now_ms())):
            raise LotNotFound
        return lot
