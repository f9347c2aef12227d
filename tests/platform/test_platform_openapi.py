"""The document against the running platform: what it describes is what is answered, whatever is sent."""

import collections
import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis.openapi
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from local_platform.testing import RunningPlatform
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as openapi_checks

pytestmark = pytest.mark.slow

Case = schemathesis.Case[Any]
Sent = tuple[Case, bool]
"""A request, and whether it was about things that exist."""

ROUNDS = {GenerationMode.POSITIVE: 12, GenerationMode.NEGATIVE: 6}
"""Requests per method: some as the document says, some that break it. The same in every run."""
OFF = [
    # A valid document is not yet a valid fact: the services refuse much of it with 400, for reasons no schema can tell.
    openapi_checks.positive_data_acceptance,
    # JSON for protobuf has more spellings than the document teaches: "1" for 1, null for absent, numbers for enums.
    openapi_checks.negative_data_rejection,
    # A verb that a path does not have is an unknown method: 404, or 401 without a token, as gRPC has it.
    openapi_checks.unsupported_method,
]
KNOWN = ("lotId", "recordId", "gateId", "laneId", "deviceId", "berthId", "operatorId", "surveyId", "ruleId")
"""Ids that requests may name in earnest. Not among them: vendors, credentials, accounts; ending the caller's own would
end the test.
"""
# Python's patterns know no properties of Unicode. The document is right; the tool is given what it understands.
PROPERTIES = {
    r"\p{Cc}": "\\x00-\\x1f\\x7f-\\x9f",
    r"\p{Cf}": "\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff",
}


class Caller:
    """Somebody with a token who sends what the tool makes up, half of it about things that exist."""

    def __init__(self, platform: RunningPlatform, who: str) -> None:
        edge, account = platform.demo["edge"], platform.demo[who]
        self._url, self._session = edge["url"], requests.Session()
        self._session.trust_env = False  # this machine's certificate authorities are not the platform's
        self._session.verify = edge["ca"]
        login = {name: account[name] for name in ("clientId", "clientSecret")}
        token = self._session.post(f"{self._url}/v1/token", json=login, timeout=10).json()["accessToken"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._seen: dict[str, str] = {}
        self.statuses: collections.Counter[tuple[str, int]] = collections.Counter()
        self.sent: list[Sent] = []

    def close(self) -> None:
        self._session.close()

    def document(self) -> dict[str, Any]:
        read: dict[str, Any] = self._session.get(f"{self._url}/openapi.json", timeout=10).json()
        return read

    def send(self, case: Case, *, earnest: bool) -> None:
        self.sent.append((case, earnest))
        stated = case.path_parameters, case.body
        if earnest:
            case.path_parameters, case.body = map(self._known, stated)
        try:
            response = case.call_and_validate(
                base_url=self._url,
                session=self._session,
                headers=self._headers,
                excluded_checks=OFF,
                verify=self._session.verify,
                timeout=20,
            )
        finally:
            case.path_parameters, case.body = stated
        self.statuses[case.operation.label, response.status_code] += 1
        if response.status_code == 200:
            self._learn(response.json())

    def _known(self, sent: Any) -> Any:
        """The same about things that exist."""
        if isinstance(sent, dict):
            return {name: self._seen.get(name) or self._known(value) for name, value in sent.items()}
        return [self._known(each) for each in sent] if isinstance(sent, list) else sent

    def _learn(self, answer: Any) -> None:
        for name, value in answer.items() if isinstance(answer, dict) else ():
            if name in KNOWN and value:
                self._seen[name] = value
            self._learn(value)
        for value in answer if isinstance(answer, list) else ():
            self._learn(value)


@pytest.fixture(scope="module")
def city(platform: RunningPlatform) -> RunningPlatform:
    """The platform with lots and records in it."""
    command = [str(Path(sys.executable).with_name("parkmesh")), "demo", "--demo", str(platform.folder / "demo.json")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return platform


@pytest.fixture(params=["vendor", "administrator"])
def caller(city: RunningPlatform, request: pytest.FixtureRequest) -> Iterator[Caller]:
    made = Caller(city, request.param)
    yield made
    made.close()


@pytest.fixture(scope="module")
def made_up() -> dict[tuple[str, GenerationMode], list[Sent]]:
    """What the tool made up for one caller; the other sends the same, for making it up takes longer than sending it."""
    return {}


def readable(document: Any) -> Any:
    """The document with patterns that Python can read."""
    if isinstance(document, dict):
        return {key: patterned(value) if key == "pattern" else readable(value) for key, value in document.items()}
    return [readable(each) for each in document] if isinstance(document, list) else document


def patterned(value: Any) -> Any:
    if isinstance(value, str):
        for name, ranges in PROPERTIES.items():
            value = value.replace(name, ranges)
        return value
    return readable(value)


def test_whatever_is_sent_is_answered_as_documented(
    caller: Caller, made_up: dict[tuple[str, GenerationMode], list[Sent]]
) -> None:
    schema = schemathesis.openapi.from_dict(readable(copy.deepcopy(caller.document())))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == sum(map(len, caller.document()["paths"].values()))
    # Lists come first: what they hold is what the others can be about.
    operations.sort(key=lambda operation: (operation.method != "get", operation.path.count("{")))
    wrong = []
    for operation in operations:
        for mode, rounds in ROUNDS.items():
            if mode is GenerationMode.NEGATIVE and not [*operation.iter_parameters(), *operation.body]:
                continue  # a request that states nothing breaks nothing
            case = operation.as_strategy(generation_mode=mode)

            @settings(
                max_examples=rounds,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=case, earnest=st.booleans())
            def sent(case: Case, earnest: bool) -> None:
                caller.send(case, earnest=earnest)

            caller.sent = []
            try:
                if (known := made_up.get((operation.label, mode))) is None:
                    sent()
                    made_up[operation.label, mode] = caller.sent
                for each, earnestly in known or ():
                    caller.send(each, earnest=earnestly)
            except (Exception, FailureGroup) as error:
                wrong.append(f"{operation.label}: {error}")
    answered = {label for label, status in caller.statuses if status == 200}
    assert {"GET /v1/lots", "GET /v1/lots/{lotId}", "GET /v1/lots/{lotId}/records"} <= answered, caller.statuses
    assert not wrong, "\n\n".join(wrong)
