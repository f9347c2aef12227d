"""The document as one HTML page that needs nothing else: no script, no font, no image, one style."""

import base64
import hashlib
import json
import pathlib
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from edge.openapi import examples
from edge.openapi.rules import Schema
from edge.openapi.schemas import COMPONENTS

STYLE = pathlib.Path(__file__).with_name("page.css").read_text()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: its own style, and nothing else."""

_CHINESE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]+(?:[“” ]*[\u2e80-\u9fff\uff00-\uffef]+)*")
_LIMITS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "minItems": "items ≥ {}",
    "maxItems": "items ≤ {}",
    "minProperties": "entries ≥ {}",
    "maxProperties": "entries ≤ {}",
}
_HEAD = ("Name 名称", "Type 类型", "Meaning 说明")


class Page:
    """Renders one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._schemas: Mapping[str, Schema] = document["components"]["schemas"]
        self._responses: Mapping[str, Any] = document["components"]["responses"]

    def html(self) -> str:
        """The whole page."""
        info = self._document["info"]
        body = [
            f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>",
            prose(info["description"]),
            '<p>This document for machines 机器可读文档: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1)</p>',
            *(self._service(tag) for tag in self._document["tags"]),
            '<h2 id="errors">Errors 错误</h2>',
            *(self._refusal(name, response) for name, response in self._responses.items()),
            '<h2 id="schemas">Schemas 数据结构</h2>',
            *(self._schema(name, schema) for name, schema in self._schemas.items()),
        ]
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head>\n"
            f"<body>{self._navigation()}\n<main>{chr(10).join(body)}</main></body></html>\n"
        )

    def _operations(self, tag: str) -> list[tuple[str, str, Mapping[str, Any]]]:
        return [
            (path, verb, operation)
            for path, verbs in self._document["paths"].items()
            for verb, operation in verbs.items()
            if tag in operation["tags"]
        ]

    def _navigation(self) -> str:
        groups = [
            f"<details open><summary>{escape(tag['name'])}</summary><ul>"
            + "".join(
                f'<li><a href="#{operation["operationId"]}">{_badge(verb)}{escape(path)}</a></li>'
                for path, verb, operation in self._operations(tag["name"])
            )
            + "</ul></details>"
            for tag in self._document["tags"]
        ]
        ends = '<a href="#errors">Errors 错误</a></li><li><a href="#schemas">Schemas 数据结构</a>'
        return f'<nav aria-label="Methods 方法">{"".join(groups)}<ul><li>{ends}</li></ul></nav>'

    def _service(self, tag: Mapping[str, str]) -> str:
        head = f'<h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2>{prose(tag["description"])}'
        return head + "\n".join(self._operation(*operation) for operation in self._operations(tag["name"]))

    def _operation(self, path: str, verb: str, operation: Mapping[str, Any]) -> str:
        who = escape(", ".join(name.replace("_", " ") for name in operation["x-parkmesh-audience"]))
        path_of_grpc = f"<code>{escape(operation['x-parkmesh-grpc'])}</code>"
        parts = [
            f'<article id="{operation["operationId"]}"><h3>{_badge(verb)}<code>{escape(path)}</code></h3>',
            prose(operation["description"]),
            f'<p class="meta">Who may call {chinese("调用方")}: {who} · gRPC: {path_of_grpc}</p>',
        ]
        if parameters := operation.get("parameters"):
            rows = [
                self._row(
                    f"{parameter['name']}",
                    parameter["schema"] | _told(parameter),
                    needed=parameter["required"],
                    note=f"in {parameter['in']}",
                )
                for parameter in parameters
            ]
            parts.append(f"<h4>Parameters 参数</h4>{table(rows)}")
        if body := operation.get("requestBody"):
            (content,) = body["content"].values()
            parts.append(f"<h4>Request body 请求体</h4>{self._content(content)}")
        answer = operation["responses"]["200"]
        ((kind, content),) = answer["content"].items()
        parts.append(f"<h4>Answer 应答 200</h4>{prose(answer['description'])}")
        parts.append(self._content(content) if kind == "application/json" else f"<p><code>{escape(kind)}</code></p>")
        refused = [status for status in operation["responses"] if status != "200"]
        links = " · ".join(f'<a href="#Refused{status}">{status}</a>' for status in refused)
        parts.append(f"<h4>Errors 错误</h4><p>{links}</p>")
        parts.append(
            f"<h4>Example 示例</h4><pre><code>{escape(self._curl(path, verb, operation))}</code></pre></article>"
        )
        return "".join(parts)

    def _content(self, content: Mapping[str, Any]) -> str:
        schema = content["schema"]
        shown = self._fields(schema) if "properties" in schema else f"<p>{self._type(schema)}</p>"
        example = content.get("examples", {}).get("shortest")
        if example:
            text = json.dumps(example["value"], ensure_ascii=False, indent=2)
            shown += f"<pre><code>{escape(text)}</code></pre>"
        return shown

    def _fields(self, schema: Schema) -> str:
        needed = schema.get("required", ())
        rows = [self._row(name, field, needed=name in needed) for name, field in schema["properties"].items()]
        return table(rows) if rows else '<p class="dim">No fields. 无字段</p>'

    def _row(self, name: str, schema: Schema, *, needed: bool, note: str = "") -> tuple[str, str, str]:
        marks = ["required 必填"] if needed else []
        marks += ["set by the platform 平台设置"] if schema.get("readOnly") else []
        marks += ["deprecated 已弃用"] if schema.get("deprecated") else []
        label = f"<code>{escape(name)}</code>" + "".join(f' <span class="needed">{mark}</span>' for mark in marks)
        label += f' <span class="dim">{note}</span>' if note else ""
        text = prose(schema.get("description", ""))
        return label, self._type(schema), text

    def _type(self, schema: Schema) -> str:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(COMPONENTS)
            title = self._schemas[name].get("title", name) + (" (changes 变更)" if name.endswith(".Changes") else "")
            return f'<a href="#{name}">{escape(title)}</a>' + self._subset(schema, name)
        if "anyOf" in schema:
            return " or ".join(self._type(each) for each in schema["anyOf"])
        if "const" in schema:
            return f"<code>{escape(json.dumps(schema['const'], ensure_ascii=False))}</code>"
        kind = schema.get("type", "any")
        if kind == "array":
            shown = f"list of 列表 {self._type(schema['items'])}"
        elif isinstance(schema.get("additionalProperties"), dict):
            shown = f"map of 映射 {self._type(schema['additionalProperties'])}"
        else:
            shown = escape(" or ".join(kind) if isinstance(kind, list) else kind)
            shown += f" ({escape(schema['format'])})" if "format" in schema else ""
        return shown + self._limits(schema)

    def _subset(self, schema: Schema, name: str) -> str:
        refused = [value for value in self._schemas[name].get("enum", ()) if value not in schema.get("enum", (value,))]
        if not refused:
            return ""
        return '<p class="dim">without 不含 ' + ", ".join(f"<code>{escape(value)}</code>" for value in refused) + "</p>"

    def _limits(self, schema: Schema) -> str:
        whole = abs(schema.get("minimum", 0)) >= 2**31 or schema.get("maximum", 0) >= 2**31 - 1
        words = [
            text.format(f"{schema[keyword]:,}")
            for keyword, text in _LIMITS.items()
            if keyword in schema and not (whole and abs(schema[keyword]) >= 2**31 - 1)
        ]
        shown = [f'<span class="dim">{escape(", ".join(words))}</span>'] if words else []
        shown += [f"<code>{escape(schema['pattern'])}</code>"] if "pattern" in schema else []
        shown += ["each once 不重复"] if schema.get("uniqueItems") else []
        return "".join(f"<br>{each}" for each in shown)

    def _schema(self, name: str, schema: Schema) -> str:
        head = f'<article id="{name}"><h3>{escape(schema.get("title", name))}</h3>'
        head += f'<p class="meta"><code>{escape(name)}</code></p>'
        head += prose(schema.get("description", ""))
        if told := schema.get("x-enum-descriptions"):
            rows = [(f"<code>{escape(value)}</code>", prose(text)) for value, text in told.items()]
            return head + table(rows, ("Value 取值", "Meaning 说明")) + "</article>"
        for choice in schema.get("allOf", ()):
            names = [each["required"][0] for each in choice["oneOf"] if "required" in each]
            one = "Exactly one of 必须且只能有一个" if len(names) == len(choice["oneOf"]) else "At most one of 至多一个"
            head += f"<p>{one}: " + ", ".join(f"<code>{escape(each)}</code>" for each in names) + "</p>"
        if "properties" not in schema:
            return f"{head}<p>{self._type(schema)}</p></article>"
        return head + self._fields(schema) + "</article>"

    def _refusal(self, name: str, response: Mapping[str, Any]) -> str:
        rows = [
            (
                f"<code>{escape(reason['reason'])}</code>",
                f"{escape(reason['grpc'])}<br>{escape(reason['retry'])} {chinese(escape(reason['retryChinese']))}",
                prose(f"{reason['english']}\n\n{reason['chinese']}"),
            )
            for reason in response["x-parkmesh-reasons"]
        ]
        status = name.removeprefix("Refused")
        head = f'<article id="{name}"><h3>{status} {chinese(escape(response["x-parkmesh-title"]))}</h3>'
        (content,) = response["content"].values()
        head += f"<p>{self._type(content['schema'])}</p>"
        return head + table(rows, ("Reason 原因", "gRPC, retry 重试", "Meaning 说明")) + "</article>"

    def _curl(self, path: str, verb: str, operation: Mapping[str, Any]) -> str:
        filled = re.sub(
            r"\{([^}]+)\}", lambda found: "$" + re.sub(r"(?<=[a-z])(?=[A-Z])|\.", "_", found[1]).upper(), path
        )
        asked = [each for each in operation.get("parameters", ()) if each["in"] == "query" and each["required"]]
        values = [f"{each['name']}={examples.sample(each['schema'], self._schemas)}" for each in asked]
        filled += "?" + "&".join(values) if values else ""
        words = ["curl -sS --cacert var/ca.pem"]
        words += [f"-X {verb.upper()}"] if verb not in {"get", "post"} else []
        words += ['-H "Authorization: Bearer $TOKEN"'] if operation["security"] else []
        line = " ".join([*words, f'"$EDGE{filled}"'])
        if verb == "get" or "requestBody" not in operation:
            return line if verb != "post" else f"{line} -X POST"
        ((kind, content),) = operation["requestBody"]["content"].items()
        if kind != "application/json":
            return f"{line} \\\n  -H 'Content-Type: {kind}' --data-binary @FILE"
        example = content.get("examples", {}).get("shortest", {}).get("value")
        value = example if example is not None else examples.sample(content["schema"], self._schemas)
        return f"{line} \\\n  -H 'Content-Type: application/json' -d '{json.dumps(value, ensure_ascii=False)}'"


def table(rows: Iterable[Iterable[str]], head: Iterable[str] = _HEAD) -> str:
    """A table of cells that are HTML already."""
    top = "".join(f"<th>{chinese(escape(cell))}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"


def prose(text: str) -> str:
    """Text as the comments hold it, with `code`, **strong** words and empty lines between paragraphs."""
    paragraphs = [chinese(_inline(escape(part, quote=False))) for part in text.strip().split("\n\n") if part]
    return "".join(f"<p>{part}</p>" for part in paragraphs)


def chinese(html: str) -> str:
    """Marks the Chinese, so that it is set in a Chinese font and read aloud by a Chinese voice."""
    return _CHINESE.sub(lambda found: f'<span lang="zh-CN">{found[0]}</span>', html)


def _inline(html: str) -> str:
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html)


def _badge(verb: str) -> str:
    return f'<span class="verb {verb}">{verb}</span>'


def _told(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {key: parameter[key] for key in ("description", "deprecated") if key in parameter}
