"""The samples sign by the published vectors, and send again what the table says, as often as it says."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.samples import FOLDER, LANGUAGES, VECTORS, Sample
from tests.docs.stub import Reply, answering, refusal, result

pytestmark = pytest.mark.slow

ERRORS = ROOT / "docs" / "errors.md"
RECORDS = [{"recordId": "in-1", "plateNumber": "闽B12345"}, {"recordId": "in-2"}]
TOKEN = {"PARKMESH_CLIENT_ID": "client-1", "PARKMESH_CLIENT_SECRET": "secret-1"}
SIGNATURE = {"PARKMESH_CLIENT_ID": "client-1", "PARKMESH_SIGNING_KEY": "key-1"}
RETRY = {"@type": "RetryInfo", "retryDelay": "0.05s"}


@pytest.fixture(scope="module", params=LANGUAGES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(request.param, tmp_path_factory.mktemp("sample"))


def test_whatever_is_passing_is_sent_again_with_the_same_ids(sample: Sample) -> None:
    script = (
        refusal(429, "RATE_LIMITED", RETRY),
        refusal(503, "LOG_UNAVAILABLE"),
        refusal(401, "UNAUTHENTICATED"),
        Reply(0),
        Reply(200, b"<html>welcome</html>"),
        result(accepted=2),
    )
    with answering(*script) as stub:
        ended = sample.run(RECORDS, {**TOKEN, "PARKMESH_URL": stub.url})
    assert ended == (0, ["in-1: ACCEPTED", "in-2: ACCEPTED", "2 of 2 stored 已入库"])
    assert [upload.ids for upload in stub.uploads] == [["in-1", "in-2"]] * 6
    assert [upload.headers["authorization"] for upload in stub.uploads] == ["Bearer t1"] * 3 + ["Bearer t2"] * 3


def test_only_what_was_put_off_is_sent_again(sample: Sample) -> None:
    deferred = {"index": 1, "recordId": "in-2", "outcome": "OUTCOME_DEFERRED"}
    rejected = {
        "index": 0,
        "recordId": "in-2",
        "outcome": "OUTCOME_REJECTED",
        "field": "records[0].plateNumber",
        "reason": "ERROR_REASON_PLATE_MALFORMED",
        "message": "no plate",
        "messageZh": "不是号牌",
    }
    script = (result(accepted=1, deferred=1, items=[deferred], retryAfterMs=10), result(rejected=1, items=[rejected]))
    with answering(*script) as stub:
        ended = sample.run(RECORDS, {**TOKEN, "PARKMESH_URL": stub.url})
    assert ended.code == 1
    assert ended.lines == [
        "in-1: ACCEPTED",
        "in-2: REJECTED PLATE_MALFORMED plateNumber: no plate 不是号牌",
        "1 of 2 stored 已入库",
    ]
    assert [upload.ids for upload in stub.uploads] == [["in-1", "in-2"], ["in-2"]]


@pytest.mark.parametrize(
    ("status", "reason", "attempts"),
    [(400, "INVALID_FIELD", 1), (403, "METHOD_NOT_ALLOWED", 1), (401, "UNAUTHENTICATED", 2)],
)
def test_what_no_retry_can_change_is_told(sample: Sample, status: int, reason: str, attempts: int) -> None:
    violation = {
        "field": "records",
        "reason": "repeated.max_items",
        "description": "at most 1,000",
        "localizedMessage": {"locale": "zh-CN", "message": "最多 1000 条"},
    }
    refused = refusal(status, reason, {"@type": "BadRequest", "fieldViolations": [violation]})
    with answering(refused) as stub:
        ended = sample.run(RECORDS, {**TOKEN, "PARKMESH_URL": stub.url})
    assert ended.code == 1
    assert ended.lines == [
        f"HTTP {status} {reason}: refused 已拒绝",
        "  records [repeated.max_items]: at most 1,000 最多 1000 条",
        "  request request-1",
        "0 of 2 stored 已入库",
    ]
    assert (len(stub.uploads), stub.tokens) == (attempts, attempts)


def test_each_attempt_is_signed_anew(sample: Sample) -> None:
    with answering(refusal(401, "NONCE_REUSED"), result(accepted=2)) as stub:
        ended = sample.run(RECORDS, {**SIGNATURE, "PARKMESH_URL": stub.url})
    assert (ended.code, stub.tokens, len(stub.uploads)) == (0, 0, 2)
    assert len({upload.headers["x-parkmesh-nonce"] for upload in stub.uploads}) == 2
    assert all("authorization" not in upload.headers for upload in stub.uploads)


def test_the_tables_are_that_of_the_page_of_errors() -> None:
    java, python = ((FOLDER / path).read_text() for path in ("java/RetryTable.java", "python/retry_table.py"))
    waiting, renewing = (set(re.findall(pattern, java)) for pattern in (r"\b[45]\d\d\b", r'"([A-Z_]+)"'))
    assert waiting == set(re.findall(r"\b[45]\d\d\b", python))
    assert renewing == set(re.findall(r'"([A-Z_]+)"', python))
    rows = re.findall(r"^\| `(\w+)` \| \w+ \| ([\d, ]+) \| (yes|once|no)\b", ERRORS.read_text(), re.MULTILINE)
    assert len(rows) > 20
    for reason, statuses, retry in rows:
        assert (reason in renewing) == (retry == "once"), reason
        assert {status in waiting for status in statuses.split(", ")} == {retry == "yes"}, reason


def test_it_signs_by_the_vectors(sample: Sample, tmp_path: Path) -> None:
    count = len(json.loads(VECTORS.read_text())["vectors"])
    assert sample.check(VECTORS) == (0, [f"{count} vectors agree"])
    wrong = tmp_path / "wrong.json"
    wrong.write_text(VECTORS.read_text().replace('"signature": "d9a4', '"signature": "d9a5'))
    assert sample.check(wrong) == (1, ["wrong: GET without a query"])
