"""Who may report and who may see, for every kind of caller, and whose credential is good."""

import pytest
from directory import rights
from directory.tables import Tables
from directory.testing import account, credential, grant, lot
from mesh.caller import Caller, CallerKind
from parkmesh.registry.v1 import directory_service_pb2, role_pb2

Said = directory_service_pb2.DirectoryChange
NOW = 1_000
OWN, OTHER, UNKNOWN = "lot-own", "lot-other", "lot-unknown"
COLLECTOR, AWAY = "account-1", "account-2"


def known() -> Tables:
    tables = Tables()
    for change in (
        Said(lot=lot(OWN, operator_id="operator-1")),
        Said(lot=lot(OTHER)),
        Said(grant=grant("vendor-1", OWN, start_ms=NOW, end_ms=NOW + 1)),
        Said(account=account(COLLECTOR, role_pb2.ROLE_COLLECTOR, OWN)),
        Said(account=account(AWAY, role_pb2.ROLE_COLLECTOR, OWN, active=False)),
    ):
        tables.apply(change)
    return tables


@pytest.mark.parametrize(
    ("caller", "reports", "sees"),
    [
        (Caller(CallerKind.VENDOR, "vendor-1"), {OWN}, {OWN}),
        (Caller(CallerKind.VENDOR, "vendor-2"), set(), set()),
        (Caller(CallerKind.DEVICE, OWN), {OWN}, {OWN}),
        (Caller(CallerKind.COLLECTOR, COLLECTOR, "c", COLLECTOR), {OWN}, {OWN}),
        (Caller(CallerKind.COLLECTOR, AWAY, "c", AWAY), set(), set()),
        (Caller(CallerKind.COLLECTOR, "account-9", "c", "account-9"), set(), set()),
        (Caller(CallerKind.OPERATOR, "operator-1"), set(), {OWN}),
        (Caller(CallerKind.OPERATOR, "operator-2"), set(), set()),
        (Caller(CallerKind.SUPERVISOR, "police"), set(), {OWN, OTHER}),
        (Caller(CallerKind.ADMINISTRATOR, "platform"), set(), {OWN, OTHER}),
        *(
            (Caller(kind, subject), set(), set())
            for kind in (
                CallerKind.SERVICE,
                CallerKind.DEPARTMENT,
                CallerKind.ANALYST,
                CallerKind.SECURITY_ADMINISTRATOR,
                CallerKind.AUDIT_ADMINISTRATOR,
            )
            for subject in ("vendor-1", "operator-1", OWN)
        ),
    ],
    ids=lambda value: f"{value.kind.value}-{value.subject}" if isinstance(value, Caller) else "",
)
def test_who_may_do_what(caller: Caller, reports: set[str], sees: set[str]) -> None:
    tables = known()
    lots = (OWN, OTHER, UNKNOWN)
    assert {lot_id for lot_id in lots if rights.may_report(tables, caller, lot_id, NOW)} == reports
    assert {lot_id for lot_id in lots if rights.may_see(tables, caller, lot_id, NOW)} == sees


def test_a_grant_gives_its_rights_for_its_time() -> None:
    tables, caller = known(), Caller(CallerKind.VENDOR, "vendor-1")
    for may in (rights.may_report, rights.may_see):
        assert [may(tables, caller, OWN, at) for at in (NOW - 1, NOW, NOW + 1)] == [False, True, False]


def test_a_credential_is_good_while_it_and_its_account_are() -> None:
    tables = known()
    for made in (
        credential("software", "vendor-1", expire_ms=NOW + 1),
        credential("revoked", "vendor-1", revoked=True),
        credential("person", COLLECTOR, role=role_pb2.ROLE_COLLECTOR, account_id=COLLECTOR),
        credential("away", AWAY, role=role_pb2.ROLE_COLLECTOR, account_id=AWAY),
        credential("orphan", "account-9", role=role_pb2.ROLE_COLLECTOR, account_id="account-9"),
    ):
        tables.apply(Said(credential=made))

    def good(at: int) -> set[str]:
        return {client for client in (*tables.credentials, "x") if rights.good_credential(tables, client, at)}

    assert good(NOW) == {"software", "person"}
    assert good(NOW + 1) == {"person"}
    tables.apply(Said(account=account(COLLECTOR, role_pb2.ROLE_COLLECTOR, OWN, active=False)))
    assert good(NOW) == {"software"}
