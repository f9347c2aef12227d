"""Reads of the register within one transaction."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from mesh.instants import ms_of, time_of
from parkmesh.registry.v1.rule_pb2 import Rule, RuleName
from parkmesh.registry.v1.vendor_pb2 import Credential, Grant
from sqlalchemy.ext.asyncio import AsyncConnection

from registry.storage import revisions
from registry.storage.among import among
from registry.storage.kinds import CREDENTIAL, KINDS, RULE, Kind, M
from registry.storage.revisions import Revision
from registry.storage.tables import CHANGES, DEVICES_SEEN, FACTS, NAMES, NUMBERING

Rows = Sequence[sa.Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Held(Generic[M]):
    """An object as it is now."""

    message: M
    """Without what follows from the row: see `dressed`."""
    revision: int
    """Its last change."""
    create_ms: int
    update_ms: int
    first_effective_ms: int
    last_effective_ms: int

    @property
    def etag(self) -> str:
        """Names this state of the object."""
        return str(self.revision)

    def dressed(self) -> M:
        """The object as callers see it, with etag and times."""
        dressed = revisions.bare(self.message)
        given = {"etag": self.etag, "create_time": time_of(self.create_ms), "update_time": time_of(self.update_ms)}
        for field, value in given.items():
            if field in dressed.DESCRIPTOR.fields_by_name:
                if isinstance(value, Timestamp):
                    getattr(dressed, field).CopyFrom(value)
                else:
                    setattr(dressed, field, value)
        return dressed


@dataclass(frozen=True, slots=True)
class Page:
    """Some facts in their latest form, in the order of their numbers."""

    epoch: str
    revision: int
    """The revision reached when the facts are taken in."""
    snapshot: bool
    """Whether they are the first of all there are, for the revision asked for does not belong to this database."""
    complete: bool
    """Whether nothing is left after them."""
    facts: tuple[tuple[str, bytes], ...]
    """The name of each one's kind, and its message."""


