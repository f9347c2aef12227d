"""Who may report for each lot: the directory's facts by lot, as changes come."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from directory import AccountFacts, Change, CredentialFacts, Fact, GrantFacts
from mesh.caller import CallerKind

Speaker = GrantFacts | CredentialFacts | AccountFacts
"""A vendor's grant, a device's credential (A1), or a collector's account (R6.3)."""


@dataclass(frozen=True, slots=True)
class Speakers:
    """Those who may report, by lot. `changed` is to be called for every change of the directory."""

    _by_lot: dict[str, dict[tuple[str, str], Speaker]] = field(default_factory=dict)

    def changed(self, change: Change) -> None:
        """Takes a change in."""
        for lot_id, key, _ in _speaking(change.before):
            self._by_lot.get(lot_id, {}).pop(key, None)
        for lot_id, key, speaker in _speaking(change.after):
            self._by_lot.setdefault(lot_id, {})[key] = speaker

    def vendors(self, lot_id: str, now_ms: int) -> int:
        """How many vendors hold a grant for the lot at that time."""
        return sum(isinstance(one, GrantFacts) and _may(one, now_ms) for one in self._of(lot_id))

    def anybody(self, lot_id: str, now_ms: int) -> bool:
        """Whether anybody may report for the lot at that time."""
        return any(_may(one, now_ms) for one in self._of(lot_id))

    def _of(self, lot_id: str) -> Iterable[Speaker]:
        return self._by_lot.get(lot_id, {}).values()


def _speaking(fact: Fact | None) -> list[tuple[str, tuple[str, str], Speaker]]:
    """The lots for which a fact lets somebody report, each with the fact's key."""
    match fact:
        case GrantFacts():
            return [(fact.lot_id, ("vendor", fact.vendor_id), fact)]
        case CredentialFacts(kind=CallerKind.DEVICE):
            return [(fact.subject, ("device", fact.client_id), fact)]
        case AccountFacts(kind=CallerKind.COLLECTOR):
            return [(lot_id, ("collector", fact.account_id), fact) for lot_id in fact.lots]
    return []


def _may(speaker: Speaker, now_ms: int) -> bool:
    match speaker:
        case GrantFacts():
            return speaker.start_ms <= now_ms < speaker.end_ms
        case CredentialFacts():
            return speaker.good_at(now_ms)
        case AccountFacts():
            return speaker.active
