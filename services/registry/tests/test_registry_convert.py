from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parkmesh.registry.v1 import lot_pb2, registry_service_pb2, vendor_pb2, vendor_service_pb2
from registry import convert, history
from registry.domain import (
    Coordinate,
    CoordinateSystem,
    Credential,
    Fact,
    Gate,
    Grant,
    Lane,
    LaneDirection,
    Lot,
    LotState,
    LotType,
    Page,
    Role,
    Vendor,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
instants = st.integers(0, 253_402_300_799_999)
lots = st.builds(
    Lot,
    lot_id=st.just(""),
    registration_number=texts,
    name=texts,
    type=st.sampled_from(LotType),
    division_code=texts,
    address=texts,
    coordinate=st.none()
    | st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(CoordinateSystem)),
    open_berths=st.integers(0, 1_000_000),
    state=st.sampled_from(LotState),
    create_ms=st.just(0),
)
gates = st.builds(
    Gate,
    lot_id=texts,
    gate_id=texts,
    name=texts,
    lanes=st.lists(st.builds(Lane, texts, st.sampled_from(LaneDirection))).map(tuple),
)
vendors = st.builds(Vendor, st.just(""), texts, st.sampled_from(Role), st.integers(0, 100_000), st.just(0))
credentials = st.builds(Credential, texts, texts, instants, st.none() | instants, st.booleans())
grants = st.builds(Grant, texts, texts, instants, st.none() | instants)
facts: st.SearchStrategy[Fact] = st.one_of(lots, gates, vendors, credentials, grants)


@given(lots)
def test_a_lot_comes_back_as_it_went(lot: Lot) -> None:
    sent = convert.lot(lot)
    sent.ClearField("create_time")
    assert convert.lot_to_create(registry_service_pb2.CreateLotRequest(lot=sent)) == lot


@given(gates)
def test_a_gate_comes_back_as_it_went(gate: Gate) -> None:
    request = registry_service_pb2.CreateGateRequest(lot_id=gate.lot_id, gate=convert.gate(gate))
    assert convert.gate_to_create(request) == gate


@given(vendors)
def test_a_vendor_comes_back_as_it_went(vendor: Vendor) -> None:
    sent = convert.vendor(vendor)
    sent.ClearField("create_time")
    assert convert.vendor_to_create(vendor_service_pb2.CreateVendorRequest(vendor=sent)) == vendor


@given(grants)
def test_the_times_of_a_grant_come_back_as_they_went(grant: Grant) -> None:
    sent = convert.grant(grant)
    request = vendor_service_pb2.GrantLotRequest(start_time=sent.start_time)
    if sent.HasField("end_time"):
        request.end_time.CopyFrom(sent.end_time)
    assert convert.times_of_grant(request) == (grant.start_ms, grant.end_ms)


@given(facts)
def test_the_history_gives_a_fact_back_as_it_was(fact: Fact) -> None:
    kind, _ = history.identity(fact)
    assert history.read(kind, history.written(fact)) == fact


@given(facts)
def test_every_fact_can_be_told_to_a_watcher(fact: Fact) -> None:
    told = convert.page(Page("epoch", 7, True, False, (fact,)))
    assert [change.WhichOneof("fact") for change in told.changes] == [history.identity(fact)[0]]
    assert (told.epoch, told.revision, told.snapshot, told.synced) == ("epoch", 7, True, False)


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (lot_pb2.LotType, LotType),
        (lot_pb2.LotState, LotState),
        (lot_pb2.CoordinateSystem, CoordinateSystem),
        (lot_pb2.LaneDirection, LaneDirection),
        (vendor_pb2.Role, Role),
    ],
)
def test_every_value_of_the_proto_has_one_here_and_the_other_way_round(names: Any, values: Any) -> None:
    prefix = names.Name(0).removesuffix("UNSPECIFIED")
    assert {prefix + value for value in values} == set(names.keys()) - {names.Name(0)}


def test_what_the_platform_decides_when_it_is_left_out() -> None:
    lot = convert.lot_to_create(registry_service_pb2.CreateLotRequest(lot=lot_pb2.Lot(type=lot_pb2.LOT_TYPE_PUBLIC)))
    assert lot.state is LotState.PENDING
    assert lot.coordinate is None
    vendor = convert.vendor_to_create(vendor_service_pb2.CreateVendorRequest(vendor=vendor_pb2.Vendor(name="A")))
    assert vendor.role is Role.VENDOR
