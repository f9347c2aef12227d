"""What a directory knows of what the registry tells."""

from typing import Any

from directory import (
    FOREVER,
    AccountFacts,
    Change,
    CredentialFacts,
    GateFacts,
    GrantFacts,
    LotFacts,
    OperatorFacts,
    Position,
    RuleFacts,
    VendorFacts,
)
from directory.tables import Tables
from directory.testing import account, berth, credential, device, gate, grant, lot, operator, rule, vendor
from hypothesis import given
from hypothesis import strategies as st
from mesh.caller import CallerKind
from parkmesh.registry.v1 import (
    coordinate_pb2,
    directory_service_pb2,
    gate_pb2,
    lot_pb2,
    role_pb2,
    rule_pb2,
    vendor_pb2,
)

Said = directory_service_pb2.DirectoryChange
IN_SERVICE = gate_pb2.SERVICE_STATE_IN_SERVICE
ENTRY, EXIT = gate_pb2.LANE_DIRECTION_ENTRY, gate_pb2.LANE_DIRECTION_EXIT
SECRET, SIGNATURE = vendor_pb2.CREDENTIAL_METHOD_SECRET, vendor_pb2.CREDENTIAL_METHOD_SIGNATURE
HOURS = rule_pb2.RULE_NAME_STATIC_CHANGE_REPORT_HOURS
AT = coordinate_pb2.Coordinate(latitude=25.4, longitude=119, system=coordinate_pb2.COORDINATE_SYSTEM_GCJ02)

SAID = (
    Said(lot=lot("lot-1")),
    Said(lot=lot("lot-2", coordinate=AT, address="路", operator_id="operator-1", in_scope=False)),
    Said(gate=gate("lot-1", "g1", a=ENTRY, b=EXIT)),
    Said(gate=gate("lot-1", "g2", a=EXIT)),
    Said(device=device("lot-1", "d1")),
    Said(berth=berth("lot-1", "b1")),
    Said(berth=berth("lot-1", "b2")),
    Said(operator=operator("operator-1")),
    Said(vendor=vendor("vendor-1", requests_per_second=5)),
    Said(account=account("account-1", role_pb2.ROLE_COLLECTOR, "lot-1", "lot-2")),
    Said(account=account("account-2", role_pb2.ROLE_SUPERVISOR, active=False)),
    Said(credential=credential("client-1", "vendor-1", expire_ms=5_001)),
    Said(credential=credential("client-2", "vendor-1", revoked=True, method=SIGNATURE)),
    Said(credential=credential("client-3", "police", role=role_pb2.ROLE_SUPERVISOR, account_id="account-2")),
    Said(grant=grant("vendor-1", "lot-1", start_ms=1_002, end_ms=3_004)),
    Said(grant=grant("vendor-1", "lot-2")),
    Said(rule=rule("rule-1", HOURS, number=48, end_ms=9)),
)


def taken(*said: Said) -> Tables:
    facts = Tables()
    for change in said:
        facts.apply(change)
    return facts


