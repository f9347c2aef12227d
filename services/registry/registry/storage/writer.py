"""Changes within one transaction: numbered, kept for ever, and sealed by an entry of the audit trail."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final, Self

import sqlalchemy as sa
from google.protobuf.message import Message
from mesh.caller import Caller
from sqlalchemy.ext.asyncio import AsyncConnection

from registry.errors import AlreadyRegistered, EffectiveTooEarly
from registry.forms import derived
from registry.storage import revisions, seal
from registry.storage.acts import Act
from registry.storage.kinds import BY_MESSAGE, Kind, M
from registry.storage.reader import Held, Reader, revision_of
from registry.storage.revisions import Revision
from registry.storage.tables import AUDIT, CHANGES, FACTS, NAMES, NUMBERING

DONE: Final = "DONE"
REFUSED: Final = "REFUSED"


class Writer(Reader):
    """Reads and changes within one transaction, which no other writer's overlaps.

    What it checks by reading is therefore certain; the database's own constraints stand behind it all the same. Changes
    are written together when the transaction ends (`seal`); `find`, `held` and `named` see them at once, lists do not.
    """

    def __init__(self, connection: AsyncConnection, act: Act) -> None:
        super().__init__(connection)
        self._act = act
        self._revision = 0
        self._audit_number = 0
        self._audit_hash = ""
        self._target = ""
        self._refusal = ""
        self._changes: list[dict[str, Any]] = []
        self._changes_of: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._facts: dict[tuple[str, str], Held[Any]] = {}
        self._names: dict[tuple[str, str, str], str | None] = {}
        self._prefetched: dict[tuple[str, str], Held[Any] | None] = {}
        self._prefetched_names: dict[tuple[str, str, str], str | None] = {}
        self._prefetched_histories: dict[tuple[str, str], list[Revision[Any]]] = {}
        self._noted = False

    @property
    def by(self) -> Caller:
        """Who acts."""
        return self._act.by

    @property
    def now_ms(self) -> int:
        """The time at which the act is done."""
        return self._act.at_ms

    @property
    def changed(self) -> bool:
        """Whether anything was changed."""
        return bool(self._changes)

    @property
    def revision(self) -> int:
        """The number of the last change."""
        return self._revision

    async def lock(self) -> Self:
        """Waits for other writers to end: numbers become visible in their order, without gaps."""
        columns = (NUMBERING.c.revision, NUMBERING.c.audit_number, NUMBERING.c.audit_hash)
        update = sa.update(NUMBERING).values(revision=NUMBERING.c.revision).returning(*columns)
        row = (await self._connection.execute(update)).one()
        self._revision, self._audit_number, self._audit_hash = row
        return self

    def about(self, target: str) -> None:
        """Says what the act is done to; without it, the first object that it changes."""
        self._target = target

    def note(self, refusal: str = "") -> None:
        """Has the act entered into the audit trail though it changes no fact; a refusal is the reason's name."""
        self._noted = True
        self._refusal = refusal

    async def execute(self, statement: sa.Executable) -> sa.CursorResult[Any]:
        """Runs a statement on tables that hold no facts."""
        return await self._connection.execute(statement)

    async def prefetch(self, kind: Kind[M], keys: Collection[str], names: Collection[tuple[str, str]] = ()) -> None:
        """Reads at once what changing these objects, and giving them these unique values (field, name), will ask for.

        It saves a query for each; what is right or wrong stays the same.
        """
        self._prefetched |= dict.fromkeys((kind.name, key) for key in keys)
        for held in await self.some(kind, keys):
            self._prefetched[kind.name, kind.key(held.message)] = held
        for field in kind.unique:
            texts = {name for named, name in names if named == field}
            self._prefetched_names |= dict.fromkeys((kind.name, field, text) for text in texts)
            for text, key in (await self.keys_named(kind, field, texts)).items():
                self._prefetched_names[kind.name, field, text] = key
        belated = [key for key in keys if self._is_belated(self._prefetched[kind.name, key])]
        for key, history in (await self.histories(kind, belated)).items():
            self._prefetched_histories[kind.name, key] = history

    async def find(self, kind: Kind[M], key: str) -> Held[M] | None:
        """See Reader; what this transaction changed, too."""
        place = (kind.name, key)
        for known in (self._facts, self._prefetched):
            if place in known:
                return _copy(known[place])
        return await super().find(kind, key)

    async def named(self, kind: Kind[M], field: str, name: str) -> Held[M] | None:
        """See Reader; what this transaction changed, too."""
        place = (kind.name, field, name)
        if place in self._names:
            key = self._names[place]
        elif place in self._prefetched_names:
            key = self._prefetched_names[place]
        else:
            return await super().named(kind, field, name)
        return None if key is None else await self.find(kind, key)

    async def revisions(self, kind: Kind[M], key: str) -> list[Revision[M]]:
        """See Reader; what this transaction changed, too."""
        place = (kind.name, key)
        known = self._prefetched_histories.get(place)
        earlier = await super().revisions(kind, key) if known is None else known
        return earlier + [revision_of(kind, row) for row in self._changes_of.get(place, ())]

    async def add(self, message: M) -> M:
        """Adds an object. AlreadyRegistered when another has its key or one of its unique values."""
        kind = _kind(message)
        if await self.find(kind, kind.key(message)) is not None:
            raise AlreadyRegistered(kind.key_field)
        return await self._put(kind, None, message)

    async def set(self, message: M) -> M:
        """Replaces an object that is there, or adds it. Nothing happens when nothing differs. AlreadyRegistered.

        The message is the object as it was when the act became true (see `then`): a change that became true before one
        that was reported earlier takes its place in the past, and what became true after it stays. The object as it is
        now is given back. EffectiveTooEarly when the act lies before the object's first change.
        """
        kind = _kind(message)
        return await self._put(kind, await self.find(kind, kind.key(message)), message)

    async def then(self, held: Held[M]) -> M:
        """The object as it was when the act became true. EffectiveTooEarly when it was not there yet."""
        if not self._is_belated(held):
            return held.message
        if self._effective_ms(held) < held.first_effective_ms:
            raise EffectiveTooEarly
        kind = _kind(held.message)
        known = await self.revisions(kind, kind.key(held.message))
        state = revisions.state_at(known, self._effective_ms(held), None)
        assert state is not None, "it lies after the first"
        return derived.again(state)

    async def seal(self) -> None:
        """Writes the changes and the entry that seals them. Called once, at the end."""
        if not self._changes and not self._noted:
            return
        first = self._changes[0]["revision"] if self._changes else 0
        by = self._act.by
        entry = {
            "number": self._audit_number + 1,
            "at_ms": self._act.at_ms,
            "action": self._act.action,
            "target": self._target,
            "role": by.kind.name,
            "subject": by.subject,
            "account_id": by.account,
            "client_id": by.credential,
            "outcome": REFUSED if self._refusal else DONE,
            "refusal": self._refusal,
            "first_revision": first,
            "last_revision": self._revision if self._changes else 0,
            "changes_sha256": seal.digest_of(self._changes),
            "previous_hash": self._audit_hash,
        }
        entry["hash"] = seal.hash_of(entry)
        if self._changes:
            await self._connection.execute(sa.insert(CHANGES), self._changes)
        await self._write_names()
        await self._write_facts()
        await self._connection.execute(sa.insert(AUDIT).values(entry))
        await self._connection.execute(
            sa.update(NUMBERING).values(revision=self._revision, audit_number=entry["number"], audit_hash=entry["hash"])
        )

    async def _put(self, kind: Kind[M], held: Held[M] | None, message: M) -> M:
        message = revisions.bare(message)
        effective_ms = self._effective_ms(held)
        fields = revisions.changed_fields(None if held is None else await self.then(held), message)
        if held is not None and not fields:
            return held.message
        now = message
        if self._is_belated(held):
            known = await self.revisions(kind, kind.key(message))
            now = _with_belated(known, Revision(self._revision + 1, effective_ms, self._act.at_ms, fields, message))
        await self._claim(kind, None if held is None else held.message, now)
        self._revision += 1
        self._target = self._target or kind.title(kind.key(message))
        change = self._change(kind, message, fields, effective_ms)
        self._changes.append(change)
        self._changes_of.setdefault((kind.name, change["key"]), []).append(change)
        self._facts[kind.name, kind.key(now)] = Held(
            now,
            self._revision,
            self._act.at_ms if held is None else held.create_ms,
            self._act.at_ms,
            effective_ms if held is None else held.first_effective_ms,
            effective_ms if held is None else max(effective_ms, held.last_effective_ms),
        )
        return now

    def _effective_ms(self, held: Held[Any] | None) -> int:
        """When the act becomes true for this object."""
        if self._act.effective_ms is not None:
            return self._act.effective_ms
        # What nobody called belated never is, though this clock goes back or another one was ahead.
        return self._act.at_ms if held is None else max(self._act.at_ms, held.last_effective_ms)

    def _is_belated(self, held: Held[Any] | None) -> bool:
        return held is not None and self._effective_ms(held) < held.last_effective_ms

    async def _claim(self, kind: Kind[M], before: M | None, after: M) -> None:
        given = dict(kind.names(after))
        had = {} if before is None else dict(kind.names(before))
        for field, name in given.items():
            owner = await self.named(kind, field, name)
            if owner is not None and kind.key(owner.message) != kind.key(after):
                raise AlreadyRegistered(after.DESCRIPTOR.fields_by_name[field].json_name)
        for field, name in had.items():
            if given.get(field) != name:
                self._names[kind.name, field, name] = None
        for field, name in given.items():
            if had.get(field) != name:
                self._names[kind.name, field, name] = kind.key(after)

    def _change(self, kind: Kind[M], message: M, fields: tuple[str, ...], effective_ms: int) -> dict[str, Any]:
        act = self._act
        return {
            "revision": self._revision,
            "kind": kind.name,
            "key": kind.key(message),
            "lot_id": kind.lot_id(message),
            "fields": json.dumps(fields, separators=(",", ":")),
            "fact": revisions.written(message),
            "effective_ms": effective_ms,
            "report_ms": act.at_ms,
            "role": act.by.kind.name,
            "subject": act.by.subject,
            "account_id": act.by.account,
            "client_id": act.by.credential,
            "reason": act.reason,
            "change_set": act.change_set,
        }

    async def _write_names(self) -> None:
        rows = [
            {"kind": kind, "field": field, "name": name, "key": key} for (kind, field, name), key in self._names.items()
        ]
        if rows:
            is_it = sa.and_(*(NAMES.c[column] == sa.bindparam(f"its_{column}") for column in ("kind", "field", "name")))
            its = [{f"its_{column}": row[column] for column in ("kind", "field", "name")} for row in rows]
            await self._connection.execute(sa.delete(NAMES).where(is_it), its)
        if taken := [row for row in rows if row["key"] is not None]:
            await self._connection.execute(sa.insert(NAMES), taken)

    async def _write_facts(self) -> None:
        rows = [_fact_row(kind, key, held) for (kind, key), held in self._facts.items()]
        if rows:
            is_it = sa.and_(FACTS.c.kind == sa.bindparam("its_kind"), FACTS.c.key == sa.bindparam("its_key"))
            its = [{"its_kind": row["kind"], "its_key": row["key"]} for row in rows]
            await self._connection.execute(sa.delete(FACTS).where(is_it), its)
            await self._connection.execute(sa.insert(FACTS), rows)


def _with_belated(known: list[Revision[M]], belated: Revision[M]) -> M:
    now = revisions.state_at([*known, belated], None, None)
    assert now is not None, "it has a change"
    return derived.again(now)


def _kind(message: M) -> Kind[M]:
    return BY_MESSAGE[type(message)]


def _copy(held: Held[M] | None) -> Held[M] | None:
    """As a new read would give it: who changes the message changes nothing here."""
    return None if held is None else replace(held, message=revisions.bare(held.message))


def _fact_row(name: str, key: str, held: Held[Message]) -> dict[str, Any]:
    kind = _kind(held.message)
    return {
        "kind": name,
        "key": key,
        "revision": held.revision,
        "lot_id": kind.lot_id(held.message),
        "owner": kind.owner(held.message),
        "body": held.message.SerializeToString(deterministic=True),
        "create_ms": held.create_ms,
        "update_ms": held.update_ms,
        "first_effective_ms": held.first_effective_ms,
        "last_effective_ms": held.last_effective_ms,
    }
