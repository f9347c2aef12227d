"""That a run which lost, doubled or refused a record is void."""

import pytest

from .figures import Figures
from .ledger import Entry, Void, check


class _Books:
    """A history that counts what it is told to."""

    def __init__(self, **counts: tuple[int, int, int]) -> None:
        self._counts = counts

    async def rows(self, sql: str, parameters: dict[str, str]) -> list[tuple[int, int, int]]:
        return [next(count for table, count in self._counts.items() if f"store.{table} " in sql)]


EVEN = {"records_current": (3, 3, 3), "record_revisions": (3, 3, 3)}


async def test_books_that_balance_pass() -> None:
    await check(_Books(**EVEN), Entry("run", sent=3, accepted=3, other=0))


@pytest.mark.parametrize(
    ("counts", "entry"),
    [
        (EVEN, Entry("run", sent=4, accepted=3, other=0)),
        (EVEN, Entry("run", sent=3, accepted=3, other=1)),
        ({**EVEN, "records_current": (2, 2, 2)}, Entry("run", sent=3, accepted=3, other=0)),
        ({**EVEN, "record_revisions": (4, 3, 3)}, Entry("run", sent=3, accepted=3, other=0)),
        ({**EVEN, "record_revisions": (3, 3, 2)}, Entry("run", sent=3, accepted=3, other=0)),
    ],
    ids=["unanswered", "warned", "lost", "doubled", "mixed up"],
)
async def test_books_that_do_not_balance_are_void(counts: dict[str, tuple[int, int, int]], entry: Entry) -> None:
    with pytest.raises(Void):
        await check(_Books(**counts), entry)


def test_a_ratio_is_the_median_of_the_repeats_ratios() -> None:
    figures = Figures()
    for value, ratio in ((10.0, 0.1), (30.0, 0.2), (20.0, 0.9)):
        figures.add("rate", "records/s", value, ratio)
    told = figures.document()["rate"]
    assert told == {"value": 20.0, "unit": "records/s", "spread": [10.0, 30.0], "ratio": 0.2, "repeats": 3}
