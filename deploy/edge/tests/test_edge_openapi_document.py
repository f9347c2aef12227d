"""The document and its page, as they are made from the platform's own protos."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import protovalidate
import pytest
from edge.openapi import examples, reference
from edge.openapi.bindings import bindings
from edge.openapi.document import document
from edge.openapi.page import Page, prose
from edge.openapi.reasons import RETRY
from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from mesh import contract
from parkmesh.annotations.v1 import audience_pb2
from schemathesis.specs.openapi import definitions

VERBS = ("get", "put", "post", "delete", "patch")
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(reference.DESCRIPTORS.read_bytes())


@pytest.fixture(scope="module")
def html(made: dict[str, Any]) -> str:
    return Page(made).html()


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in made["paths"].items():
        for verb, operation in verbs.items():
            yield path, verb, operation


def everything(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(each)


def valid(made: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": {"schemas": made["components"]["schemas"]}}
    return [
        error.message for error in jsonschema_rs.Draft202012Validator(whole, validate_formats=True).iter_errors(value)
    ]


def test_it_is_openapi_3_1(made: dict[str, Any]) -> None:
    assert [error.message for error in definitions.OPENAPI_31_VALIDATOR.iter_errors(made)] == []
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    for name, schema in made["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(dialect | schema), name
        jsonschema_rs.Draft202012Validator(schema | {"components": {"schemas": made["components"]["schemas"]}})


def test_every_reference_leads_somewhere(made: dict[str, Any]) -> None:
    for each in everything(made):
        if isinstance(each.get("$ref"), str):
            at: Any = made
            for step in each["$ref"].removeprefix("#/").split("/"):
                at = at[step]
            assert at


def test_it_holds_every_rest_method_that_somebody_outside_may_call_and_nothing_else(made: dict[str, Any]) -> None:
    expected = set()
    for method in contract.methods():
        audiences = set(method.GetOptions().Extensions[audience_pb2.audience])
        rule = method.GetOptions().Extensions[annotations_pb2.http]
        for each in (rule, *rule.additional_bindings):
            for verb in VERBS:
                if getattr(each, verb) and audiences - {audience_pb2.AUDIENCE_SERVICE}:
                    plain = re.sub(r"\{[^}]*\}", "{}", getattr(each, verb))
                    expected.add((verb, plain, contract.path_of(method)))
    found = {
        (verb, re.sub(r"\{[^}]*\}", "{}", path), operation["x-parkmesh-grpc"])
        for path, verb, operation in operations(made)
    }
    assert found == expected
    assert len(found) == sum(1 for _ in operations(made)) > 20


def test_operations_have_names_of_their_own(made: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(made)]
    assert len(ids) == len(set(ids))
    for path, _, operation in operations(made):
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert named == set(re.findall(r"\{([^}]+)\}", path))


def test_who_may_call_is_who_the_proto_says(made: dict[str, Any]) -> None:
    for _, _, operation in operations(made):
        who = operation["x-parkmesh-audience"]
        assert who
        assert "service" not in who
        signs: list[Any] = [{"signature": []}] if {"vendor", "device"} & set(who) else []
        assert operation["security"] == ([] if "public" in who else [{"bearer": []}, *signs])
        assert ("401" in operation["responses"]) or "public" in who


def test_everything_is_told_in_english_and_chinese(made: dict[str, Any]) -> None:
    for path, verb, operation in operations(made):
        assert CHINESE.search(operation["summary"]), (verb, path)
        assert re.match("[A-Z]", operation["description"]), (verb, path)
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (verb, path, parameter["name"])
    for name, schema in made["components"]["schemas"].items():
        assert schema["description"], name
        for field, told in schema.get("properties", {}).items():
            assert told["description"], (name, field)
    for tag in made["tags"]:
        assert CHINESE.search(tag["description"])


def test_every_refusal_says_whether_a_retry_helps(made: dict[str, Any]) -> None:
    told = {
        each["reason"]: each
        for response in made["components"]["responses"].values()
        for each in response["x-parkmesh-reasons"]
    }
    assert {"RATE_LIMITED", "INVALID_FIELD", "UNAUTHENTICATED", "LOG_FULL"} <= set(told)
    for each in told.values():
        assert each["retryChinese"] == RETRY[each["retry"]]
    for response in made["components"]["responses"].values():
        for each in response["x-parkmesh-reasons"]:
            assert f"| `{each['reason']}` | {each['grpc']} | {each['retry']}" in response["description"]
    for path, verb, operation in operations(made):
        assert {"400", "429", "500", "503", "504"} <= set(operation["responses"]), (verb, path)
        assert "501" not in operation["responses"]
        assert ("413" in operation["responses"]) is ("requestBody" in operation)


def test_the_shortest_record_has_nine_fields() -> None:
    assert len(examples.RECORD) == 9


def test_examples_are_what_they_are_examples_of(made: dict[str, Any]) -> None:
    found = 0
    for path, verb, operation in operations(made):
        bodies = [operation.get("requestBody", {"content": {}}), operation["responses"]["200"]]
        for content in (content for body in bodies for content in body["content"].values()):
            for example in content.get("examples", {}).values():
                found += 1
                assert valid(made, content["schema"], example["value"]) == [], (verb, path)
    assert found == len(examples.REQUESTS) + len(examples.ANSWERS)
    for schema in everything(made):
        for example in schema["examples"] if isinstance(schema.get("examples"), list) else ():
            assert valid(made, schema, example) == [], schema


@pytest.mark.parametrize("name", sorted(examples.REQUESTS))
def test_example_requests_pass_the_rules_of_their_protos(name: str) -> None:
    method = contract.find(f"/{name.rpartition('.')[0]}/{name.rpartition('.')[2]}")
    assert method
    binding = bindings(method)[0]
    body = examples.REQUESTS[name]
    sent = {binding.body_field.json_name: body} if binding.body_field else body
    sent = {**{parameter.name: "x" for parameter in binding.path_parameters}, **sent}
    message = json_format.ParseDict(sent, GetMessageClass(method.input_type)())
    assert protovalidate.Validator().collect_violations(message) == []


def test_it_is_the_same_each_time(made: dict[str, Any]) -> None:
    assert reference.read() == reference.read()
    assert json.loads(reference.read().document) == made


def test_the_page_shows_everything_and_every_link_leads_somewhere(made: dict[str, Any], html: str) -> None:
    anchors = re.findall(r' id="([^"]+)"', html)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(anchors)
    assert {operation["operationId"] for _, _, operation in operations(made)} <= set(anchors)
    assert set(made["components"]["schemas"]) <= set(anchors)
    assert set(made["components"]["responses"]) <= set(anchors)
    for path, _, operation in operations(made):
        article = html.partition(f'<article id="{operation["operationId"]}">')[2].partition("</article>")[0]
        assert f"<code>{path}</code>" in article
        assert "curl -sS" in article
        for parameter in operation.get("parameters", ()):
            assert f"<code>{parameter['name']}</code>" in article


def test_the_page_stands_by_itself(html: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|object|form)\b|\son\w+=|\sstyle=|@import|url\(", html)
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert 'name="viewport"' in html


def test_words_of_a_comment_are_no_markup() -> None:
    assert prose("a <b> & `<c>` **d**") == "<p>a &lt;b&gt; &amp; <code>&lt;c&gt;</code> <strong>d</strong></p>"
    assert prose("车场") == '<p><span lang="zh-CN">车场</span></p>'
