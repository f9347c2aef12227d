from directory import FOREVER, Change, CredentialFacts, GrantFacts, LotFacts, VendorFacts
from directory.facts import Facts
from directory.testing import credential, gate, grant, lot, vendor
from hypothesis import given
from hypothesis import strategies as st
from parkmesh.registry.v1 import directory_service_pb2, lot_pb2, vendor_pb2

GCJ02 = lot_pb2.COORDINATE_SYSTEM_GCJ02
Said = directory_service_pb2.DirectoryChange
ENTRY, EXIT = lot_pb2.LANE_DIRECTION_ENTRY, lot_pb2.LANE_DIRECTION_EXIT

SAID = (
    Said(lot=lot("lot-1")),
    Said(lot=lot("lot-2", coordinate=lot_pb2.Coordinate(latitude=25.4, longitude=119, system=GCJ02), address="路")),
    Said(gate=gate("lot-1", "g1", a=ENTRY, b=EXIT)),
    Said(gate=gate("lot-1", "g2", a=EXIT)),
    Said(vendor=vendor("vendor-1", requests_per_second=5)),
    Said(credential=credential("client-1", "vendor-1", expire_ms=5_001)),
    Said(credential=credential("client-2", "vendor-1", revoked=True)),
    Said(grant=grant("vendor-1", "lot-1", start_ms=1_002, end_ms=3_004)),
    Said(grant=grant("vendor-1", "lot-2")),
)


def taken(*said: Said) -> Facts:
    facts = Facts()
    for change in said:
        facts.apply(change)
    return facts


@given(st.permutations(SAID))
def test_facts_may_come_in_any_order(said: list[Said]) -> None:
    facts = taken(*said)
    assert facts.lots == {
        "lot-1": LotFacts(
            lot_id="lot-1",
            registration_number="R-lot-1",
            name="停车场 lot-1",
            type=lot_pb2.LOT_TYPE_PUBLIC,
            division_code="350302",
            address="",
            position=None,
            open_berths=100,
            state=lot_pb2.LOT_STATE_ACTIVE,
            gates=frozenset({"g1", "g2"}),
            lanes={("g1", "a"): ENTRY, ("g1", "b"): EXIT, ("g2", "a"): EXIT},
        ),
        "lot-2": LotFacts(
            lot_id="lot-2",
            registration_number="R-lot-2",
            name="停车场 lot-2",
            type=lot_pb2.LOT_TYPE_PUBLIC,
            division_code="350302",
            address="路",
            position=(25.4, 119.0, GCJ02),
            open_berths=100,
            state=lot_pb2.LOT_STATE_ACTIVE,
            gates=frozenset(),
            lanes={},
        ),
    }
    assert facts.vendors == {"vendor-1": VendorFacts("vendor-1", "vendor-1", vendor_pb2.ROLE_VENDOR, 5)}
    assert facts.credentials == {
        "client-1": CredentialFacts("client-1", "vendor-1", 5_001, False),
        "client-2": CredentialFacts("client-2", "vendor-1", FOREVER, True),
    }
    assert facts.grants == {
        "vendor-1": {
            "lot-1": GrantFacts("vendor-1", "lot-1", 1_002, 3_004),
            "lot-2": GrantFacts("vendor-1", "lot-2", 0, FOREVER),
        }
    }


def test_a_change_says_what_was_and_what_is() -> None:
    facts = taken(SAID[0])
    was = facts.lots["lot-1"]
    assert facts.apply(SAID[0]) is None
    closed = facts.apply(Said(lot=lot("lot-1", state=lot_pb2.LOT_STATE_CLOSED)))
    assert closed is not None
    assert closed == Change(was, facts.lots["lot-1"])
    assert not facts.lots["lot-1"].active
    with_gate = facts.apply(SAID[2])
    assert with_gate == Change(closed.after, facts.lots["lot-1"])
    assert facts.apply(Said(gate=gate("lot-9", "g1", a=ENTRY))) is None
    assert facts.apply(Said(vendor=vendor("v"))) == Change(None, facts.vendors["v"])


def test_a_kind_of_fact_that_is_not_known_here_is_passed_over() -> None:
    assert taken().apply(Said()) is None


def test_a_lot_that_changes_keeps_its_gates_and_a_gate_its_newest_lanes() -> None:
    facts = taken(*SAID[:4], Said(lot=lot("lot-1", open_berths=7)), Said(gate=gate("lot-1", "g1", c=ENTRY)))
    assert facts.lots["lot-1"].open_berths == 7
    assert facts.lots["lot-1"].lanes == {("g1", "c"): ENTRY, ("g2", "a"): EXIT}


@given(st.sets(st.sampled_from(range(len(SAID)))), st.sets(st.sampled_from(range(len(SAID)))))
def test_differences_lead_from_one_state_to_the_other(before: set[int], after: set[int]) -> None:
    was, now = (taken(*(SAID[place] for place in sorted(places))) for places in (before, after))
    known = was._by_key()
    keys = {id(fact): key for facts in (was, now) for key, fact in facts._by_key().items()}
    for change in now.differences(was):
        if change.after is None:
            del known[keys[id(change.before)]]
        else:
            key = keys[id(change.after)]
            assert known.get(key) == change.before != change.after
            known[key] = change.after
    assert known == now._by_key()


def test_a_credential_is_good_until_it_ends() -> None:
    facts = taken(*SAID)
    assert facts.credentials["client-1"].good_at(5_000)
    assert not facts.credentials["client-1"].good_at(5_001)
    assert not facts.credentials["client-2"].good_at(0)
