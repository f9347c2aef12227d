"""The history of the register as people read it, and the receipts of the departments (R6.2)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from mesh.caller import Caller, CallerKind
from mesh.clock import Clock
from mesh.instants import time_of
from parkmesh.registry.v1.change_service_pb2 import Change, FactKind, Receipt, RegisteredObject
from parkmesh.registry.v1.rule_pb2 import Rule

from registry.errors import NotRegistered
from registry.forms import derived
from registry.history.lateness import lateness, windows
from registry.static.sight import lots_seen, operators_seen, seen_lot, told
from registry.storage import revisions
from registry.storage.acts import Act, role_named
from registry.storage.among import among
from registry.storage.kinds import BY_NAME, BY_NUMBER, KINDS, OPERATOR, RULE, Kind
from registry.storage.reader import Reader, Rows, revision_of
from registry.storage.revisions import Revision
from registry.storage.store import Store, to_the_end
from registry.storage.tables import CHANGES, RECEIPTS

_STATIC: Final = tuple(kind.name for kind in KINDS if kind.static)
_SHOWN: Final = frozenset(RegisteredObject.DESCRIPTOR.fields_by_name)
_KINDS_SEEN: Final = {
    CallerKind.VENDOR: _STATIC,
    CallerKind.OPERATOR: _STATIC,
    CallerKind.SUPERVISOR: (*_STATIC, "rule"),
    CallerKind.ADMINISTRATOR: (*_STATIC, "rule", "vendor", "grant"),
    CallerKind.AUDIT_ADMINISTRATOR: tuple(kind.name for kind in KINDS),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes; everything that is stated must hold."""

    kinds: tuple[FactKind.ValueType, ...] = ()
    lot_id: str = ""
    author: str = ""
    change_set: str = ""
    reported_from_ms: int | None = None
    reported_before_ms: int | None = None
    late_only: bool = False
    awaiting_receipt: bool = False
    newest_first: bool = False


