"""The audit trail as its administrator reads it, and the proof that nobody altered it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from registry import seal
from registry.reader import Reader, Rows
from registry.store import Store, to_the_end
from registry.tables import AUDIT, CHANGES, NUMBERING

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
        """Recomputes every entry's hash and every digest over changes, in one transaction.

        With an entry's number and hash that were noted before, it is broken when that entry has another hash now: only
        thus does it show that somebody computed the whole chain anew.
        """
        entries = changes = 0
        head = seal.FIRST_HASH
        problem = problem_zh = ""
        broken = 0
        async with self._store.reading() as facts:
            sealed = await _sealed_from(facts)
            try:
                async for row in _all(facts):
                    entries += 1
                    _check_known(row, known_number, known_hash)
                    changes += await _check(facts, row, entries, head, sealed)
                    sealed = row["last_revision"] or sealed
                    head = row["hash"]
                await _check_end(facts, entries, head, sealed, known_number)
            except _Broken as error:
                broken, problem, problem_zh = error.number, error.problem, error.problem_zh
        return Verdict(entries, changes, broken, problem, problem_zh, head)


async def _all(facts: Reader) -> AsyncIterator[Mapping[str, Any]]:
    after = 0
    while True:
        rows = await facts.rows(sa.select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(_AT_ONCE))
        for row in rows:
            yield row._asdict()
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].number


async def _sealed_from(facts: Reader) -> int:
    """The last change of the time before there was a trail."""
    first = await facts.rows(sa.select(sa.func.min(AUDIT.c.first_revision)).where(AUDIT.c.first_revision > 0))
    start: int | None = first[0][0]
    if start is not None:
        return start - 1
    (reached,) = await facts.rows(sa.select(NUMBERING.c.revision))
    return int(reached.revision)


def _check_known(row: Mapping[str, Any], known_number: int, known_hash: str) -> None:
    if row["number"] == known_number and row["hash"] != known_hash:
        raise _Broken(known_number, "its hash is not the one that was noted", "哈希与所记录的不一致")


async def _check(facts: Reader, row: Mapping[str, Any], number: int, head: str, sealed: int) -> int:
    """How many changes the entry seals; raises when it does not hold."""
    if row["number"] != number:
        raise _Broken(number, "it is missing", "该记录缺失")
    if row["previous_hash"] != head:
        raise _Broken(number, "it does not follow the entry before", "与前一记录不相连")
    if seal.hash_of(row) != row["hash"]:
        raise _Broken(number, "it was altered", "该记录被改动")
    if not row["first_revision"]:
        return 0
    if row["first_revision"] != sealed + 1:
        raise _Broken(number, "changes before its own are sealed by no entry", "其之前存在未被任何记录封存的变更")
    changes = await facts.rows(
        sa.select(CHANGES)
        .where(CHANGES.c.revision.between(row["first_revision"], row["last_revision"]))
        .order_by(CHANGES.c.revision)
    )
    if seal.digest_of(change._asdict() for change in changes) != row["changes_sha256"]:
        raise _Broken(number, "changes that it sealed were altered", "其封存的变更被改动")
    return len(changes)


async def _check_end(facts: Reader, entries: int, head: str, sealed: int, known_number: int) -> None:
    (numbering,) = await facts.rows(sa.select(NUMBERING))
    if known_number > entries or (numbering.audit_number, numbering.audit_hash) != (entries, head):
        raise _Broken(entries + 1, "entries at the end are missing", "末尾记录缺失")
    if numbering.revision != sealed:
        raise _Broken(entries + 1, "changes at the end are sealed by no entry", "末尾存在未被封存的变更")
