"""Uploads one batch of 1 to 1,000 records until each is decided. 上报一批记录，直至逐条有结果"""

from __future__ import annotations

import json
import ssl
import time
from typing import Any
from urllib.error import URLError

import retry_table
from credentials import Credential
from platform_api import Answer, Platform, RefusedError
from retry_table import Verdict

_PATH = "/v1/records:upload"
_COUNTS = ("accepted", "duplicate", "conflicting", "rejected", "deferred")


class Uploader:
    """Uploads to one platform under one credential."""

    def __init__(self, platform: Platform, credential: Credential) -> None:
        self._platform = platform
        self._credential = credential

    def upload(self, records: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """The last word on every record that was not newly stored or has warnings, by its place in the batch.

        Records that it put off (DEFERRED) are sent again under the same ids. RefusedError when the whole batch cannot
        be taken; OSError when the platform did not answer at last: keep the batch and send it again later.
        """
        results: dict[int, dict[str, Any]] = {}
        places = list(range(len(records)))
        failures = 0
        while True:
            body = json.dumps({"records": [records[place] for place in places]}, ensure_ascii=False).encode()
            answer = self._patiently(body, len(places))
            results.update((places[item["index"]], item) for item in answer.content["items"])
            deferred = [
                places[item["index"]] for item in answer.content["items"] if item["outcome"] == "OUTCOME_DEFERRED"
            ]
            failures += 1
            if not deferred or failures == retry_table.ATTEMPTS:
                return results
            places = deferred
            time.sleep(retry_table.delay_s(failures, answer.content["retryAfterMs"] / 1000))
            for place in places:
                del results[place]

    def _patiently(self, body: bytes, size: int) -> Answer:
        renewed = False
        failures = 0
        while True:
            failures += 1
            asked_s = 0.0
            try:
                return self._once(body, size)
            except RefusedError as refused:
                verdict = retry_table.verdict(refused.answer)
                if verdict is Verdict.RENEW and not renewed:
                    renewed = True
                    self._credential.discard()
                    continue
                if verdict is not Verdict.LATER or failures == retry_table.ATTEMPTS:
                    raise
                asked_s = refused.answer.retry_after_s
            except OSError as unanswered:
                untrusted = isinstance(unanswered, URLError) and isinstance(unanswered.reason, ssl.SSLError)
                if untrusted or failures == retry_table.ATTEMPTS:  # no retry makes a certificate right
                    raise
            time.sleep(retry_table.delay_s(failures, asked_s))

    def _once(self, body: bytes, size: int) -> Answer:
        answer = self._platform.post(_PATH, body, self._credential.headers("POST", _PATH, body))
        if answer.status != 200:
            raise RefusedError(answer)
        if sum(answer.content.get(name, 0) for name in _COUNTS) != size:  # a page of a proxy is no acknowledgement
            raise OSError("the answer does not add up 应答条数不符")
        return answer
