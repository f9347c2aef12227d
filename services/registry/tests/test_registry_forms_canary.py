"""Messages that are wrong all over: no form says again what was sent, nor fails."""

from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1.rule_pb2 import RULE_NAME_BERTH_CODE_PATTERN, Rule
from registry.forms.table import examine
from registry.forms.testing import HeldFacts
from registry.storage.kinds import ACCOUNT, BERTH, DEVICE, GATE, LOT, OPERATOR, RULE, VENDOR, Kind

FACTS = HeldFacts(Rule(name=RULE_NAME_BERTH_CODE_PATTERN, text=r"^PT\d{7}$", basis="第三条", start_time=Timestamp()))
FILED: tuple[Kind[Any], ...] = (OPERATOR, LOT, GATE, DEVICE, BERTH, VENDOR, ACCOUNT, RULE)
CANARY = "canaryq-7f3d"


@pytest.mark.parametrize("kind", FILED, ids=lambda kind: kind.name)
async def test_nothing_that_is_sent_is_said_again(kind: Kind[Any]) -> None:
    told = []
    for choice in range(12):
        message = kind.message()
        fill(message, choice)
        told += await examine(kind, message, FACTS, kind.name)
    assert told
    for violation in told:
        assert CANARY not in "".join(violation).lower()


def fill(message: Message, choice: int) -> None:
    """Puts the canary into every text, two of each message, and another value of each enum for every choice."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
            getattr(message, field.name).CopyFrom(Timestamp(seconds=choice, nanos=17))
        elif field.message_type is not None and field.is_repeated:
            for _ in range(2):
                fill(getattr(message, field.name).add(), choice)
        elif field.message_type is not None:
            fill(getattr(message, field.name), choice)
        elif field.name in {"opens", "closes"}:
            setattr(message, field.name, "08:00")
        elif field.name == "public_key_pem":
            setattr(message, field.name, f"-----BEGIN PUBLIC KEY-----\n{CANARY}\n-----END PUBLIC KEY-----")
        elif field.enum_type is not None:
            numbers = [value.number for value in field.enum_type.values]
            number = numbers[choice % len(numbers)]
            if field.is_repeated:
                getattr(message, field.name).append(number or 1)
            else:
                setattr(message, field.name, number)
        elif field.cpp_type == field.CPPTYPE_STRING:
            if field.is_repeated:
                getattr(message, field.name).extend([CANARY, CANARY])
            else:
                setattr(message, field.name, CANARY)
        elif field.cpp_type == field.CPPTYPE_BOOL:
            setattr(message, field.name, True)
        else:
            setattr(message, field.name, choice)
