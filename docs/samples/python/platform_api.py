"""The platform over HTTPS: bytes out, an answer back, nothing tried again. 平台的 HTTPS 接口，不重试。"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

DEADLINE_S = 10
"""How long one call may take; it is then given up, and its outcome is unknown. 单次调用时限"""


@dataclass(frozen=True)
class Answer:
    """What the platform answered: with status 200 the result, otherwise a google.rpc.Status. 平台应答"""

    status: int
    content: dict[str, Any]

    @property
    def reason(self) -> str:
        """The ErrorInfo's reason, such as RATE_LIMITED; empty without one. 拒绝原因"""
        return str(self.detail("ErrorInfo").get("reason", ""))

    @property
    def retry_after_s(self) -> float:
        """How long the platform asks to wait; 0 when it does not say. 建议等待秒数"""
        return float(self.detail("RetryInfo").get("retryDelay", "0s").rstrip("s"))

    @property
    def refusal(self) -> str:
        """Why the whole request was refused, with every field at fault, in English and Chinese. 整体拒绝的说明"""
        chinese = self.detail("LocalizedMessage").get("message", "")
        lines = [f"HTTP {self.status} {self.reason}: {self.content.get('message', '')} {chinese}"]
        lines += (
            f"  {each['field']} [{each['reason']}]: {each['description']} {each['localizedMessage']['message']}"
            for each in self.detail("BadRequest").get("fieldViolations", [])
        )
        lines.append(f"  request {self.detail('RequestInfo').get('requestId', '')}")
        return "\n".join(lines)

    def detail(self, kind: str) -> dict[str, Any]:
        """The detail of that type; empty without one."""
        details = self.content.get("details", [])
        return next((each for each in details if each.get("@type", "").endswith(f".{kind}")), {})


class RefusedError(Exception):
    """The platform refused a request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.refusal)
        self.answer = answer
        """The status and the reason as the platform gave them."""


class Platform:
    """A platform at an address such as https://parking.example.cn:8443."""

    def __init__(self, url: str, ca: str = "") -> None:
        """Trusts the authority in that PEM file, or the public ones when the path is empty."""
        self._url = url
        self._trust = ssl.create_default_context(cafile=ca or None)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Posts JSON. OSError when no answer came: nobody knows then whether the request was carried out."""
        headers = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(self._url + path, body, headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S, context=self._trust) as response:  # noqa: S310
                return Answer(response.status, _parsed(response.read()))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, _parsed(refusal.read()))
        except http.client.HTTPException as broken:
            raise OSError("the answer broke off 应答中断") from broken


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:  # from a proxy on the way: the status must do
        return {}
    return content if isinstance(content, dict) else {}