@given(st.permutations(SAID))
def test_facts_may_come_in_any_order(said: list[Said]) -> None:
    facts = taken(*said)
    first, second = facts.lots["lot-1"], facts.lots["lot-2"]
    assert first == LotFacts(
        lot_id="lot-1",
        registration_number="R-lot-1",
        name="停车场 lot-1",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        address="",
        operator_id="",
        in_scope=True,
        management_area="",
        position=None,
        open_berths=100,
        state=lot_pb2.LOT_STATE_ACTIVE,
        gates=first.gates,
        lanes=first.lanes,
        devices=first.devices,
        berths=first.berths,
    )
    assert (first.gates, first.devices, first.berths) == ({"g1", "g2"}, {"d1"}, {"b1", "b2"})
    assert first.lanes == {("g1", "a"): ENTRY, ("g1", "b"): EXIT, ("g2", "a"): EXIT}
    assert (second.address, second.operator_id, second.in_scope) == ("路", "operator-1", False)
    assert second.position == Position((25.402808746178973, 118.99531183331818), (25.4, 119.0))
    assert not any((second.gates, second.lanes, second.devices, second.berths))
    assert facts.gates == {
        ("lot-1", "g1"): GateFacts("lot-1", "g1", "文献路一号出入口", IN_SERVICE, (("a", ENTRY), ("b", EXIT))),
        ("lot-1", "g2"): GateFacts("lot-1", "g2", "文献路一号出入口", IN_SERVICE, (("a", EXIT),)),
    }
    assert facts.operators == {"operator-1": OperatorFacts("operator-1", "operator-1")}
    assert facts.vendors == {"vendor-1": VendorFacts("vendor-1", "vendor-1", 5)}
    assert facts.accounts == {
        "account-1": AccountFacts("account-1", CallerKind.COLLECTOR, True, frozenset({"lot-1", "lot-2"})),
        "account-2": AccountFacts("account-2", CallerKind.SUPERVISOR, False, frozenset()),
    }
    assert facts.credentials == {
        "client-1": CredentialFacts("client-1", CallerKind.VENDOR, "vendor-1", "", SECRET, 5_001, False),
        "client-2": CredentialFacts("client-2", CallerKind.VENDOR, "vendor-1", "", SIGNATURE, FOREVER, True),
        "client-3": CredentialFacts("client-3", CallerKind.SUPERVISOR, "police", "account-2", SECRET, FOREVER, False),
    }
    assert facts.grants == {
        "vendor-1": {
            "lot-1": GrantFacts("vendor-1", "lot-1", 1_002, 3_004),
            "lot-2": GrantFacts("vendor-1", "lot-2", 0, FOREVER),
        }
    }
    assert facts.rules == {"rule-1": RuleFacts("rule-1", HOURS, 48, "", 0, 9)}


def test_a_change_says_what_was_and_what_is() -> None:
    facts = taken(SAID[0])
    was = facts.lots["lot-1"]
    assert facts.apply(SAID[0]) is None
    closed = facts.apply(Said(lot=lot("lot-1", state=lot_pb2.LOT_STATE_CLOSED)))
    assert closed is not None
    assert closed == Change(was, facts.lots["lot-1"])
    assert not facts.lots["lot-1"].active
    now = facts.lots["lot-1"]
    for stands in (gate("lot-1", "g1", a=ENTRY), gate("lot-9", "g1", a=ENTRY)):
        assert facts.apply(Said(gate=stands)) == Change(None, facts.gates[stands.lot_id, "g1"])
        assert facts.apply(Said(gate=stands)) is None
    assert facts.lots["lot-1"] is now
    assert (now.gates, now.lanes) == ({"g1"}, {("g1", "a"): ENTRY})
    assert facts.apply(Said(vendor=vendor("v"))) == Change(None, facts.vendors["v"])


def test_what_is_not_known_here_is_passed_over() -> None:
    facts = taken()
    newer: Any = 99
    for change in (
        Said(),
        Said(credential=credential("client-1", "x", role=newer)),
        Said(account=account("account-1", newer)),
    ):
        assert facts.apply(change) is None
    assert not facts.by_key()


def test_a_lot_that_changes_keeps_its_gates_and_a_gate_its_newest_lanes() -> None:
    facts = taken(*SAID[:4], SAID[5], Said(lot=lot("lot-1", open_berths=7)), Said(gate=gate("lot-1", "g1", c=ENTRY)))
    assert facts.lots["lot-1"].open_berths == 7
    assert facts.lots["lot-1"].lanes == {("g1", "c"): ENTRY, ("g2", "a"): EXIT}
    assert facts.lots["lot-1"].berths == {"b1"}


@given(st.sets(st.sampled_from(range(len(SAID)))), st.sets(st.sampled_from(range(len(SAID)))))
def test_differences_lead_from_one_state_to_the_other(before: set[int], after: set[int]) -> None:
    was, now = (taken(*(SAID[place] for place in sorted(places))) for places in (before, after))
    known = was.by_key()
    keys = {id(fact): key for facts in (was, now) for key, fact in facts.by_key().items()}
    for change in now.differences(was):
        if change.after is None:
            del known[keys[id(change.before)]]
        else:
            key = keys[id(change.after)]
            assert known.get(key) == change.before != change.after
            known[key] = change.after
    assert known == now.by_key()


def test_a_credential_is_good_until_it_ends() -> None:
    facts = taken(*SAID)
    assert facts.credentials["client-1"].good_at(5_000)
    assert not facts.credentials["client-1"].good_at(5_001)
    assert not facts.credentials["client-2"].good_at(0)
