"""What REST callers get instead of an answer: one schema for all refusals, and a response for each HTTP status."""

import http
from typing import Any

from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.descriptor_pool import Default
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from mesh import contract
from mesh.errors import DOMAIN
from parkmesh.annotations.v1 import resource_pb2

from edge.openapi.bindings import Binding
from edge.openapi.reasons import HTTP, RETRY, Reason
from edge.openapi.rules import Schema
from edge.openapi.schemas import COMPONENTS, Schemas

STATUS = "google.rpc.Status"
_TYPE_URL = "type.googleapis.com/"
_ALWAYS = (400, 408, 429, 431, 500, 503, 504)
_CHINESE = {
    400: "请求有误",
    401: "未通过身份验证",
    403: "无权调用",
    404: "不存在或不可见",
    408: "请求传输超时",
    409: "与现有数据冲突",
    413: "请求体过大",
    415: "请求体格式不支持",
    429: "请求过多",
    431: "请求头过大",
    500: "内部错误",
    503: "服务暂不可用",
    504: "处理超时",
}


def statuses(binding: Binding) -> list[int]:
    """The HTTP statuses other than 200 that a call can end with."""
    found = set(_ALWAYS)
    method = binding.method
    public = contract.is_public(method)
    if not public or _takes_a_secret(method.input_type):
        found.add(401)
    if not public:
        found.add(403)
    # What a call is about may also be the caller's own: a session, an account.
    about = _names_something(method.input_type, set()) or binding.body is not None
    if binding.path_parameters or (about and not public):
        found.add(404)
    if not public and not _only_reads(method):
        found.add(409)
    if binding.body is not None:
        found |= {413, 415}
    return sorted(found)


def responses(reasons: list[Reason]) -> dict[str, Any]:
    """The reusable responses, by the names that `reference` gives them."""
    sent = [reason for reason in reasons if reason.status in HTTP]
    return {_name(status): _response(status, [each for each in sent if status in each.http]) for status in _CHINESE}


def reference(status: int) -> dict[str, str]:
    """A reference to the response for the status."""
    return {"$ref": f"#/components/responses/{_name(status)}"}


def status_schema(schemas: Schemas) -> Schema:
    """The body of every refusal: google.rpc.Status as JSON, with the details that the platform adds."""
    details = ("ErrorInfo", "BadRequest", "RetryInfo", "LocalizedMessage", "RequestInfo")
    pool = Default()
    return {
        "type": "object",
        "title": "Status",
        "description": (
            "A refusal. Decide by `details[].reason` of the `ErrorInfo`, not by the message. "
            "拒绝应答。请依据 `ErrorInfo` 的 `reason` 处理，勿依赖 `message` 文本。"
        ),
        "required": ["code", "message", "details"],
        "properties": {
            "code": {
                "type": "integer",
                "minimum": 1,
                "maximum": 16,
                "description": "The gRPC status code. gRPC 状态码。",
            },
            "message": {
                "type": "string",
                "description": "For people; never a value that was sent. 供人阅读，不含所发送的值。",
            },
            "details": {
                "type": "array",
                "description": "One `ErrorInfo`; others where they help. 必有一个 `ErrorInfo`，其余视情况而定。",
                "items": {
                    "oneOf": [_detail(schemas, pool.FindMessageTypeByName(f"google.rpc.{name}")) for name in details]
                },
                "contains": {
                    "required": ["reason", "domain"],
                    "properties": {"domain": {"const": DOMAIN}},
                },
            },
        },
    }


def _detail(schemas: Schemas, message: Descriptor) -> Schema:
    url = _TYPE_URL + message.full_name
    kind = {"type": "object", "required": ["@type"], "properties": {"@type": {"const": url}}}
    return {"title": message.name, "allOf": [schemas.message(message), kind]}


def _response(status: int, reasons: list[Reason]) -> dict[str, Any]:
    title = f"{http.HTTPStatus(status).phrase} {_CHINESE[status]}"
    rows = [
        f"| `{reason.name}` | {reason.status} | {_retry(reason)} | {reason.english} {reason.chinese} |"
        for reason in reasons
    ]
    head = "| Reason 原因 | gRPC | Retry 重试 | Meaning 说明 |\n|---|---|---|---|\n"
    made = {
        "description": f"{title}\n\n{head}" + "\n".join(rows) if rows else title,
        "content": {"application/json": {"schema": {"$ref": COMPONENTS + STATUS}}},
        "x-parkmesh-title": title,
        "x-parkmesh-reasons": [
            {
                "reason": reason.name,
                "grpc": reason.status,
                "retry": reason.retry,
                "retryChinese": RETRY.get(reason.retry, ""),
                "english": reason.english,
                "chinese": reason.chinese,
            }
            for reason in reasons
        ],
    }
    if status == http.HTTPStatus.TOO_MANY_REQUESTS:
        made["headers"] = {
            "Retry-After": {
                "description": "How long to wait, in seconds. 建议等待秒数。",
                "schema": {"type": "integer", "minimum": 0},
            }
        }
    return made


def _retry(reason: Reason) -> str:
    return f"{reason.retry} {RETRY.get(reason.retry, '')}"


def _name(status: int) -> str:
    return f"Refused{status}"


def _only_reads(method: MethodDescriptor) -> bool:
    options = method.GetOptions()
    reading = options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    return reading or bool(options.Extensions[annotations_pb2.http].get)


def _takes_a_secret(message: Descriptor) -> bool:
    return any(field.GetOptions().debug_redact for field in message.fields)


def _names_something(message: Descriptor, seen: set[str]) -> bool:
    """Whether the message, or one within it, holds the id of something that may not be there."""
    seen.add(message.full_name)
    free = (resource_pb2.RESOURCE_UNSPECIFIED, resource_pb2.RESOURCE_FREE)
    return any(
        field.GetOptions().Extensions[resource_pb2.resource] not in free
        or (inner is not None and inner.full_name not in seen and _names_something(inner, seen))
        for field in message.fields
        for inner in (field.message_type,)
    )


assert error_details_pb2.DESCRIPTOR  # its import is what puts the details into the pool
