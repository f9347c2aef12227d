"""Registration of the law's static data (R5.1): load, decide, store."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from mesh import validation
from mesh.caller import Caller, CallerKind
from mesh.clock import Clock, Ids
from mesh.errors import FieldViolation
from mesh.instants import time_of
from parkmesh.registry.v1.device_pb2 import Device
from parkmesh.registry.v1.gate_pb2 import SERVICE_STATE_IN_SERVICE, SERVICE_STATE_RETIRED
from parkmesh.registry.v1.lot_pb2 import Lot, LotState
from parkmesh.registry.v1.operator_pb2 import OPERATOR_STATE_ACTIVE, Operator
from parkmesh.registry.v1.vendor_pb2 import Grant

from registry.errors import InvalidField, InvalidFields, NotRegistered
from registry.forms import table
from registry.identity.device_credentials import end_credentials
from registry.static import lot_states
from registry.static.edit import check_etag, edited, left_out
from registry.static.in_sight import InSight
from registry.static.listing import Listing, with_last_seen
from registry.static.moments import Moment
from registry.static.sight import lots_seen, operators_seen, seen_lot, seen_operator, told
from registry.storage.acts import Act
from registry.storage.kinds import BY_MESSAGE, LOT, OPERATOR, SET_BY_STORE, Kind, M
from registry.storage.reader import Held, Reader
from registry.storage.revisions import changed_fields
from registry.storage.store import Store, to_the_end
from registry.storage.writer import Writer

SET_BY_PLATFORM: Final[dict[str, tuple[str, ...]]] = {
    "operator": ("credit_code_legacy_pilot",),
    "lot": ("position", "flags", "review"),
    "gate": ("position",),
    "device": ("last_seen_time",),
    "berth": ("position",),
    "vendor": (),
    "account": ("state",),
}
"""Fields that no caller sets, beside those that follow from the row."""

CLOCKS_DIFFER_MS: Final = 60_000
"""How far in the future an effective time may lie."""


class Register:
    """Operators, lots, gates, devices and berths. Each caller acts on what it sees (`sight`).

    Whatever changes something says why, and when it became true (None: now).
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    @to_the_end
    async def create_operator(
        self, caller: Caller, operator: Operator, *, reason: str = "", effective_ms: int | None = None
    ) -> Operator:
        """Registers the operator under an id of its own. InvalidFields, AlreadyRegistered."""
        _refuse(left_out(operator, ("operator_id", *_set_by_platform(OPERATOR)), "operator"))
        async with self._store.writing(self._act(caller, reason, effective_ms)) as facts:
            operator.operator_id = self._ids.new("operator")
            operator.state = operator.state or OPERATOR_STATE_ACTIVE
            return await added(facts, operator)

    @to_the_end
    async def create_lot(self, caller: Caller, lot: Lot, *, reason: str = "", effective_ms: int | None = None) -> Lot:
        """Registers the lot under an id of its own; a vendor that files it may speak for it. InvalidFields,
        EtagMismatch, AlreadyRegistered.
        """
        _refuse(left_out(lot, ("lot_id", *_set_by_platform(LOT)), "lot"))
        async with self._store.writing(self._act(caller, reason, effective_ms)) as facts:
            return await filed(facts, caller, lot, self._ids)

    @to_the_end
    async def create_part(
        self, caller: Caller, lot_id: str, part: M, *, reason: str = "", effective_ms: int | None = None
    ) -> M:
        """Registers a gate, a device or a berth of a lot. LotNotFound, InvalidFields, AlreadyRegistered."""
        kind = BY_MESSAGE[type(part)]
        _refuse(left_out(part, _set_by_platform(kind), kind.name))
        _belongs_to(kind, part, lot_id)
        part.state = part.state or SERVICE_STATE_IN_SERVICE  # type: ignore[attr-defined]  # every part has it
        async with self._store.writing(self._act(caller, reason, effective_ms)) as facts:
            await seen_lot(facts, caller, lot_id, facts.now_ms)
            return await added(facts, part)

    @to_the_end
    async def operator(self, caller: Caller, operator_id: str, moment: Moment) -> Operator:
        """The operator. NotRegistered when the caller may not see it, too, or it was not there yet."""
        async with self._store.reading() as facts:
            held = await seen_operator(facts, caller, operator_id, self._clock.now_ms())
            return await _at(facts, OPERATOR, held, moment)

    @to_the_end
    async def lot(self, caller: Caller, lot_id: str, moment: Moment) -> Lot:
        """The lot. LotNotFound when the caller may not see it, too; NotRegistered when it was not there yet."""
        async with self._store.reading() as facts:
            held = await seen_lot(facts, caller, lot_id, self._clock.now_ms())
            return told(caller, await _at(facts, LOT, held, moment))

    @to_the_end
    async def part(self, caller: Caller, kind: Kind[M], lot_id: str, part_id: str, moment: Moment) -> M:
        """A gate, device or berth. LotNotFound when the caller may not see the lot, too; NotRegistered."""
        async with self._store.reading() as facts:
            await seen_lot(facts, caller, lot_id, self._clock.now_ms())
            return await _at(facts, kind, await _part(facts, kind, lot_id, part_id), moment)

    @to_the_end
    async def operators(self, caller: Caller, after: str, limit: int, moment: Moment) -> list[tuple[str, Operator]]:
        """The operators that the caller may see whose id follows, in that order."""
        async with self._store.reading() as facts:
            seen = await operators_seen(facts, caller, self._clock.now_ms())
            return await Listing(OPERATOR, keys=seen).page(facts, after, limit, moment)

    @to_the_end
    async def lots(
        self,
        caller: Caller,
        after: str,
        limit: int,
        moment: Moment,
        *,
        operator_id: str = "",
        division_code: str = "",
        state: LotState.ValueType = LotState.LOT_STATE_UNSPECIFIED,
    ) -> list[tuple[str, Lot]]:
        """The lots that the caller may see whose id follows, in that order; of an operator, division or state only."""

        def wanted(lot: Lot) -> bool:
            return (
                operator_id in ("", lot.operator_id)
                and division_code in ("", lot.division_code)
                and state in (LotState.LOT_STATE_UNSPECIFIED, lot.state)
            )

        async with self._store.reading() as facts:
            seen = await lots_seen(facts, caller, self._clock.now_ms())
            found = await Listing(LOT, keys=seen, wanted=wanted).page(facts, after, limit, moment)
            return [(key, told(caller, lot)) for key, lot in found]

    @to_the_end
    async def parts(
        self, caller: Caller, kind: Kind[M], lot_id: str, after: str, limit: int, moment: Moment
    ) -> list[tuple[str, M]]:
        """The lot's gates, devices or berths whose number follows, in that order. LotNotFound."""
        async with self._store.reading() as facts:
            await seen_lot(facts, caller, lot_id, self._clock.now_ms())
            after = f"{lot_id}/{after}" if after else ""
            return await Listing(kind, lot_id=lot_id).page(facts, after, limit, moment)

    @to_the_end
    async def update_operator(
        self,
        caller: Caller,
        operator_id: str,
        patch: Operator,
        mask: FieldMask,
        *,
        reason: str,
        effective_ms: int | None,
    ) -> Operator:
        """Changes the masked fields. NotRegistered, InvalidFields, EtagMismatch, AlreadyRegistered."""
        async with self._store.writing(self._act(caller, reason, effective_ms)) as facts:
            held = await seen_operator(facts, caller, operator_id, facts.now_ms)
            return await changed(facts, held, patch, mask)

    @to_the_end
    async def update_lot(
        self, caller: Caller, lot_id: str, patch: Lot, mask: FieldMask, *, reason: str, effective_ms: int | None
    ) -> Lot:
        """Changes the masked fields, never the state. LotNotFound, InvalidFields, EtagMismatch, AlreadyRegistered."""
        async with self._store.writing(self._act(caller, reason, effective_ms)) as facts:
            held = await seen_lot(facts, caller, lot_id, facts.now_ms)
            # Whose lot it is, its operator's people cannot give away, nor a vendor once an operator is named.
            settled = caller.kind is CallerKind.OPERATOR or (
                caller.kind is CallerKind.VENDOR and held.message.operator_id
            )
            fixed = ("state", "operator_id") if settled else ("state",)
            return told(caller, await changed(facts, held, patch, mask, fixed=fixed))

    @to_the_end
    async def update_part(
        self,
        caller: Caller,
        lot_id: str,
        part_id: str,
        patch: M,
        mask: FieldMask,
        *,
        reason: str,
        effective_ms: int | None,
    ) -> M:
        """Changes the masked fields of a gate, device or berth; a device that is gone for good loses its credentials.

        LotNotFound, NotRegistered, InvalidFields, EtagMismatch, AlreadyRegistered.
        """
        kind = BY_MESSAGE[type(patch)]
        async with self._store.writing(self._act(caller, reason, effective_ms)) as facts:
            await seen_lot(facts, caller, lot_id, facts.now_ms)
            part: M = await changed(facts, await _part(facts, kind, lot_id, part_id), patch, mask)
            if _is_gone_device(part):
                await end_credentials(facts, lot_id, part_id)
            return part

    @to_the_end
    async def submit_lot(self, caller: Caller, lot_id: str, etag: str) -> Lot:
        """Files a draft. LotNotFound, EtagMismatch, StateNotAllowed."""
        async with self._store.writing(self._act(caller, "", None)) as facts:
            held = await seen_lot(facts, caller, lot_id, facts.now_ms)
            check_etag(etag, held)
            lot_states.submit(held.message)
            return told(caller, await _kept(facts, held.message))

    @to_the_end
    async def review_lot(self, caller: Caller, lot_id: str, state: LotState.ValueType, comment: str, etag: str) -> Lot:
        """Records the department's decision. LotNotFound, EtagMismatch, StateNotAllowed, InvalidField."""
        async with self._store.writing(self._act(caller, comment, None)) as facts:
            held = await seen_lot(facts, caller, lot_id, facts.now_ms)
            check_etag(etag, held)
            lot_states.review(caller, held.message, state, comment, facts.now_ms)
            return await _kept(facts, held.message)

    def _act(self, caller: Caller, reason: str, effective_ms: int | None) -> Act:
        now_ms = self._clock.now_ms()
        check_effective(effective_ms, now_ms)
        return Act.of(caller, now_ms, reason=reason, effective_ms=effective_ms)