class Reader:
    """Reads within one transaction. What is not there comes back as None or an empty list."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._rules: list[Rule] | None = None

    async def position(self) -> tuple[str, int]:
        """The epoch, and the number of the last change."""
        row = (await self._connection.execute(sa.select(NUMBERING.c.epoch, NUMBERING.c.revision))).one()
        return row.epoch, row.revision

    async def page(
        self, epoch: str, since: int, limit: int, kinds: Sequence[str] = (), *, fresh: bool = False, now_ms: int = 0
    ) -> Page:
        """At most so many of the facts of these kinds (none named: all) that changed after a revision.

        All facts when that is not one of this epoch. Who reads these, or goes on reading them (`fresh`), is not told of
        credentials that were over by now_ms: nobody who does not know them takes them for good.
        """
        # Read first: every change up to here is seen by the next statement, whatever is committed in between.
        own, reached = await self.position()
        snapshot = epoch != own or since > reached
        after = 0 if snapshot else since
        chosen = sa.select(FACTS.c.kind, FACTS.c.revision, FACTS.c.body).where(FACTS.c.revision > after)
        if kinds:
            # Said the other way round, no database sorts all facts of these kinds for every page.
            chosen = chosen.where(FACTS.c.kind.not_in([kind.name for kind in KINDS if kind.name not in kinds]))
        found = await self.rows(chosen.order_by(FACTS.c.revision).limit(limit))
        complete = len(found) < limit
        revision = max(reached if complete else 0, found[-1].revision if found else 0)
        facts = tuple(
            (row.kind, row.body)
            for row in found
            if not (snapshot or fresh)
            or row.kind != CREDENTIAL.name
            or not is_over(Credential.FromString(row.body), now_ms)
        )
        return Page(own, revision, snapshot, complete, facts)

    async def find(self, kind: Kind[M], key: str) -> Held[M] | None:
        """The object with what its row says."""
        found = await self.rows(sa.select(FACTS).where(FACTS.c.kind == kind.name, FACTS.c.key == key))
        return _held(kind, found[0]) if found else None

    async def held(self, kind: Kind[M], key: str) -> M | None:
        """The object."""
        found = await self.find(kind, key)
        return None if found is None else found.message

    async def named(self, kind: Kind[M], field: str, name: str) -> Held[M] | None:
        """The object that has this unique value."""
        chosen = sa.select(NAMES.c.key).where(NAMES.c.kind == kind.name, NAMES.c.field == field, NAMES.c.name == name)
        found = await self.rows(chosen)
        return await self.find(kind, found[0].key) if found else None

    async def many(
        self,
        kind: Kind[M],
        *,
        lot_id: str | None = None,
        owner: str | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> list[Held[M]]:
        """The objects whose key follows, in that order; of one lot or of one owner when that is named."""
        chosen = sa.select(FACTS).where(FACTS.c.kind == kind.name, FACTS.c.key > after)
        if lot_id is not None:
            chosen = chosen.where(FACTS.c.lot_id == lot_id)
        if owner is not None:
            chosen = chosen.where(FACTS.c.owner == owner)
        return [_held(kind, row) for row in await self.rows(chosen.order_by(FACTS.c.key).limit(limit))]

    async def some(self, kind: Kind[M], keys: Collection[str]) -> list[Held[M]]:
        """The objects with these keys, by key; those that are not there are left out."""
        chosen = sa.select(FACTS).where(FACTS.c.kind == kind.name, among(FACTS.c.key, keys))
        return [_held(kind, row) for row in await self.rows(chosen.order_by(FACTS.c.key))]

    async def of_lots(self, kind: Kind[M], lot_ids: Collection[str]) -> list[Held[M]]:
        """The objects of these lots, each lot's by key."""
        chosen = sa.select(FACTS).where(FACTS.c.kind == kind.name, among(FACTS.c.lot_id, lot_ids))
        return [_held(kind, row) for row in await self.rows(chosen.order_by(FACTS.c.key))]

    async def keys_named(self, kind: Kind[M], field: str, names: Collection[str]) -> dict[str, str]:
        """The keys of the objects that have these unique values, by value; those that nothing has are left out."""
        chosen = sa.select(NAMES.c.name, NAMES.c.key).where(
            NAMES.c.kind == kind.name, NAMES.c.field == field, among(NAMES.c.name, names)
        )
        return {row.name: row.key for row in await self.rows(chosen)}

    async def owners(self, kind: Kind[M], keys: Collection[str]) -> set[str]:
        """By whom the objects with these keys are listed."""
        chosen = sa.select(FACTS.c.owner).distinct().where(FACTS.c.kind == kind.name, among(FACTS.c.key, keys))
        return {row.owner for row in await self.rows(chosen)} - {""}

    async def added_by(self, kind: Kind[M], subject: str) -> list[str]:
        """The keys of the objects that this subject registered."""
        earlier = CHANGES.alias()
        is_first = ~sa.exists().where(
            earlier.c.kind == CHANGES.c.kind,
            earlier.c.key == CHANGES.c.key,
            earlier.c.revision < CHANGES.c.revision,
        )
        chosen = sa.select(CHANGES.c.key).where(CHANGES.c.kind == kind.name, CHANGES.c.subject == subject, is_first)
        return [row.key for row in await self.rows(chosen)]

    async def histories(self, kind: Kind[M], keys: Collection[str]) -> dict[str, list[Revision[M]]]:
        """All changes of the objects with these keys, in the order in which they were reported."""
        chosen = sa.select(CHANGES).where(CHANGES.c.kind == kind.name, among(CHANGES.c.key, keys))
        histories: dict[str, list[Revision[M]]] = {}
        for row in await self.rows(chosen.order_by(CHANGES.c.revision)):
            histories.setdefault(row.key, []).append(revision_of(kind, row._asdict()))
        return histories

    async def devices_seen(self, keys: Collection[str]) -> dict[str, int]:
        """When these devices last showed a sign of life, in epoch milliseconds; those that never did are left out."""
        chosen = sa.select(DEVICES_SEEN).where(among(DEVICES_SEEN.c.key, keys))
        return {row.key: row.seen_ms for row in await self.rows(chosen)}

    async def rule(self, name: RuleName.ValueType, at_ms: int) -> Rule | None:
        """The rule in force at that time: of several, the one that began last."""
        if self._rules is None:
            self._rules = [held.message for held in await self.many(RULE)]
        return in_force([rule for rule in self._rules if rule.name == name], at_ms)

    async def revisions(self, kind: Kind[M], key: str) -> list[Revision[M]]:
        """All changes of an object, in the order in which they were reported."""
        chosen = sa.select(CHANGES).where(CHANGES.c.kind == kind.name, CHANGES.c.key == key)
        return [revision_of(kind, row._asdict()) for row in await self.rows(chosen.order_by(CHANGES.c.revision))]

    async def rows(self, select: sa.Select[*tuple[Any, ...]]) -> Rows:
        """What a query of the tables finds."""
        return (await self._connection.execute(select)).all()


def revision_of(kind: Kind[M], row: Mapping[str, Any]) -> Revision[M]:
    """The change that a row of the history holds."""
    after = revisions.read(row["fact"], kind.message)
    return Revision(row["revision"], row["effective_ms"], row["report_ms"], tuple(json.loads(row["fields"])), after)


def in_force(rules: Sequence[Rule], at_ms: int) -> Rule | None:
    """Of rules that set one thing, the one in force at that time: of several, the one that began last."""
    holding = [rule for rule in rules if holds(rule, at_ms)]
    return max(holding, key=lambda rule: (ms_of(rule.start_time), rule.rule_id), default=None)


def holds(fact: Rule | Grant, at_ms: int) -> bool:
    """Whether a rule or grant holds at that time: from its start, included, to its end, excluded."""
    return ms_of(fact.start_time) <= at_ms and not (fact.HasField("end_time") and ms_of(fact.end_time) <= at_ms)


def is_over(credential: Credential, now_ms: int) -> bool:
    """Whether a credential can never be used again."""
    return credential.revoked or (credential.HasField("expire_time") and ms_of(credential.expire_time) <= now_ms)


def _held(kind: Kind[M], row: sa.Row[*tuple[Any, ...]]) -> Held[M]:
    return Held(
        kind.message.FromString(row.body),
        row.revision,
        row.create_ms,
        row.update_ms,
        row.first_effective_ms,
        row.last_effective_ms,
    )
