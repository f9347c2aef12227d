"""Berths by class, and their sum."""

from collections.abc import Iterator
from typing import Final

from mesh.errors import FieldViolation
from parkmesh.registry.v1.lot_pb2 import Lot
from vocabulary import refusal

from registry.forms.violation import broken

MOST: Final = 1_000_000
"""How many open berths the proto lets a lot have."""


class BerthCountRule(refusal.Rule):
    """What can be wrong with the berths of a lot."""

    CLASS = (
        "berths.class_unique",
        "each berth class stands once; add the counts of one class up",
        "每种泊位类别只列一次，同类泊位数请合并",
    )
    SUM = (
        "lot.open_berths_sum",
        "must be the sum of `open` over `berths`, or be left out when classes are given",
        "须等于 berths 各类 open 之和；填写分类泊位数时可不填",
    )
    MOST = (
        "lot.open_berths_most",
        f"`open` over all berth classes adds up to {MOST:,} at most",
        f"各类 open 之和不得超过 {MOST:,}",
    )


def examine(lot: Lot, path: str) -> Iterator[FieldViolation]:
    """Each class once, and the open berths their sum, which is put in when it is left out (0)."""
    seen = set()
    for at, count in enumerate(lot.berths):
        if count.berth_class in seen:
            yield broken(f"{path}.berths[{at}].berthClass", BerthCountRule.CLASS)
        seen.add(count.berth_class)
    if not lot.berths:
        return
    total = sum(count.open for count in lot.berths)
    if total > MOST:
        yield broken(f"{path}.berths", BerthCountRule.MOST)
    elif lot.open_berths not in (0, total):
        yield broken(f"{path}.openBerths", BerthCountRule.SUM)
    else:
        lot.open_berths = total


def more_open_than_built(lot: Lot) -> bool:
    """Whether more berths of some class are open than built: real registers have it, so it is no refusal."""
    return any(count.open > count.built for count in lot.berths)
