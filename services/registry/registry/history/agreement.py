"""Whether the objects as they are kept are what their changes add up to."""

from typing import Any, Final

import sqlalchemy as sa

from registry.forms import derived
from registry.storage import revisions
from registry.storage.among import among
from registry.storage.kinds import KINDS, Kind
from registry.storage.reader import Reader
from registry.storage.store import Store
from registry.storage.tables import CHANGES, FACTS

_AT_ONCE: Final = 500


async def first_stray(store: Store) -> str | None:
    """The public name of the first object that differs from its changes, or that they know and nobody kept; None: all
    agree. Others may write meanwhile: each batch is compared in one transaction.
    """
    for kind in KINDS:
        after = ""
        while True:
            async with store.reading() as facts:
                keys = await _keys(facts, kind, after)
                stray = await _first_stray(facts, kind, keys)
            if stray is not None:
                return kind.title(stray)
            if len(keys) < _AT_ONCE:
                break
            after = keys[-1]
    return None


async def _keys(facts: Reader, kind: Kind[Any], after: str) -> list[str]:
    """The keys that follow, of everything that is kept and everything that the changes know."""
    found: set[str] = set()
    for table in (FACTS, CHANGES):
        chosen = sa.select(table.c.key).distinct().where(table.c.kind == kind.name, table.c.key > after)
        found |= {row.key for row in await facts.rows(chosen.order_by(table.c.key).limit(_AT_ONCE))}
    return sorted(found)[:_AT_ONCE]


async def _first_stray(facts: Reader, kind: Kind[Any], keys: list[str]) -> str | None:
    chosen = sa.select(FACTS.c.key, FACTS.c.revision, FACTS.c.body)
    rows = await facts.rows(chosen.where(FACTS.c.kind == kind.name, among(FACTS.c.key, keys)))
    kept = {row.key: (row.revision, row.body) for row in rows}
    histories = await facts.histories(kind, keys)
    return next((key for key in keys if not _agrees(kind, kept.get(key), histories.get(key, []))), None)


def _agrees(kind: Kind[Any], kept: tuple[int, bytes] | None, history: list[revisions.Revision[Any]]) -> bool:
    state = revisions.state_at(history, None, None)
    if kept is None or state is None or kept[0] != history[-1].number:
        return False
    bodies = (revisions.bare(each).SerializeToString(deterministic=True) for each in (state, derived.again(state)))
    return kept[1] in bodies