class Changes:
    """Every change that a caller may see: of its lots, for vendors and operators."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @to_the_end
    async def list(self, caller: Caller, wanted: Wanted, after: int | None, limit: int) -> list[Change]:
        """The changes after a revision (before it, the newest first), in their order. LotNotFound."""
        async with self._store.reading() as facts:
            now_ms = self._clock.now_ms()
            if wanted.lot_id:
                await seen_lot(facts, caller, wanted.lot_id, now_ms)
            rules = [held.message for held in await facts.many(RULE)]
            chosen = sa.select(CHANGES).where(
                await _in_sight(facts, caller, now_ms), *_conditions(wanted, rules, caller)
            )
            if after is not None:
                chosen = chosen.where(CHANGES.c.revision < after if wanted.newest_first else CHANGES.c.revision > after)
            order = CHANGES.c.revision.desc() if wanted.newest_first else CHANGES.c.revision
            rows = await facts.rows(chosen.order_by(order).limit(limit))
            return [_for(caller, change) for change in await _told(facts, rows, rules)]

    @to_the_end
    async def receive(self, caller: Caller, numbers: Sequence[int]) -> int:
        """Notes that the caller's department has seen these changes of static data; how many of them are new to it.

        NotRegistered, and nothing noted, when one of them is not there.
        """
        now_ms = self._clock.now_ms()
        async with self._store.writing(Act.of(caller, now_ms)) as facts:
            known = await facts.rows(
                sa.select(CHANGES.c.revision).where(CHANGES.c.revision.in_(numbers), CHANGES.c.kind.in_(_STATIC))
            )
            if len(known) < len(numbers):
                raise NotRegistered("change")
            had = await facts.rows(
                sa.select(RECEIPTS.c.revision).where(
                    RECEIPTS.c.department == caller.subject, RECEIPTS.c.revision.in_(numbers)
                )
            )
            received = sorted(set(numbers) - {row.revision for row in had})
            note = {
                "department": caller.subject,
                "account_id": caller.account,
                "client_id": caller.credential,
                "receive_ms": now_ms,
            }
            if received:
                rows = [note | {"revision": number} for number in received]
                await facts.execute(sa.insert(RECEIPTS).values(rows))
                facts.about(f"changes/{received[0]}-{received[-1]}")
                facts.note()
        return len(received)


async def _in_sight(facts: Reader, caller: Caller, now_ms: int) -> sa.ColumnElement[bool]:
    of_kind = _of(_KINDS_SEEN[caller.kind])
    lots = await lots_seen(facts, caller, now_ms)
    if lots is None:
        return of_kind
    operators = await operators_seen(facts, caller, now_ms) or ()
    own_operator = (CHANGES.c.kind == OPERATOR.name) & among(CHANGES.c.key, operators)
    return of_kind & (among(CHANGES.c.lot_id, lots) | own_operator)


def _of(kinds: Sequence[str]) -> sa.ColumnElement[bool]:
    # Most changes are of these kinds. Said the other way round, no database sorts them all to find the newest few.
    return CHANGES.c.kind.not_in([kind.name for kind in KINDS if kind.name not in kinds])


def _conditions(wanted: Wanted, rules: Sequence[Rule], caller: Caller) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.kinds:
        names = [BY_NUMBER[number].name for number in wanted.kinds if number in BY_NUMBER]
        conditions.append(CHANGES.c.kind.in_(names))
    if wanted.lot_id:
        conditions.append(CHANGES.c.lot_id == wanted.lot_id)
    if wanted.author:
        conditions.append(CHANGES.c.subject == wanted.author)
    if wanted.change_set:
        conditions.append(CHANGES.c.change_set == wanted.change_set)
    if wanted.reported_from_ms is not None:
        conditions.append(CHANGES.c.report_ms >= wanted.reported_from_ms)
    if wanted.reported_before_ms is not None:
        conditions.append(CHANGES.c.report_ms < wanted.reported_before_ms)
    if wanted.late_only:
        conditions.append(_of(_STATIC) & sa.or_(sa.false(), *_late(rules)))
    if wanted.awaiting_receipt:
        received = sa.exists().where(RECEIPTS.c.revision == CHANGES.c.revision, RECEIPTS.c.department == caller.subject)
        conditions.append(_of(_STATIC) & ~received)
    return conditions


def _late(rules: Sequence[Rule]) -> list[sa.ColumnElement[bool]]:
    return [
        (CHANGES.c.effective_ms >= window.start_ms)
        & (sa.true() if window.end_ms is None else CHANGES.c.effective_ms < window.end_ms)
        & (CHANGES.c.report_ms - CHANGES.c.effective_ms > window.allowed_ms)
        for window in windows(rules)
    ]


async def _told(facts: Reader, rows: Rows, rules: Sequence[Rule]) -> list[Change]:
    histories: dict[tuple[str, str], list[Revision[Any]]] = {}
    for name in {row.kind for row in rows} & _SHOWN:
        keys = {row.key for row in rows if row.kind == name}
        for key, history in (await facts.histories(BY_NAME[name], keys)).items():
            histories[name, key] = history
    numbers = [row.revision for row in rows]
    receipts: dict[int, list[Receipt]] = {number: [] for number in numbers}
    for row in await facts.rows(sa.select(RECEIPTS).where(RECEIPTS.c.revision.in_(numbers))):
        receipt = Receipt(department=row.department, account_id=row.account_id, receive_time=time_of(row.receive_ms))
        receipts[row.revision].append(receipt)
    return [
        _change(row._asdict(), histories.get((row.kind, row.key), []), rules, receipts[row.revision]) for row in rows
    ]


def _change(
    row: dict[str, Any], history: Sequence[Revision[Any]], rules: Sequence[Rule], receipts: Sequence[Receipt]
) -> Change:
    kind = BY_NAME[row["kind"]]
    earlier = [revision for revision in history if revision.number < row["revision"]]
    before = revisions.state_at(earlier, row["effective_ms"], None)
    return Change(
        revision=row["revision"],
        kind=kind.number,
        name=kind.title(row["key"]),
        lot_id=row["lot_id"],
        fields=[kind.message.DESCRIPTOR.fields_by_name[name].json_name for name in json.loads(row["fields"])],
        before=_shown(kind, None if before is None else derived.again(before)),
        after=_shown(kind, revision_of(kind, row).after),
        author_role=role_named(row["role"]),
        author=row["subject"],
        account_id=row["account_id"],
        client_id=row["client_id"],
        reason=row["reason"],
        effective_time=time_of(row["effective_ms"]),
        report_time=time_of(row["report_ms"]),
        change_set=row["change_set"],
        lateness=lateness(rules, row["effective_ms"], row["report_ms"]) if kind.static else None,
        receipts=receipts,
    )


def _for(caller: Caller, change: Change) -> Change:
    """The change as this caller may see it: who in another house made or received it is no affair of theirs (R7.4)."""
    if caller.kind in (CallerKind.VENDOR, CallerKind.OPERATOR):
        for state in (change.before, change.after):
            if state.HasField("lot"):
                told(caller, state.lot)
        for receipt in change.receipts:
            receipt.ClearField("account_id")
        if change.author != caller.subject:
            change.ClearField("account_id")
            change.ClearField("client_id")
    return change


def _shown(kind: Kind[Any], message: Any) -> RegisteredObject | None:
    if message is None or kind.name not in _SHOWN:
        return None
    return RegisteredObject(**{kind.name: message})
