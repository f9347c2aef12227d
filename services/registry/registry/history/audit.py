"""The audit trail as its administrator reads it, and the proof that nobody altered it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from registry.history.agreement import first_stray
from registry.storage import seal
from registry.storage.reader import Reader, Rows
from registry.storage.store import Store, to_the_end
from registry.storage.tables import AUDIT, CHANGES, NUMBERING

_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class WantedActs:
    """Which entries; everything that is stated must hold."""

    from_ms: int | None = None
    before_ms: int | None = None
    subject: str = ""
    account_id: str = ""
    action: str = ""
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the whole chain says."""

    entries: int
    changes: int
    first_broken: int
    """The number of the first entry that does not hold; 0 when all do."""
    problem: str
    problem_zh: str
    head_hash: str
    """The hash of the last entry."""


class _Broken(Exception):  # noqa: N818 - it says what is the case
    def __init__(self, number: int, problem: str, problem_zh: str) -> None:
        super().__init__(problem)
        self.number = number
        self.problem = problem
        self.problem_zh = problem_zh


class Audit:
    """Read by the audit administrator alone."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @to_the_end
    async def list(self, wanted: WantedActs, after: int | None, limit: int) -> Rows:
        """The entries after a number (before it, the newest first), in their order."""
        chosen = sa.select(AUDIT)
        if wanted.from_ms is not None:
            chosen = chosen.where(AUDIT.c.at_ms >= wanted.from_ms)
        if wanted.before_ms is not None:
            chosen = chosen.where(AUDIT.c.at_ms < wanted.before_ms)
        for column in ("subject", "account_id", "action"):
            if value := getattr(wanted, column):
                chosen = chosen.where(AUDIT.c[column] == value)
        if after is not None:
            chosen = chosen.where(AUDIT.c.number < after if wanted.newest_first else AUDIT.c.number > after)
        order = AUDIT.c.number.desc() if wanted.newest_first else AUDIT.c.number
        async with self._store.reading() as facts:
            return await facts.rows(chosen.order_by(order).limit(limit))

    @to_the_end
    async def verify(self, known_number: int = 0, known_hash: str = "") -> Verdict:
        """Recomputes every entry's hash and every digest over changes, up to the entry that was the last when it began.

        With an entry's number and hash that were noted before, it is broken when that entry has another hash now: only
        thus does it show that somebody computed the whole chain anew.

        It reads in many short transactions, for nothing that they read is ever altered: others go on working meanwhile.
        """
        chain = _Chain(known_number, known_hash)
        try:
            async with self._store.reading() as facts:
                (end,) = await facts.rows(sa.select(NUMBERING))
            while chain.entries < end.audit_number:
                async with self._store.reading() as facts:
                    entries = await _entries(facts, chain.entries, end.audit_number)
                if not entries:
                    break
                for entry in entries:
                    chain.follow(entry)
                    chain.sealed(await self._digest(entry))
            chain.ended(end)
            async with self._store.reading() as facts:
                chain.nothing_beside(await _extent(facts))
            chain.objects_agree(await first_stray(self._store))
        except _Broken as error:
            return Verdict(
                chain.entries, chain.changes, error.number, error.problem, error.problem_zh, chain.head["hash"]
            )
        return Verdict(chain.entries, chain.changes, 0, "", "", chain.head["hash"])

    async def _digest(self, entry: Mapping[str, Any]) -> tuple[int, str]:
        """How many changes there are of those that the entry seals, and the digest over them."""
        digest = seal.Digest()
        count = 0
        for first in range(entry["first_revision"] or 1, entry["last_revision"] + 1, _AT_ONCE):
            last = min(first + _AT_ONCE - 1, entry["last_revision"])
            chosen = sa.select(CHANGES).where(CHANGES.c.revision.between(first, last)).order_by(CHANGES.c.revision)
            async with self._store.reading() as facts:
                changes = await facts.rows(chosen)
            count += len(changes)
            for change in changes:
                digest.add(change._asdict())
        return count, digest.text()


class _Chain:
    """The entries that held so far."""

    def __init__(self, known_number: int, known_hash: str) -> None:
        self.entries = 0
        self.changes = 0
        self.head: Mapping[str, Any] = {"hash": seal.FIRST_HASH, "changes_sha256": ""}
        self._known_number = known_number
        self._known_hash = known_hash

    def follow(self, entry: Mapping[str, Any]) -> None:
        """Takes the next entry in, but for the changes that it seals."""
        number = self.entries + 1
        if entry["number"] != number:
            raise _Broken(number, "it is missing", "该记录缺失")
        if number == self._known_number and self._known_hash not in ("", entry["hash"]):
            raise _Broken(number, "its hash is not the one that was noted", "哈希与所记录的不一致")
        if entry["previous_hash"] != self.head["hash"]:
            raise _Broken(number, "it does not follow the entry before", "与前一记录不相连")
        if seal.hash_of(entry) != entry["hash"]:
            raise _Broken(number, "it was altered", "该记录被改动")
        if entry["first_revision"] and entry["first_revision"] != self.changes + 1:
            raise _Broken(number, "changes before its own are sealed by no entry", "其之前存在未被任何记录封存的变更")
        self.entries, self.head = number, entry

    def sealed(self, found: tuple[int, str]) -> None:
        """Takes in the changes that the last entry seals: how many were found, and the digest over them."""
        count, digest = found
        if digest != self.head["changes_sha256"]:
            raise _Broken(self.entries, "changes that it sealed were altered", "其封存的变更被改动")
        self.changes += count

    def ended(self, end: Any) -> None:
        """Compares the end with where the register's numbering stood."""
        after = self.entries + 1
        if self._known_number > self.entries or (end.audit_number, end.audit_hash) != (self.entries, self.head["hash"]):
            raise _Broken(after, "entries at the end are missing", "末尾记录缺失")
        if end.revision != self.changes:
            raise _Broken(after, "changes at the end are sealed by no entry", "末尾存在未被封存的变更")

    def nothing_beside(self, extent: Any) -> None:
        """Refuses rows outside of what the register ever numbered."""
        after = self.entries + 1
        if extent.first_entry < 1 or extent.last_entry > extent.audit_number:
            raise _Broken(after, "there are entries that were never numbered", "存在从未编号的记录")
        if extent.first_change < 1 or extent.last_change > extent.revision:
            raise _Broken(after, "there are changes that were never numbered", "存在从未编号的变更")

    def objects_agree(self, stray: str | None) -> None:
        """Refuses an object that is kept otherwise than its changes, which the trail seals, add up to."""
        if stray is not None:
            problem = f"{stray} is not what its changes add up to"
            raise _Broken(self.entries + 1, problem, f"{stray} 与其变更记录不一致")


async def _entries(facts: Reader, after: int, last: int) -> list[Mapping[str, Any]]:
    chosen = sa.select(AUDIT).where(AUDIT.c.number > after, AUDIT.c.number <= last)
    return [row._asdict() for row in await facts.rows(chosen.order_by(AUDIT.c.number).limit(_AT_ONCE))]


async def _extent(facts: Reader) -> sa.Row[*tuple[Any, ...]]:
    """The numbering, and the numbers that there are: in one statement, for others may write meanwhile."""

    def first(column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(sa.select(sa.func.min(column)).scalar_subquery(), 1)

    def last(column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(sa.select(sa.func.max(column)).scalar_subquery(), 0)

    chosen = sa.select(
        NUMBERING.c.revision,
        NUMBERING.c.audit_number,
        first(AUDIT.c.number).label("first_entry"),
        last(AUDIT.c.number).label("last_entry"),
        first(CHANGES.c.revision).label("first_change"),
        last(CHANGES.c.revision).label("last_change"),
    )
    (extent,) = await facts.rows(chosen)
    return extent
