"""Who sees which lots and operators (R7.4); what somebody may not see looks to them as if it were not there."""

from collections.abc import Collection

from mesh.caller import Caller, CallerKind
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.operator_pb2 import Operator

from registry.errors import LotNotFound, NotRegistered
from registry.storage.kinds import GRANT, LOT, OPERATOR
from registry.storage.reader import Held, Reader, holds

_ALL_LOTS = frozenset(
    {
        CallerKind.ADMINISTRATOR,
        CallerKind.SUPERVISOR,
        CallerKind.SECURITY_ADMINISTRATOR,
        CallerKind.AUDIT_ADMINISTRATOR,
    }
)


async def seen_lot(facts: Reader, caller: Caller, lot_id: str, now_ms: int) -> Held[Lot]:
    """The lot. LotNotFound when there is none, or none that the caller may see."""
    held = await facts.find(LOT, lot_id)
    if held is None or not await _may_see(facts, caller, held.message, now_ms):
        raise LotNotFound
    return held


def told(caller: Caller, lot: Lot) -> Lot:
    """The lot as its reader is told of it: the city's decision, but to the city alone which person made it."""
    if caller.kind not in _ALL_LOTS and lot.HasField("review"):
        lot.review.ClearField("reviewer")
    return lot


async def lots_seen(facts: Reader, caller: Caller, now_ms: int) -> Collection[str] | None:
    """The ids of all lots that the caller may see; None: all there are."""
    if caller.kind in _ALL_LOTS:
        return None
    if caller.kind is CallerKind.OPERATOR:
        return [held.message.lot_id for held in await facts.many(LOT, owner=caller.subject)]
    if caller.kind is not CallerKind.VENDOR:
        return ()
    grants = [held.message for held in await facts.many(GRANT, owner=caller.subject)]
    return [grant.lot_id for grant in grants if holds(grant, now_ms)]


async def seen_operator(facts: Reader, caller: Caller, operator_id: str, now_ms: int) -> Held[Operator]:
    """The operator. NotRegistered when there is none, or none that the caller may see.

    A vendor sees the operators that it has registered and those of the lots that it may speak for.
    """
    held = await facts.find(OPERATOR, operator_id)
    if held is None or not await _may_see_operator(facts, caller, operator_id, now_ms):
        raise NotRegistered("operator")
    return held


async def operators_seen(facts: Reader, caller: Caller, now_ms: int) -> Collection[str] | None:
    """The ids of all operators that the caller may see; None: all there are."""
    if caller.kind in _ALL_LOTS:
        return None
    if caller.kind is CallerKind.OPERATOR:
        return [caller.subject]
    if caller.kind is not CallerKind.VENDOR:
        return ()
    lots = await lots_seen(facts, caller, now_ms) or ()
    return await facts.owners(LOT, lots) | set(await facts.added_by(OPERATOR, caller.subject))


async def _may_see(facts: Reader, caller: Caller, lot: Lot, now_ms: int) -> bool:
    if caller.kind in _ALL_LOTS:
        return True
    if caller.kind is CallerKind.OPERATOR:
        return lot.operator_id == caller.subject
    if caller.kind is not CallerKind.VENDOR:
        return False
    grant = await facts.held(GRANT, f"{caller.subject}/{lot.lot_id}")
    return grant is not None and holds(grant, now_ms)


async def _may_see_operator(facts: Reader, caller: Caller, operator_id: str, now_ms: int) -> bool:
    seen = await operators_seen(facts, caller, now_ms)
    return seen is None or operator_id in seen
