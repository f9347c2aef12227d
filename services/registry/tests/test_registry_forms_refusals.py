"""Every rule of the forms, broken: what is said about it, where, and what is never said."""

import base64
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from mesh.errors import FieldViolation
from mesh.testing import YEAR_2100_MS
from mesh.validation import violations
from parkmesh.registry.v1 import (
    berth_pb2,
    coordinate_pb2,
    device_pb2,
    gate_pb2,
    lot_pb2,
    operator_pb2,
    role_pb2,
    rule_pb2,
)
from registry import forms
from registry.forms.table import examine
from registry.forms.testing import HeldFacts
from registry.storage.kinds import ACCOUNT, BERTH, DEVICE, GATE, LOT, OPERATOR, RULE, VENDOR, Kind
from vocabulary.refusal import Rule as Wording


def at(second: int, nanos: int = 0) -> Timestamp:
    """An instant in 2100."""
    return Timestamp(seconds=YEAR_2100_MS // 1000 + second, nanos=nanos)


def pem(key: Any) -> str:
    """A public key in PEM."""
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE = ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
P256 = ec.derive_private_key(17, ec.SECP256R1()).public_key()
P256_DER = P256.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SM2_DER = P256_DER.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a811ccf5501822d"))  # GB/T 32918
SM2 = f"-----BEGIN PUBLIC KEY-----\n{base64.encodebytes(SM2_DER).decode()}-----END PUBLIC KEY-----\n"
WGS84 = coordinate_pb2.COORDINATE_SYSTEM_WGS84
PLACE = coordinate_pb2.Coordinate(latitude=25.431, longitude=119.012, system=WGS84)
NO_SYSTEM = coordinate_pb2.Coordinate(latitude=25.431, longitude=119.012)
NO_LATITUDE = coordinate_pb2.Coordinate(longitude=119.012, system=WGS84)
POLE = coordinate_pb2.Coordinate(latitude=89.9999, longitude=179.9999, system=WGS84)
ENTRY = gate_pb2.Lane(lane_id="in1", direction=gate_pb2.LANE_DIRECTION_ENTRY)
EXIT = gate_pb2.Lane(lane_id="out1", direction=gate_pb2.LANE_DIRECTION_EXIT)
SMALL = lot_pb2.BerthCount(berth_class=lot_pb2.BERTH_CLASS_SMALL, built=90, open=80)
LARGE = lot_pb2.BerthCount(berth_class=lot_pb2.BERTH_CLASS_LARGE, built=10, open=10)
MILLION = lot_pb2.BerthCount(berth_class=lot_pb2.BERTH_CLASS_OTHER, built=1_000_000, open=1_000_000)
DAILY = lot_pb2.OpeningPeriod(opens="08:00", closes="20:00")
SUNDAY_NIGHT = lot_pb2.OpeningPeriod(weekdays=[lot_pb2.WEEKDAY_SUNDAY], opens="22:00", closes="08:01")
UPS = lot_pb2.Declaration(type=lot_pb2.DECLARATION_TYPE_UPS, amount=90)
REPORT = lot_pb2.Evidence(title="检测报告", sha256=sha256(b"report").hexdigest())
NUMBERED_PLAN = lot_pb2.Declaration(type=lot_pb2.DECLARATION_TYPE_EMERGENCY_PLAN, amount=1)
PAINTED = berth_pb2.BerthAlias(type=berth_pb2.ALIAS_TYPE_PAINTED, text="漆面A-0017", start_time=at(0), end_time=at(9))
PAINTED_AGAIN = berth_pb2.BerthAlias(type=berth_pb2.ALIAS_TYPE_PAINTED, text="漆面A-0017", start_time=at(8))

VALID: dict[str, dict[str, Any]] = {
    OPERATOR.name: {
        "name": "城投泊车公司",
        "credit_code": "91350200MA2YJ1XR9G",
        "contacts": [operator_pb2.Contact(name="林值班员", phone="13959501234", email="zhiban@example.cn")],
        "complaint_phone": "0594-2688123",
    },
    LOT.name: {
        "lot_id": "lot_1",
        "registration_number": "PT-REG-00017",
        "name": "凤凰山南停车场",
        "type": lot_pb2.LOT_TYPE_PUBLIC,
        "division_code": "350304",
        "coordinate": PLACE,
        "open_berths": 90,
        "berths": [SMALL, LARGE],
        "operator_id": "op_1",
        "opening_hours": [DAILY],
        "service_phone": "0594-2688123",
        "complaint_phone": "12345",
        "declarations": [UPS],
    },
    GATE.name: {
        "lot_id": "lot_1",
        "gate_id": "north",
        "name": "凤凰街三号入口",
        "lanes": [ENTRY],
        "coordinate": PLACE,
    },
    DEVICE.name: {
        "lot_id": "lot_1",
        "device_id": "camera-7",
        "type": device_pb2.DEVICE_TYPE_CAMERA,
        "gate_id": "held-gate",
        "lane_id": "in1",
        "berth_ids": ["held-berth"],
        "public_key_pem": pem(ED25519.public_key()),
    },
    BERTH.name: {
        "lot_id": "lot_1",
        "berth_id": "A-0017",
        "police_code": "PT0000017",
        "berth_class": lot_pb2.BERTH_CLASS_SMALL,
        "aliases": [PAINTED],
        "coordinate": PLACE,
    },
    VENDOR.name: {
        "name": "道闸软件公司",
        "contacts": [operator_pb2.Contact(name="陈工程师", phone="400-800-1234")],
    },
    ACCOUNT.name: {
        "login": "lin.zhiban",
        "name": "林值班员",
        "person_number": "staff-0042",
        "role": role_pb2.ROLE_ANALYST,
    },
    RULE.name: {
        "name": rule_pb2.RULE_NAME_STATIC_CHANGE_REPORT_HOURS,
        "number": 48,
        "basis": "莆公规〔2024〕1号 第六条",
        "start_time": at(0),
    },
}
"""A message of each kind that breaks no rule."""

FILED: tuple[Kind[Any], ...] = (OPERATOR, LOT, GATE, DEVICE, BERTH, VENDOR, ACCOUNT, RULE)

FACTS = HeldFacts(
    operator_pb2.Operator(operator_id="op_1"),
    lot_pb2.Lot(lot_id="lot_1"),
    gate_pb2.Gate(lot_id="lot_1", gate_id="held-gate", lanes=[ENTRY]),
    gate_pb2.Gate(lot_id="lot_2", gate_id="foreign-gate", lanes=[ENTRY]),
    berth_pb2.Berth(lot_id="lot_1", berth_id="held-berth"),
    berth_pb2.Berth(lot_id="lot_2", berth_id="foreign-berth"),
    rule_pb2.Rule(
        rule_id="rule_1",
        name=rule_pb2.RULE_NAME_BERTH_CODE_PATTERN,
        text=r"^PT\d{7}$",
        basis="公安泊位编码规则 第三条",
        start_time=Timestamp(),
    ),
)


@dataclass(frozen=True)
class Case:
    """What breaks one rule of a kind, and nothing else."""

    rule: str
    kind: Kind[Any]
    field: str
    changes: dict[str, Any]

    def message(self) -> Message:
        """The broken message."""
        return made(self.kind, **self.changes)


def made(kind: Kind[Any], **changes: Any) -> Message:
    """A valid message of the kind with these changes."""
    message: Message = kind.message(**(VALID[kind.name] | changes))
    return message


def case(rule: str, kind: Kind[Any], field: str, **changes: Any) -> Case:
    return Case(rule, kind, f"{kind.name}.{field}", changes)


def contacts(**changes: Any) -> list[operator_pb2.Contact]:
    return [operator_pb2.Contact(name="陈工程师"), operator_pb2.Contact(name="林值班员", **changes)]


def declared(*evidence: lot_pb2.Evidence) -> list[lot_pb2.Declaration]:
    return [lot_pb2.Declaration(type=lot_pb2.DECLARATION_TYPE_UPS, amount=90, evidence=evidence)]


CASES = (
    case("credit_code.length", OPERATOR, "creditCode", credit_code="91350200MA2YJ1XR9"),
    case("credit_code.alphabet", OPERATOR, "creditCode", credit_code="91350200MA2YJ1XR9O"),
    case("credit_code.division", OPERATOR, "creditCode", credit_code="9135A200MA2YJ1XR9G"),
    case("credit_code.organisation", OPERATOR, "creditCode", credit_code="91350200MA2YJ2XR9G"),
    case("credit_code.check", OPERATOR, "creditCode", credit_code="91350200MA2YJ1XR9H"),
    case("phone.area_code", OPERATOR, "complaintPhone", complaint_phone="2688123"),
    case("phone.mobile", OPERATOR, "contacts[1].phone", contacts=contacts(phone="1395950123")),
    case("contact.email", OPERATOR, "contacts[1].email", contacts=contacts(email="zhiban.example.cn")),
    case("contact.email", OPERATOR, "contacts[1].email", contacts=contacts(email="zhi\0ban@example.cn")),
    case("phone.landline", VENDOR, "contacts[1].phone", contacts=contacts(phone="0594-26881234")),
    case("division.unknown", LOT, "divisionCode", division_code="990302"),
    case("division.unknown", LOT, "divisionCode", division_code="350399"),
    case("coordinate.system_required", LOT, "coordinate.system", coordinate=NO_SYSTEM),
    case("coordinate.incomplete", LOT, "coordinate", coordinate=NO_LATITUDE),
    case("coordinate.edge", LOT, "coordinate", coordinate=POLE),
    case("berths.class_unique", LOT, "berths[2].berthClass", berths=[SMALL, LARGE, SMALL], open_berths=170),
    case("lot.open_berths_sum", LOT, "openBerths", open_berths=91),
    case("lot.open_berths_most", LOT, "berths", berths=[SMALL, MILLION], open_berths=1_000_000),
    case(
        "opening_hours.close",
        LOT,
        "openingHours[0].closes",
        opening_hours=[lot_pb2.OpeningPeriod(opens="18:30", closes="00:00")],
    ),
    case("opening_hours.overlap", LOT, "openingHours[1]", opening_hours=[DAILY, SUNDAY_NIGHT]),
    case("phone.shape", LOT, "servicePhone", service_phone="请拨打总机"),
    case("phone.country", LOT, "complaintPhone", complaint_phone="+85223456789"),
    case("declaration.type_unique", LOT, "declarations[1].type", declarations=[UPS, UPS]),
    case("declaration.amount_unused", LOT, "declarations[0].amount", declarations=[NUMBERED_PLAN]),
    case(
        "evidence.reference_required",
        LOT,
        "declarations[0].evidence[1]",
        declarations=declared(REPORT, lot_pb2.Evidence(title="检测报告", reference=" ")),
    ),
    case(
        "evidence.empty_document",
        LOT,
        "declarations[0].evidence[0].sha256",
        declarations=declared(lot_pb2.Evidence(title="检测报告", sha256=sha256().hexdigest())),
    ),
    case("evidence.unique", LOT, "declarations[0].evidence[1].sha256", declarations=declared(REPORT, REPORT)),
    case("operator.unknown", LOT, "operatorId", operator_id="op_unknown"),
    case(
        "lot.structure_on_street",
        LOT,
        "structure",
        type=lot_pb2.LOT_TYPE_ON_STREET,
        structure=lot_pb2.LOT_STRUCTURE_UNDERGROUND,
    ),
    case("lot.in_scope_free", LOT, "inScope", charging_method=lot_pb2.CHARGING_METHOD_FREE, in_scope=True),
    case("gate_name.direction", GATE, "name", name="凤凰街三号大门"),
    case("gate_name.ordinal_missing", GATE, "name", name="凤凰街入口"),
    case("gate_name.ordinal", GATE, "name", name="凤凰街3号入口"),
    case("gate_name.road", GATE, "name", name="三号入口"),
    case("gate.name_direction", GATE, "name", lanes=[EXIT]),
    case("gate.name_direction", GATE, "name", name="凤凰街三号出口"),
    case("gate.name_direction", GATE, "name", name="凤凰街三号出入口"),
    case("lane.unique", GATE, "lanes[2].laneId", lanes=[ENTRY, EXIT, ENTRY]),
    case("coordinate.system_required", GATE, "coordinate.system", coordinate=NO_SYSTEM),
    case("gate.of_other_lot", DEVICE, "gateId", gate_id="foreign-gate"),
    case("lane.needs_gate", DEVICE, "laneId", gate_id=""),
    case("lane.of_other_gate", DEVICE, "laneId", lane_id="out1"),
    case("berth.of_other_lot", DEVICE, "berthIds[1]", berth_ids=["held-berth", "foreign-berth"]),
    case("public_key.form", DEVICE, "publicKeyPem", public_key_pem="not a key"),
    case("public_key.form", DEVICE, "publicKeyPem", public_key_pem=PRIVATE),
    case("public_key.form", DEVICE, "publicKeyPem", public_key_pem=pem(ED25519.public_key()) + PRIVATE),
    case(
        "public_key.form",
        DEVICE,
        "publicKeyPem",
        public_key_pem="-----BEGIN PUBLIC KEY-----\nMCowBQ==\n-----END PUBLIC KEY-----\n",
    ),
    case(
        "public_key.kind",
        DEVICE,
        "publicKeyPem",
        public_key_pem=pem(ec.derive_private_key(17, ec.SECP384R1()).public_key()),
    ),
    case(
        "public_key.kind",
        DEVICE,
        "publicKeyPem",
        public_key_pem=pem(ed448.Ed448PrivateKey.from_private_bytes(bytes(57)).public_key()),
    ),
    case("public_key.kind", DEVICE, "publicKeyPem", public_key_pem=SM2),
    case(
        "public_key.size",
        DEVICE,
        "publicKeyPem",
        public_key_pem=pem(rsa.RSAPublicNumbers(65537, (1 << 2046) + 1).public_key()),
    ),
    case("berth.police_code", BERTH, "policeCode", police_code="PT00000171"),
    case("alias.unique", BERTH, "aliases[1].text", aliases=[PAINTED, PAINTED_AGAIN]),
    case(
        "time.end_after_start",
        BERTH,
        "aliases[0].endTime",
        aliases=[
            berth_pb2.BerthAlias(
                type=berth_pb2.ALIAS_TYPE_VENDOR, text="厂商编号甲乙丙", start_time=at(1), end_time=at(1)
            )
        ],
    ),
    case(
        "time.milliseconds",
        BERTH,
        "aliases[0].startTime",
        aliases=[
            berth_pb2.BerthAlias(type=berth_pb2.ALIAS_TYPE_VENDOR, text="厂商编号甲乙丙", start_time=at(1, 1_000))
        ],
    ),
    case("coordinate.system_required", BERTH, "coordinate.system", coordinate=NO_SYSTEM),
    case("account.login_marks", ACCOUNT, "login", login="lin..zhiban"),
    case("account.login_marks", ACCOUNT, "login", login="lin.zhiban-"),
    case("account.operator_required", ACCOUNT, "operatorId", role=role_pb2.ROLE_OPERATOR),
    case("account.operator_unused", ACCOUNT, "operatorId", operator_id="op_1"),
    case("operator.unknown", ACCOUNT, "operatorId", role=role_pb2.ROLE_OPERATOR, operator_id="op_unknown"),
    case("account.department_required", ACCOUNT, "department", role=role_pb2.ROLE_SUPERVISOR),
    case("account.department_required", ACCOUNT, "department", role=role_pb2.ROLE_DEPARTMENT),
    case("account.department_unused", ACCOUNT, "department", department="city-management"),
    case("account.lots_required", ACCOUNT, "lotIds", role=role_pb2.ROLE_COLLECTOR),
    case("account.lots_unused", ACCOUNT, "lotIds", lot_ids=["lot_1"]),
    case("lot.unknown", ACCOUNT, "lotIds[1]", role=role_pb2.ROLE_COLLECTOR, lot_ids=["lot_1", "lot_unknown"]),
    case("rule.number_required", RULE, "number", number=0),
    case("rule.text_unused", RULE, "text", text="四十八小时之内"),
    case(
        "rule.number_unused", RULE, "number", name=rule_pb2.RULE_NAME_BERTH_CODE_PATTERN, number=48, text=r"^PT\d{7}$"
    ),
    case("rule.text_required", RULE, "text", name=rule_pb2.RULE_NAME_BERTH_CODE_PATTERN, number=0),
    case("code_rule.syntax", RULE, "text", name=rule_pb2.RULE_NAME_BERTH_CODE_PATTERN, number=0, text="^PT.{7,17}$"),
    case("time.milliseconds", RULE, "startTime", start_time=at(0, 1)),
    case("time.milliseconds", RULE, "endTime", end_time=at(9, 999_999_999)),
    case("time.end_after_start", RULE, "endTime", end_time=at(-1)),
)


async def said(kind: Kind[Any], message: Message) -> list[FieldViolation]:
    return await examine(kind, message, FACTS, kind.name)


@pytest.mark.parametrize("kind", FILED, ids=lambda kind: kind.name)
async def test_what_is_right_breaks_nothing(kind: Kind[Any]) -> None:
    message = made(kind)
    assert violations(message) == []
    assert await said(kind, message) == []
    assert violations(message) == []


@pytest.mark.parametrize("broken", CASES, ids=lambda broken: f"{broken.kind.name}-{broken.rule}")
async def test_a_broken_rule_is_told_alone_at_its_field_without_what_was_sent(broken: Case) -> None:
    message = broken.message()
    assert violations(message) == [], "the proto's own rules let it through"
    sent = set(texts(message))
    [violation] = await said(broken.kind, message)
    assert (violation.rule, violation.field) == (broken.rule, broken.field)
    assert resolves(broken.kind, violation.field)
    assert is_bilingual(violation)
    for text in (violation.description, violation.chinese, violation.rule):
        assert not any(value in text for value in sent)


def test_every_rule_of_the_forms_is_broken_above() -> None:
    ruled: set[str] = set()
    for module in pkgutil.iter_modules(forms.__path__, "registry.forms."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Wording) and value.__module__ == module.name:
                ids = [rule.id for rule in value]
                assert ruled.isdisjoint(ids)
                ruled.update(ids)
    assert len(ruled) > 20
    assert ruled <= {broken.rule for broken in CASES}


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        (OPERATOR, "credit_code.check phone.area_code contact.email"),
        (
            LOT,
            "division.unknown coordinate.system_required berths.class_unique opening_hours.overlap phone.shape"
            " phone.country evidence.unique operator.unknown lot.structure_on_street lot.in_scope_free",
        ),
        (GATE, "gate_name.ordinal lane.unique coordinate.system_required"),
        (DEVICE, "gate.of_other_lot berth.of_other_lot public_key.form"),
        (DEVICE, "lane.of_other_gate berth.of_other_lot public_key.size"),
        (BERTH, "berth.police_code alias.unique coordinate.system_required"),
        (ACCOUNT, "account.login_marks account.operator_required account.department_unused account.lots_unused"),
        (RULE, "rule.text_unused rule.number_required time.milliseconds"),
    ],
)
async def test_all_that_is_wrong_is_told_at_once(kind: Kind[Any], rules: str) -> None:
    broken = [next(case for case in CASES if case.kind is kind and case.rule == rule) for rule in rules.split()]
    told = await said(kind, made(kind, **{name: value for case in broken for name, value in case.changes.items()}))
    assert {(violation.rule, violation.field) for violation in told} == {(case.rule, case.field) for case in broken}
    assert len(told) == len(broken)


def texts(message: Message) -> Iterator[str]:
    """The texts of a message that are long enough to be known again."""
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if isinstance(item, Message):
                yield from texts(item)
            elif isinstance(item, str) and len(item) > 5:
                yield item


def resolves(kind: Kind[Any], path: str) -> bool:
    """Whether a path leads to a field by the names that JSON has, with a place only in a list."""
    here: Descriptor | None = kind.message.DESCRIPTOR
    for step in path.split(".")[1:]:
        name, _, place = step.partition("[")
        field = next((field for field in here.fields if field.json_name == name), None) if here else None
        if field is None or (place and not field.is_repeated):
            return False
        here = field.message_type
    return "." in path


def is_bilingual(violation: FieldViolation) -> bool:
    """Whether it has an English text and a Chinese one."""
    chinese = any("一" <= character <= "鿿" for character in violation.chinese)
    return chinese and any(character.isascii() and character.isalpha() for character in violation.description)
