"""Who may report for a lot and who may see what is known of it, at a given time; a dict look-up or two each."""

from mesh.caller import Caller, CallerKind

from directory.facts import CredentialFacts
from directory.tables import Tables


def may_speak(tables: Tables, vendor_id: str, lot_id: str, now_ms: int) -> bool:
    """Whether the vendor holds a grant for the lot at that time; False when either is unknown."""
    grants = tables.grants.get(vendor_id)
    grant = grants.get(lot_id) if grants else None
    return grant is not None and grant.start_ms <= now_ms < grant.end_ms


def may_report(tables: Tables, caller: Caller, lot_id: str, now_ms: int) -> bool:
    """Whether the caller may report what happens in the lot: a vendor with a grant, the lot's own devices (A1), and a
    collector whom it is given to (R6.3).
    """
    match caller.kind:
        case CallerKind.VENDOR:
            return may_speak(tables, caller.subject, lot_id, now_ms)
        case CallerKind.DEVICE:
            return caller.subject == lot_id
        case CallerKind.COLLECTOR:
            account = tables.accounts.get(caller.account)
            return account is not None and account.active and lot_id in account.lots
    return False


def may_revise(tables: Tables, caller: Caller, lot_id: str, now_ms: int) -> bool:
    """Whether the caller may correct and void the lot's records: who may report, and the lot's operator, whose duty the
    report is (R5.2f, R5.2g).
    """
    return _runs(tables, caller, lot_id) or may_report(tables, caller, lot_id, now_ms)


def may_see(tables: Tables, caller: Caller, lot_id: str, now_ms: int) -> bool:
    """Whether the caller may see the lot's facts (R7.4): who may report, its operator, and for every known lot the
    supervisors and the system administrator. What of it holds plates, a service guards by itself.
    """
    match caller.kind:
        case CallerKind.OPERATOR:
            return _runs(tables, caller, lot_id)
        case CallerKind.SUPERVISOR | CallerKind.ADMINISTRATOR:
            return lot_id in tables.lots
    return may_report(tables, caller, lot_id, now_ms)


def good_credential(tables: Tables, client_id: str, now_ms: int) -> CredentialFacts | None:
    """The credential; None unless it holds at that time, and its account, when it has one, is in use."""
    credential = tables.credentials.get(client_id)
    if credential is None or not credential.good_at(now_ms):
        return None
    if credential.account:
        account = tables.accounts.get(credential.account)
        if account is None or not account.active:
            return None
    return credential


def _runs(tables: Tables, caller: Caller, lot_id: str) -> bool:
    lot = tables.lots.get(lot_id)
    return caller.kind is CallerKind.OPERATOR and lot is not None and lot.operator_id == caller.subject
