"""Proves that the vendor's books and the platform's agree, and makes them agree where they do not.

    result = await reconcile(client, lot_id, "2100-01-31", books, Policy(winner=Winner.LOT, author="night audit"))
    assert result.equal, result.left

`books` is what the vendor implements over its own records: four methods, see `Books`; `MemoryBooks` for a few records.
"""

from parkmesh_sdk.reconciliation.books import Books, Held, MemoryBooks
from parkmesh_sdk.reconciliation.reconcile import DayBooks, Policy, compare_days, reconcile
from parkmesh_sdk.reconciliation.repair import Step, Winner
from parkmesh_sdk.reconciliation.result import Difference, Reconciliation

__all__ = [
    "Books",
    "DayBooks",
    "Difference",
    "Held",
    "MemoryBooks",
    "Policy",
    "Reconciliation",
    "Step",
    "Winner",
    "compare_days",
    "reconcile",
]
