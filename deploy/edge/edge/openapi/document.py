"""Puts the document together."""

import pathlib
from collections.abc import Sequence
from typing import Any

from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from mesh import contract
from mesh.caller import CallerKind
from parkmesh.annotations.v1 import audience_pb2

from edge.openapi import examples, reasons, refusals
from edge.openapi.bindings import HTTP_BODY, Binding, Parameter, bindings
from edge.openapi.comments import Comment, Comments
from edge.openapi.rules import Schema
from edge.openapi.schemas import Schemas, is_refused_at_zero, reachable, refused_zeros

Document = dict[str, Any]

BEARER = "bearer"
SIGNATURE = "signature"
JSON = "application/json"
_INTRODUCTION = pathlib.Path(__file__).with_name("introduction.md")


def document(image: bytes) -> Document:
    """The OpenAPI document, for a descriptor set with source information.

    It holds every method with a REST rule that somebody outside may call, once for each way to call it. ValueError for
    rules and patterns that it cannot tell, KeyError for a word of a reason's comment without its Chinese.
    """
    comments = Comments(image)
    every = [binding for method in served() for binding in bindings(method)]
    schemas = Schemas(comments, reachable([binding.method.input_type for binding in every]))
    paths: dict[str, Any] = {}
    for number, binding in _numbered(every):
        paths.setdefault(binding.path, {})[binding.verb] = _operation(binding, number, comments, schemas)
    status = refusals.status_schema(schemas)
    services = {binding.method.containing_service.full_name: binding.method.containing_service for binding in every}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parkmesh", "version": "v1", "description": _INTRODUCTION.read_text()},
        "servers": [{"url": "/"}],
        "tags": [_tag(service, comments) for service in services.values()],
        "paths": paths,
        "components": {
            "schemas": schemas.components | {refusals.STATUS: status},
            "responses": refusals.responses(reasons.reasons(comments)),
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token from `POST /v1/token`. 由 `POST /v1/token` 签发的令牌。",
                },
                SIGNATURE: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Parkmesh-Signature",
                    "description": "For software that can only sign: HMAC-SHA256 over the request, with four more"
                    " headers; see `docs/request-signing.md`. 请求签名，另需四个请求头，见 `docs/request-signing.md`。",
                },
            },
        },
    }


def _security(method: MethodDescriptor) -> list[dict[str, list[str]]]:
    """How a caller may prove who it is; software that reports may sign instead of holding a token."""
    if contract.is_public(method):
        return []
    signs = contract.kinds_of(method) & {CallerKind.VENDOR, CallerKind.DEVICE}
    return [{BEARER: []}, {SIGNATURE: []}] if signs else [{BEARER: []}]


def served() -> list[MethodDescriptor]:
    """The methods with a REST rule that somebody outside may call, by path."""
    return [
        method
        for method in contract.methods()
        if method.GetOptions().HasExtension(annotations_pb2.http)
        and (contract.is_public(method) or contract.kinds_of(method) - {CallerKind.SERVICE})
    ]


def audiences(method: MethodDescriptor) -> list[str]:
    """Who may call the method, in lower case, services left out."""
    stated = method.GetOptions().Extensions[audience_pb2.audience]
    names = [audience_pb2.Audience.Name(number).removeprefix("AUDIENCE_").lower() for number in stated]
    return [name for name in names if name != "service"]


def _numbered(every: Sequence[Binding]) -> list[tuple[int, Binding]]:
    """Each binding with its number among those of its method, from 1."""
    counts: dict[str, int] = {}
    numbered = []
    for binding in every:
        counts[binding.method.full_name] = counts.get(binding.method.full_name, 0) + 1
        numbered.append((counts[binding.method.full_name], binding))
    return numbered


def _operation(binding: Binding, number: int, comments: Comments, schemas: Schemas) -> dict[str, Any]:
    method = binding.method
    comment = comments.of(method.full_name)
    made: dict[str, Any] = {
        "operationId": f"{method.containing_service.name}_{method.name}" + (f"_{number}" if number > 1 else ""),
        "tags": [method.containing_service.name],
        "summary": comment.summary,
        "description": comment.text,
        "security": _security(method),
        "x-parkmesh-audience": audiences(method),
        "x-parkmesh-grpc": contract.path_of(method),
    }
    if method.GetOptions().deprecated:
        made["deprecated"] = True
    parameters = [_parameter(parameter, "path", schemas) for parameter in binding.path_parameters]
    parameters += [_parameter(parameter, "query", schemas) for parameter in binding.query_parameters]
    if parameters:
        made["parameters"] = parameters
    if binding.body is not None:
        made["requestBody"] = _body(binding, schemas)
    made["responses"] = {"200": _answer(method, comments, schemas)}
    made["responses"] |= {str(status): refusals.reference(status) for status in refusals.statuses(binding)}
    return made


def _parameter(parameter: Parameter, place: str, schemas: Schemas) -> dict[str, Any]:
    schema = schemas.field(parameter.field)
    nested = "." in parameter.name
    needed = place == "path" or (not nested and is_refused_at_zero(parameter.field))
    made: dict[str, Any] = {"name": parameter.name, "in": place, "required": needed}
    made |= {"description": schema.pop("description")} if "description" in schema else {}
    made |= {"deprecated": schema.pop("deprecated")} if "deprecated" in schema else {}
    return made | {"schema": schema}


def _body(binding: Binding, schemas: Schemas) -> dict[str, Any]:
    assert binding.body is not None
    if binding.body.full_name == HTTP_BODY:
        return {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    if binding.method.client_streaming:
        schema: Schema = {"type": "array", "items": schemas.message(binding.body)}
    elif binding.body_without:
        schema = schemas.object(binding.body, binding.body_without)
    else:
        schema = schemas.message(binding.body)
    content: dict[str, Any] = {"schema": schema}
    if example := examples.REQUESTS.get(binding.method.full_name):
        content["examples"] = {"shortest": {"value": example}}
    request, field = binding.method.input_type, binding.body_field
    needed = field.name in refused_zeros(request) if field else bool(refused_zeros(request) - binding.body_without)
    return {"required": needed, "content": {JSON: content}}


def _answer(method: MethodDescriptor, comments: Comments, schemas: Schemas) -> dict[str, Any]:
    message = method.output_type
    comment: Comment = comments.of(message.full_name)
    if message.full_name == HTTP_BODY:
        return {"description": "The bytes. 文件内容", "content": {"*/*": {"schema": {}}}}
    schema = schemas.message(message)
    content: dict[str, Any] = {"schema": {"type": "array", "items": schema} if method.server_streaming else schema}
    if example := examples.ANSWERS.get(method.full_name):
        content["examples"] = {"shortest": {"value": example}}
    return {"description": comment.text or "Done. 成功", "content": {JSON: content}}


def _tag(service: ServiceDescriptor, comments: Comments) -> dict[str, str]:
    return {"name": service.name, "description": comments.of(service.full_name).text}
