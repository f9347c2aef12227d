"""The first ring of validation: fields named as in JSON, values never."""

import pathlib
from typing import Any

import grpc
import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2 as details  # type: ignore[import-untyped]
from mesh.settings import BaseSettings
from mesh.testing import running
from mesh.validation import violations
from parkmesh.access.v1 import access_record_service_pb2

IMAGE = pathlib.Path(__file__).parents[3] / "protos" / "build" / "descriptors.binpb"
CANARY = "闽B12345ABCDE"
BY_ITEM = frozenset({"/meshtest.v1.EchoService/One", "/meshtest.v1.EchoService/Talk"})


async def respond(request: Any, context: Any) -> str:
    return f"{len(request.items)} items"


async def violated(echo: Any, method: str, request: Any, item_validated: frozenset[str] = frozenset()) -> list[str]:
    """The fields that the refusal names; it must quote nothing of the canary."""
    async with running(echo.bind(respond, item_validated), BaseSettings()) as service:
        refusal = await echo.refusal(service.channel(echo.vendor), method, request)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.detail(details.ErrorInfo).reason == "INVALID_FIELD"
    for part in (CANARY, "12345", "ABCDE"):
        assert part not in refusal.text
    found = refusal.detail(details.BadRequest).field_violations
    assert all(violation.reason and violation.description for violation in found)
    return [violation.field for violation in found]


@pytest.mark.parametrize("kind", ["One", "Many", "Collect", "Talk"])
async def test_every_kind_of_method_is_validated(kind: str, echo: Any) -> None:
    request = echo.request(text_value=CANARY * 9, items=[echo.item(), echo.item(plate_number=CANARY)])
    assert await violated(echo, kind, request) == ["textValue", "items[1].plateNumber"]


async def test_paths_are_those_of_the_json(echo: Any) -> None:
    bad = echo.item(plate_number=CANARY)
    request = echo.request(
        items=[echo.item(), echo.item(), echo.item(inner_item=bad)],
        labels=["a", CANARY],
        single_item=bad,
        by_name={CANARY: bad},
    )
    assert await violated(echo, "One", request) == [
        "items[2].innerItem.plateNumber",
        "byName[*].plateNumber",
        "labels[1]",
        "singleItem.plateNumber",
    ]


async def test_of_a_batch_only_the_envelope_is_validated(echo: Any) -> None:
    bad = echo.item(plate_number=CANARY)
    async with running(echo.bind(respond, BY_ITEM), BaseSettings()) as service:
        channel = service.channel(echo.vendor)
        for kind in ("One", "Talk"):
            assert await echo.call(channel, kind, echo.request(items=[bad] * 3)) == ["3 items"]
    # What is no list of items belongs to the envelope: by_name's values are messages too, and so items.
    for kind in ("One", "Talk"):
        request = echo.request(items=[bad] * 4, text_value=CANARY * 9, labels=[CANARY], single_item=bad)
        assert await violated(echo, kind, request, BY_ITEM) == [
            "items",
            "textValue",
            "labels[0]",
            "singleItem.plateNumber",
        ]


async def test_item_validated_methods_must_be_served_here(echo: Any) -> None:
    with pytest.raises(ValueError, match="not served here"):
        async with running(echo.bind(respond, frozenset({"/meshtest.v1.EchoService/Typo"})), BaseSettings()):
            pass


async def test_batches_of_the_contract_have_bounds(echo: Any) -> None:
    request = access_record_service_pb2.UploadRecordsRequest
    from mesh.errors import MeshError
    from mesh.validation import envelope_check

    check = envelope_check(request.DESCRIPTOR)
    record = request().records.add()
    check(request(records=[record] * 1000))
    for count in (0, 1001):
        with pytest.raises(MeshError) as caught:
            check(request(records=[record] * count))
        assert [violation.field for violation in caught.value.fields] == ["records"]


def test_items_are_validated_with_their_place(echo: Any) -> None:
    (violation,) = violations(echo.item(plate_number=CANARY), "records[3].")
    assert violation.field == "records[3].plateNumber"
    assert violation.rule == "string.max_len"


def test_no_rule_of_the_contract_can_quote_a_value() -> None:
    # protovalidate's own texts state the rule; only a CEL expression that gives a text could build one from the value.
    files = descriptor_pb2.FileDescriptorSet.FromString(IMAGE.read_bytes()).file
    pending = [message for file in files if file.package.startswith("parkmesh.") for message in file.message_type]
    while pending:
        message = pending.pop()
        pending += message.nested_type
        rules = list(message.options.Extensions[validate_pb2.message].cel)
        for field in message.field:
            rules += field.options.Extensions[validate_pb2.field].cel
        assert [rule.id for rule in rules if not rule.message] == []