def check_effective(effective_ms: int | None, now_ms: int) -> None:
    """InvalidField when a change is said to become true only later."""
    if effective_ms is not None and effective_ms > now_ms + CLOCKS_DIFFER_MS:
        raise InvalidField(
            "effectiveTime",
            "effective_time.in_future",
            "must not lie in the future: report a change when it has become true",
            "不得晚于当前时间：变更生效后再报送",
        )


async def filed(facts: Writer, caller: Caller, lot: Lot, ids: Ids) -> Lot:
    """Adds a lot that the proto's rules let through, when the domain's do too, under an id of its own: see `begun` and
    `entered`.
    """
    begun(caller, lot)
    _refuse(await table.examine(LOT, lot, InSight(facts), LOT.name))
    lot.lot_id = ids.new("lot")
    await entered(facts, caller, lot)
    return await _dressed(facts, LOT, lot.lot_id)


def begun(caller: Caller, lot: Lot) -> None:
    """Gives a new lot a state that the caller may give it, and an operator's lot its operator. InvalidField."""
    lot_states.begin(caller, lot)
    if caller.kind is CallerKind.OPERATOR and not lot.operator_id:
        lot.operator_id = caller.subject


async def entered(facts: Writer, caller: Caller, lot: Lot) -> None:
    """Adds a lot that was examined and has its id, and lets a vendor speak for it. AlreadyRegistered."""
    await facts.add(lot)
    if caller.kind is CallerKind.VENDOR:
        await facts.add(Grant(vendor_id=caller.subject, lot_id=lot.lot_id, start_time=time_of(facts.now_ms)))


