"""Objects as they were: the answer to `as_of_time` and `known_time`."""

from dataclasses import dataclass
from typing import Any

from mesh.instants import time_of

from registry.forms import derived
from registry.storage import revisions
from registry.storage.kinds import M
from registry.storage.revisions import Revision


@dataclass(frozen=True, slots=True)
class Moment:
    """From where to look: as it was at one instant, by what had been reported until another; None: now, and all."""

    as_of_ms: int | None = None
    known_ms: int | None = None

    @property
    def is_now(self) -> bool:
        """Whether the object is asked for as it is."""
        return self.as_of_ms is None and self.known_ms is None

    def seen(self, history: list[Revision[M]]) -> M | None:
        """The object as it was, with the times of its row as they were, and without an etag; None: not there yet."""
        state = revisions.state_at(history, self.as_of_ms, self.known_ms)
        if state is None:
            return None
        counted = [revision.report_ms for revision in history if self._counts(revision)]
        dressed: Any = revisions.bare(derived.again(state))
        dressed.create_time.CopyFrom(time_of(min(counted)))
        dressed.update_time.CopyFrom(time_of(max(counted)))
        seen: M = dressed
        return seen

    def _counts(self, revision: Revision[M]) -> bool:
        return (self.as_of_ms is None or revision.effective_ms <= self.as_of_ms) and (
            self.known_ms is None or revision.report_ms <= self.known_ms
        )
