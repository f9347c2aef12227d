"""Schemas of every shape of field: what they let pass is what the proto lets pass."""

from typing import Any

import jsonschema_rs
import protovalidate
import pytest
from edge.openapi.bindings import bindings
from edge.openapi.comments import Comments
from edge.openapi.schemas import Schemas, reachable
from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

GOOD: dict[str, Any] = {"name": "方块", "colour": "COLOUR_RED", "time": "2024-03-14T08:00:00+08:00", "tags": ["a"]}


@pytest.fixture(scope="module")
def shape(shapes: bytes) -> Descriptor:
    return descriptor_pool.Default().FindMessageTypeByName("shapes.v1.Shape")


@pytest.fixture(scope="module")
def draw(shapes: bytes) -> MethodDescriptor:
    return descriptor_pool.Default().FindServiceByName("shapes.v1.ShapeService").methods[0]


@pytest.fixture(scope="module")
def schemas(shapes: bytes, draw: MethodDescriptor) -> Schemas:
    made = Schemas(Comments(shapes), reachable([draw.input_type]))
    made.message(draw.input_type)
    return made


@pytest.fixture(scope="module")
def validator(schemas: Schemas) -> Any:
    document = {"$ref": "#/components/schemas/shapes.v1.Shape", "components": {"schemas": schemas.components}}
    return jsonschema_rs.Draft202012Validator(document, validate_formats=True)


@pytest.mark.parametrize(
    ("change", "passes"),
    [
        ({}, True),
        ({"name": ""}, False),
        ({"name": "abcde"}, False),
        ({"name": "一二三四"}, True),
        ({"tight": "a b"}, False),
        ({"tight": "a\u00a0b"}, True),
        ({"tight": "a\u0085b"}, False),
        ({"tight": "a\n"}, False),
        ({"colour": "COLOUR_UNSPECIFIED"}, False),
        ({"colour": "RED"}, False),
        ({"time": "2024-03-14T08:00:00"}, False),
        ({"time": "2024-03-14T00:00:00Z"}, True),
        ({"sides": 0}, False),
        ({"sides": 3}, True),
        ({"sides": 99}, True),
        ({"sides": 100}, False),
        ({"tags": []}, False),
        ({"tags": ["a", "a"]}, False),
        ({"tags": [""]}, False),
        ({"tags": ["a", "b", "c", "d"]}, False),
        ({"weights": {"a": 1.5, "b": 0}}, True),
        ({"weights": {"a": -1}}, False),
        ({"weights": {"long": 1}}, False),
        ({"weights": {"a": 1, "b": 1, "c": 1}}, False),
        ({"area": "9007199254740993"}, True),
        ({"area": "x"}, False),
        ({"mark": "AQID"}, True),
        ({"mark": "AQIDBA=="}, False),
        ({"code": ""}, True),
        ({"code": "12"}, True),
        ({"code": "1"}, False),
        ({"here": "a"}, True),
        ({"there": 0}, True),
        ({"here": "a", "there": 0}, False),
        ({"whole": True}, True),
        ({"whole": "yes"}, False),
        ({"life": "1.5s"}, True),
        ({"life": "1.5"}, False),
        ({"version": -1}, False),
        ({"inner": {}}, True),
    ],
)
def test_a_schema_lets_pass_what_the_proto_does(
    validator: Any, shape: Descriptor, change: dict[str, Any], passes: bool
) -> None:
    value = GOOD | change
    try:
        message = json_format.ParseDict(value, GetMessageClass(shape)())
        taken = not protovalidate.Validator().collect_violations(message)
    except json_format.ParseError:
        taken = False
    assert taken is passes
    assert validator.is_valid(value) is passes


@pytest.mark.parametrize("field", sorted(GOOD))
def test_what_breaks_a_rule_when_left_out_is_required(validator: Any, field: str) -> None:
    assert not validator.is_valid({name: value for name, value in GOOD.items() if name != field})


def test_the_words_of_the_proto_are_there(schemas: Schemas) -> None:
    made = schemas.components["shapes.v1.Shape"]
    fields = made["properties"]
    assert made["description"] == "A shape. 图形"
    assert fields["name"]["examples"] == ["方块"]
    assert fields["area"]["description"].endswith("≥ `0`")
    assert fields["even"]["description"].endswith("Must be even 须为偶数")
    assert [name for name, field in fields.items() if field.get("readOnly")] == ["shapeId", "version"]
    assert fields["colour"]["enum"] == ["COLOUR_RED", "COLOUR_BLUE"]
    assert fields["sides"] | {"description": ""} == {
        "type": "integer",
        "format": "int32",
        "minimum": 3,
        "exclusiveMaximum": 100,
        "description": "",
    }
    assert schemas.components["shapes.v1.Colour"]["x-enum-descriptions"]["COLOUR_BLUE"] == "Blue. 蓝"


def test_a_part_of_a_message_requires_nothing(schemas: Schemas) -> None:
    changes = schemas.components["shapes.v1.DrawRequest"]["properties"]["changes"]
    assert changes["$ref"].endswith("shapes.v1.Shape.Changes")
    assert "required" not in schemas.components["shapes.v1.Shape.Changes"]


def test_fields_stand_where_the_transcoder_looks_for_them(draw: MethodDescriptor) -> None:
    post, put, get = bindings(draw)
    assert (post.verb, post.path) == ("post", "/v1/boards/{boardId}/shapes/{shapeId}:draw")
    assert [parameter.name for parameter in post.path_parameters] == ["boardId", "shapeId"]
    assert post.body is not None
    assert (post.body.name, post.body_without) == ("Shape", frozenset({"shape_id"}))
    queried = [parameter.name for parameter in post.query_parameters]
    assert queried[:2] == ["pageSize", "colours"]
    assert queried[-1] == "updateMask"
    assert {"changes.name", "changes.time", "changes.sides", "changes.life"} <= set(queried)
    assert not {"changes.weights", "changes.inner", "shape.name"} & set(queried)
    assert (put.query_parameters, put.body, put.body_without) == ((), draw.input_type, frozenset())
    assert get.body is None
    assert "shape.name" in [parameter.name for parameter in get.query_parameters]


def test_a_comment_is_parted_into_its_languages(shapes: bytes) -> None:
    comment = Comments(shapes).of("shapes.v1.ShapeService.Draw")
    assert comment.english == "Draws a shape, e.g. twice: `a`; or more. Then rests."
    assert comment.chinese == "绘制图形"
    assert comment.summary == "Draws a shape, e.g. twice 绘制图形"
    assert Comments(shapes).of("shapes.v1.Nothing").text == ""