async def added(facts: Writer, message: M) -> M:
    """Adds an object that the proto's rules let through, when the domain's do too. InvalidFields, AlreadyRegistered."""
    kind = BY_MESSAGE[type(message)]
    _refuse(await table.examine(kind, message, InSight(facts), kind.name))
    await facts.add(message)
    return await _dressed(facts, kind, kind.key(message))


async def changed(facts: Writer, held: Held[M], patch: M, mask: FieldMask, *, fixed: Sequence[str] = ()) -> M:
    """Changes the masked fields of an object, as it was when the act became true.

    InvalidFields, EtagMismatch, AlreadyRegistered.
    """
    kind = BY_MESSAGE[type(patch)]
    check_etag(patch.etag, held)  # type: ignore[attr-defined]  # whatever is updated has one
    then = await facts.then(held)
    message = edited(then, patch, mask, fixed=fixed, derived=_set_by_platform(kind), path=kind.name)
    if isinstance(message, Lot) and "berths" in changed_fields(then, message) and not _states_sum(patch, mask):
        message.open_berths = 0  # left out, it is the sum over the new classes
    _refuse(validation.violations(message, f"{kind.name}."))
    _refuse(await table.examine(kind, message, InSight(facts), kind.name))
    return await _kept(facts, message)


def _states_sum(patch: Message, mask: FieldMask) -> bool:
    return "open_berths" in mask.paths if mask.paths else bool(getattr(patch, "open_berths", 0))


