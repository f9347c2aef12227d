"""What the forms put into a message, what they flag, and what is lawful though it looks odd."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.timestamp_pb2 import Timestamp
from mesh.testing import YEAR_2100_MS
from parkmesh.registry.v1.account_pb2 import Account
from parkmesh.registry.v1.berth_pb2 import ALIAS_TYPE_PAINTED, ALIAS_TYPE_VENDOR, Berth, BerthAlias
from parkmesh.registry.v1.coordinate_pb2 import (
    COORDINATE_SYSTEM_BD09,
    COORDINATE_SYSTEM_CGCS2000,
    COORDINATE_SYSTEM_GCJ02,
    COORDINATE_SYSTEM_WGS84,
    Coordinate,
    LatitudeLongitude,
    Position,
)
from parkmesh.registry.v1.device_pb2 import Device
from parkmesh.registry.v1.gate_pb2 import (
    LANE_DIRECTION_BOTH,
    LANE_DIRECTION_ENTRY,
    LANE_DIRECTION_EXIT,
    Gate,
    Lane,
    LaneDirection,
)
from parkmesh.registry.v1.lot_pb2 import (
    BERTH_CLASS_LARGE,
    BERTH_CLASS_SMALL,
    CHARGING_METHOD_FREE,
    DECLARATION_TYPE_CAMERAS,
    DECLARATION_TYPE_EMERGENCY_PLAN,
    DECLARATION_TYPE_UPLINK,
    DECLARATION_TYPE_UPS,
    DECLARATION_TYPE_VIDEO_RETENTION,
    LOT_FLAG_DECLARATION_BELOW_RULE,
    LOT_FLAG_FAR_OUTSIDE_DIVISION,
    LOT_FLAG_MORE_OPEN_THAN_BUILT,
    LOT_FLAG_NO_OPERATOR,
    LOT_STRUCTURE_ON_STREET,
    LOT_TYPE_ON_STREET,
    LOT_TYPE_PUBLIC,
    WEEKDAY_MONDAY,
    WEEKDAY_SUNDAY,
    BerthCount,
    Declaration,
    Lot,
    OpeningPeriod,
    Weekday,
)
from parkmesh.registry.v1.operator_pb2 import Contact, Operator
from parkmesh.registry.v1.role_pb2 import (
    ROLE_AUDIT_ADMINISTRATOR,
    ROLE_COLLECTOR,
    ROLE_DEPARTMENT,
    ROLE_OPERATOR,
    ROLE_SUPERVISOR,
    Role,
)
from parkmesh.registry.v1.rule_pb2 import RULE_NAME_BERTH_CODE_PATTERN, RULE_NAME_UNSPECIFIED, Rule, RuleName
from parkmesh.registry.v1.vendor_pb2 import Vendor
from registry.forms import rule
from registry.forms.table import examine
from registry.forms.testing import HeldFacts
from registry.storage.kinds import ACCOUNT, BERTH, CREDENTIAL, DEVICE, GATE, GRANT, KINDS, LOT, OPERATOR, RULE, VENDOR

FACTS = HeldFacts(
    Operator(operator_id="op_1"),
    Lot(lot_id="lot_1"),
    Gate(lot_id="lot_1", gate_id="g1", lanes=[Lane(lane_id="in1")]),
    Gate(lot_id="lot_2", gate_id="g2", lanes=[Lane(lane_id="in1")]),
    Berth(lot_id="lot_1", berth_id="b1"),
)
HERE = Coordinate(latitude=25.431, longitude=119.012, system=COORDINATE_SYSTEM_WGS84)
SMALL = BerthCount(berth_class=BERTH_CLASS_SMALL, built=90, open=80)
LARGE = BerthCount(berth_class=BERTH_CLASS_LARGE, built=10, open=10)


def at(second: int) -> Timestamp:
    return Timestamp(seconds=YEAR_2100_MS // 1000 + second)


def lot(**facts: Any) -> Lot:
    stated: dict[str, Any] = {"type": LOT_TYPE_PUBLIC, "division_code": "350304", "operator_id": "op_1"}
    return Lot(**(stated | facts))


async def taken(value: Lot) -> Lot:
    """The lot as the form leaves it, which breaks no rule."""
    assert await examine(LOT, value, FACTS, "lot") == []
    return value


async def test_every_kind_that_people_file_has_a_form() -> None:
    for kind in KINDS:
        if kind in {CREDENTIAL, GRANT}:
            with pytest.raises(LookupError):
                await examine(kind, kind.message(), FACTS, kind.name)
        else:
            assert isinstance(await examine(kind, kind.message(), FACTS, kind.name), list)


async def test_phones_and_codes_become_canonical() -> None:
    operator = Operator(
        credit_code=" 91350200ma2yj1xr9g ", complaint_phone="(0594) 268-8123", contacts=[Contact(phone="139 5950 1234")]
    )
    assert await examine(OPERATOR, operator, FACTS, "operator") == []
    assert operator.credit_code == "91350200MA2YJ1XR9G"
    assert operator.complaint_phone == "+865942688123"
    assert operator.contacts[0].phone == "+8613959501234"
    again = Operator()
    again.CopyFrom(operator)
    assert await examine(OPERATOR, again, FACTS, "operator") == []
    assert again == operator

    vendor = Vendor(contacts=[Contact(phone="400-800-1234转5")])
    assert await examine(VENDOR, vendor, FACTS, "vendor") == []
    assert vendor.contacts[0].phone == "+864008001234;ext=5"

    stated = await taken(lot(service_phone="0594-2688123-6", complaint_phone="12345"))
    assert (stated.service_phone, stated.complaint_phone) == ("+865942688123;ext=6", "12345")


async def test_what_is_wrong_stays_as_it_was_sent_while_the_rest_is_normalised() -> None:
    operator = Operator(credit_code=" 91350200ma2yj1xr9h", complaint_phone="0594 2688123")
    assert len(await examine(OPERATOR, operator, FACTS, "operator")) == 1
    assert (operator.credit_code, operator.complaint_phone) == (" 91350200ma2yj1xr9h", "+865942688123")


async def test_pilot_codes_are_taken_and_flagged_and_nobody_else_sets_the_flag() -> None:
    pilot = Operator(credit_code="91350100m0001tgqxm")
    assert await examine(OPERATOR, pilot, FACTS, "operator") == []
    assert pilot.credit_code_legacy_pilot
    for code in ("91350200MA2YJ1XR9G", "wrong"):
        claimed = Operator(credit_code=code, credit_code_legacy_pilot=True)
        await examine(OPERATOR, claimed, FACTS, "operator")
        assert not claimed.credit_code_legacy_pilot


@pytest.mark.parametrize("kind", [LOT, GATE, BERTH], ids=lambda kind: kind.name)
async def test_a_position_is_computed_in_every_system_from_any(kind: Any) -> None:
    message = kind.message(coordinate=HERE)
    await examine(kind, message, FACTS, kind.name)
    first = Position()
    first.CopyFrom(message.position)
    assert first.wgs84 == LatitudeLongitude(latitude=25.431, longitude=119.012) == first.cgcs2000
    assert 0.002 < abs(first.gcj02.latitude - 25.431) + abs(first.gcj02.longitude - 119.012) < 0.02
    assert 0.006 < abs(first.bd09.longitude - first.gcj02.longitude) < 0.008
    for system, point in (
        (COORDINATE_SYSTEM_GCJ02, first.gcj02),
        (COORDINATE_SYSTEM_BD09, first.bd09),
        (COORDINATE_SYSTEM_CGCS2000, first.cgcs2000),
    ):
        again = kind.message(coordinate=Coordinate(latitude=point.latitude, longitude=point.longitude, system=system))
        await examine(kind, again, FACTS, kind.name)
        for name in ("wgs84", "gcj02", "bd09", "cgcs2000"):
            one, other = getattr(first, name), getattr(again.position, name)
            assert one.latitude == pytest.approx(other.latitude, abs=2e-6)
            assert one.longitude == pytest.approx(other.longitude, abs=2e-6)
            assert other.latitude == round(other.latitude, 7)


@pytest.mark.parametrize("kind", [LOT, GATE, BERTH], ids=lambda kind: kind.name)
async def test_nobody_sends_a_position(kind: Any) -> None:
    sent = Position(wgs84=LatitudeLongitude(latitude=1, longitude=2))
    for coordinate in (None, Coordinate(latitude=25.4, longitude=119.0), Coordinate(system=COORDINATE_SYSTEM_WGS84)):
        message = kind.message(position=sent, coordinate=coordinate)
        await examine(kind, message, FACTS, kind.name)
        assert not message.HasField("position")


async def test_open_berths_are_the_sum_of_the_classes() -> None:
    assert (await taken(lot(berths=[SMALL, LARGE]))).open_berths == 90
    assert (await taken(lot(berths=[SMALL, LARGE], open_berths=90))).open_berths == 90
    assert (await taken(lot(open_berths=17))).open_berths == 17
    assert (await taken(lot(berths=[BerthCount(berth_class=BERTH_CLASS_SMALL, built=5)]))).open_berths == 0


async def test_days_that_are_left_out_are_all_days() -> None:
    stated = await taken(lot(opening_hours=[OpeningPeriod(opens="07:00", closes="22:00")]))
    assert list(stated.opening_hours[0].weekdays) == list(range(1, 8))
    sunday = await taken(lot(opening_hours=[hours("07:00", "22:00", 7, 1)]))
    assert list(sunday.opening_hours[0].weekdays) == [WEEKDAY_SUNDAY, WEEKDAY_MONDAY]


def hours(opens: str, closes: str, *days: int) -> OpeningPeriod:
    return OpeningPeriod(opens=opens, closes=closes, weekdays=[Weekday.ValueType(day) for day in days])


@pytest.mark.parametrize(
    "periods",
    [
        [hours("00:00", "24:00")],
        [hours("22:00", "06:00")],
        [hours("08:00", "08:00")],
        [hours("06:00", "12:00"), hours("12:00", "24:00"), hours("00:00", "06:00")],
        [hours("22:00", "06:00", 7), hours("06:00", "22:00", 1)],
        [hours("22:00", "06:00", 7), hours("05:00", "22:00", 2)],
    ],
)
async def test_hours_may_cross_midnight_and_touch(periods: list[OpeningPeriod]) -> None:
    await taken(lot(opening_hours=periods))


@pytest.mark.parametrize(
    ("periods", "pairs"),
    [
        ([hours("08:00", "12:00"), hours("11:59", "13:00")], [(0, 1)]),
        ([hours("00:00", "01:00", 1), hours("23:00", "00:30", 7)], [(0, 1)]),
        ([hours("08:00", "12:00"), hours("13:00", "00:00"), hours("09:00", "10:00")], [(0, 2)]),
        ([hours("00:00", "24:00"), hours("01:00", "02:00"), hours("03:00", "04:00")], [(0, 1), (0, 2)]),
    ],
)
async def test_a_collision_names_both_periods(periods: list[OpeningPeriod], pairs: list[tuple[int, int]]) -> None:
    told = await examine(LOT, lot(opening_hours=periods), FACTS, "lot")
    overlaps = [violation for violation in told if violation.rule == "opening_hours.overlap"]
    assert [violation.field for violation in overlaps] == [f"lot.openingHours[{second}]" for _, second in pairs]
    for violation, (first, second) in zip(overlaps, pairs, strict=True):
        assert f"periods {first} and {second} " in violation.description
        assert f"第{first}与第{second}个时段" in violation.chinese


async def test_what_is_noticed_is_flagged_and_taken() -> None:
    assert list((await taken(lot(coordinate=HERE))).flags) == []
    claimed = await taken(lot(flags=[LOT_FLAG_NO_OPERATOR, LOT_FLAG_FAR_OUTSIDE_DIVISION]))
    assert list(claimed.flags) == []
    assert list((await taken(lot(operator_id=""))).flags) == [LOT_FLAG_NO_OPERATOR]
    more_open = [SMALL, BerthCount(berth_class=BERTH_CLASS_LARGE, built=4, open=5)]
    assert list((await taken(lot(berths=more_open))).flags) == [LOT_FLAG_MORE_OPEN_THAN_BUILT]


@pytest.mark.parametrize(
    ("division", "latitude", "longitude", "is_far"),
    [
        ("350304", 25.43, 119.01, False),
        ("350305", 25.43, 119.01, True),  # another district's
        ("350300", 25.43, 119.01, False),
        ("350300", 39.90, 116.40, True),
        ("350304", 54.32, 10.13, True),
        ("350102", 54.32, 10.13, False),  # of which no box is known
    ],
)
async def test_a_lot_far_outside_its_division(division: str, latitude: float, longitude: float, is_far: bool) -> None:
    place = Coordinate(latitude=latitude, longitude=longitude, system=COORDINATE_SYSTEM_WGS84)
    stated = await taken(lot(division_code=division, coordinate=place))
    assert list(stated.flags) == ([LOT_FLAG_FAR_OUTSIDE_DIVISION] if is_far else [])


@pytest.mark.parametrize(
    ("type_", "least"),
    [
        (DECLARATION_TYPE_UPS, 60),
        (DECLARATION_TYPE_UPLINK, 1000),
        (DECLARATION_TYPE_CAMERAS, 2000),
        (DECLARATION_TYPE_VIDEO_RETENTION, 30),
        (DECLARATION_TYPE_EMERGENCY_PLAN, 0),
    ],
)
async def test_a_declaration_below_the_annex(type_: Any, least: int) -> None:
    enough = await taken(lot(declarations=[Declaration(type=type_, amount=least)]))
    assert list(enough.flags) == []
    if least:
        for amount in (0, least - 1):
            less = await taken(lot(declarations=[Declaration(type=type_, amount=amount)]))
            assert list(less.flags) == [LOT_FLAG_DECLARATION_BELOW_RULE]


async def test_lawful_lots() -> None:
    await taken(lot(type=LOT_TYPE_ON_STREET, structure=LOT_STRUCTURE_ON_STREET))
    await taken(lot(type=LOT_TYPE_ON_STREET))
    await taken(lot(charging_method=CHARGING_METHOD_FREE))
    await taken(lot(charging_method=CHARGING_METHOD_FREE, in_scope=False))
    for code in ("350300", "350322", "110101", "820000"):
        await taken(lot(division_code=code))


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("凤凰街三号入口", [LANE_DIRECTION_ENTRY, LANE_DIRECTION_EXIT]),
        ("凤凰街三号入口", [LANE_DIRECTION_BOTH]),
        ("凤凰街三号出口", [LANE_DIRECTION_EXIT]),
        ("凤凰街三号出入口", [LANE_DIRECTION_BOTH]),
        ("凤凰街三号出入口", [LANE_DIRECTION_EXIT, LANE_DIRECTION_ENTRY]),
    ],
)
async def test_names_that_fit_their_lanes(name: str, ways: list[LaneDirection.ValueType]) -> None:
    lanes = [Lane(lane_id=f"l{at}", direction=way) for at, way in enumerate(ways)]
    assert await examine(GATE, Gate(name=name, lanes=lanes), FACTS, "gate") == []


async def test_a_gate_of_another_lot_and_one_that_is_nowhere_look_alike() -> None:
    foreign = await examine(DEVICE, Device(lot_id="lot_1", gate_id="g2"), FACTS, "device")
    nowhere = await examine(DEVICE, Device(lot_id="lot_1", gate_id="g9"), FACTS, "device")
    assert foreign == nowhere
    assert len(foreign) == 1
    with_lane = await examine(DEVICE, Device(lot_id="lot_1", gate_id="g2", lane_id="in1"), FACTS, "device")
    assert with_lane == foreign


@pytest.mark.parametrize(
    "key",
    [
        ec.derive_private_key(17, ec.SECP256R1()).public_key(),
        rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key(),
    ],
)
async def test_keys_that_pictures_may_be_signed_with(key: Any) -> None:
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    device = Device(lot_id="lot_1", gate_id="g1", berth_ids=["b1"], public_key_pem=f"\n{pem.replace(chr(10), chr(13))}")
    assert await examine(DEVICE, device, FACTS, "device") == []


def code_rule(start: int, end: int) -> Rule:
    return Rule(
        rule_id="rule_1",
        name=RULE_NAME_BERTH_CODE_PATTERN,
        text=r"^PT\d{7}$",
        basis="编码规则 第三条",
        start_time=at(start),
        end_time=at(end),
    )


async def test_the_police_code_is_held_against_the_rule_in_force_now() -> None:
    other = Berth(police_code="城厢-17")
    assert await examine(BERTH, other, HeldFacts(), "berth") == []
    assert await examine(BERTH, other, HeldFacts(code_rule(-2, 0)), "berth") == []
    assert await examine(BERTH, other, HeldFacts(code_rule(1, 2)), "berth") == []
    assert await examine(BERTH, Berth(), HeldFacts(code_rule(0, 1)), "berth") == []
    assert await examine(BERTH, Berth(police_code="PT0000017"), HeldFacts(code_rule(0, 1)), "berth") == []
    [violation] = await examine(BERTH, other, HeldFacts(code_rule(0, 1)), "berth")
    for text in (violation.description, violation.chinese):
        assert "编码规则 第三条" in text
        assert r"^PT\d{7}$" in text
    assert other.police_code == "城厢-17"


@pytest.mark.parametrize(
    ("one", "other", "twice"),
    [
        ((None, None), (None, None), True),
        ((0, 5), (4, None), True),
        ((0, 5), (5, None), False),
        ((None, 0), (0, None), False),
        ((3, None), (None, 4), True),
        ((0, 9), (3, 4), True),
    ],
)
async def test_one_alias_at_a_time(
    one: tuple[int | None, int | None], other: tuple[int | None, int | None], twice: bool
) -> None:
    def alias(times: tuple[int | None, int | None], **changes: Any) -> BerthAlias:
        start, end = (None if time is None else at(time) for time in times)
        stated: dict[str, Any] = {"type": ALIAS_TYPE_PAINTED, "text": "017", "start_time": start, "end_time": end}
        return BerthAlias(**(stated | changes))

    told = await examine(BERTH, Berth(aliases=[alias(one), alias(other)]), FACTS, "berth")
    assert [violation.rule for violation in told] == (["alias.unique"] if twice else [])
    for change in ({"text": "018"}, {"type": ALIAS_TYPE_VENDOR}):
        assert await examine(BERTH, Berth(aliases=[alias(one), alias(other, **change)]), FACTS, "berth") == []


async def test_rules_have_a_value_of_one_sort() -> None:
    assert set(RuleName.values()) == rule.NUMBERS | rule.PATTERNS | {RULE_NAME_UNSPECIFIED}
    assert rule.NUMBERS.isdisjoint(rule.PATTERNS)
    assert await examine(RULE, code_rule(0, 1), FACTS, "rule") == []
    endless = Rule(name=RULE_NAME_BERTH_CODE_PATTERN, text=r"^PT\d{7}$", start_time=at(0))
    assert await examine(RULE, endless, FACTS, "rule") == []


@pytest.mark.parametrize(
    ("role", "companions"),
    [
        (ROLE_OPERATOR, {"operator_id": "op_1"}),
        (ROLE_SUPERVISOR, {"department": "police"}),
        (ROLE_DEPARTMENT, {"department": "housing"}),
        (ROLE_COLLECTOR, {"lot_ids": ["lot_1"]}),
        (ROLE_AUDIT_ADMINISTRATOR, {}),
    ],
)
async def test_each_role_has_its_companions_and_no_others(role: Role.ValueType, companions: dict[str, Any]) -> None:
    assert await examine(ACCOUNT, Account(login="lin.z-2", role=role, **companions), FACTS, "account") == []
    everything: dict[str, Any] = {"operator_id": "op_1", "department": "police", "lot_ids": ["lot_1"]}
    told = await examine(ACCOUNT, Account(login="lin", role=role, **everything), FACTS, "account")
    assert len(told) == 3 - len(companions)
    assert all(violation.rule.endswith("_unused") for violation in told)