async def _kept(facts: Writer, message: M) -> M:
    kind = BY_MESSAGE[type(message)]
    await facts.set(message)
    return await _dressed(facts, kind, kind.key(message))


async def _dressed(facts: Reader, kind: Kind[M], key: str) -> M:
    held = await facts.find(kind, key)
    assert held is not None, "it was just written"
    return held.dressed()


async def _at(facts: Reader, kind: Kind[M], held: Held[M], moment: Moment) -> M:
    key = kind.key(held.message)
    seen = held.dressed() if moment.is_now else moment.seen(await facts.revisions(kind, key))
    if seen is None:
        raise NotRegistered(kind.name)
    if moment.is_now:
        await with_last_seen(facts, kind, [(key, seen)])
    return seen


async def _part(facts: Reader, kind: Kind[M], lot_id: str, part_id: str) -> Held[M]:
    held = await facts.find(kind, f"{lot_id}/{part_id}")
    if held is None:
        raise NotRegistered(kind.name)
    return held


def _is_gone_device(part: Message) -> bool:
    return isinstance(part, Device) and part.state == SERVICE_STATE_RETIRED


def _belongs_to(kind: Kind[M], part: M, lot_id: str) -> None:
    if kind.lot_id(part) not in ("", lot_id):
        raise InvalidField(
            f"{kind.name}.lotId",
            f"{kind.name}.of_other_lot",
            "must be left out or name the lot of the path",
            "应省略，或与路径中的停车场一致",
        )
    part.lot_id = lot_id  # type: ignore[attr-defined]  # every part has it


def _set_by_platform(kind: Kind[M]) -> tuple[str, ...]:
    present = (field for field in SET_BY_STORE if field in kind.message.DESCRIPTOR.fields_by_name)
    return (*SET_BY_PLATFORM[kind.name], *present)


def _refuse(found: Sequence[FieldViolation]) -> None:
    if found:
        raise InvalidFields(found)
