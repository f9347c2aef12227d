"""Surveys over the wire: as a vendor and as the police send them."""

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from mesh.caller import CallerKind
from parkmesh.registry.v1.change_service_pb2 import ListChangesRequest
from parkmesh.registry.v1.registry_service_pb2 import ListLotsRequest
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_FORMAT_CSV,
    SURVEY_SUBJECT_LOTS,
    GetSurveyRequest,
    ImportSurveyRequest,
    ListSurveysRequest,
)
from registry.surveys.testing import csv_of


def request(survey_id: str = "s1", *, lots: int = 2, **stated: Any) -> ImportSurveyRequest:
    rows = [
        {"登记编号": f"PT-{survey_id}-{lot}", "名称": "甲停车场", "类型": "公共", "行政区划代码": "350302"}
        for lot in range(lots)
    ]
    asked: dict[str, Any] = {
        "survey_id": survey_id,
        "subject": SURVEY_SUBJECT_LOTS,
        "format": SURVEY_FORMAT_CSV,
        "content": csv_of(rows),
        "source": "莆田市公安局 2026 年普查",
    }
    return ImportSurveyRequest(**(asked | stated))


async def refused(call: Any) -> tuple[str, list[tuple[str, str]], str]:
    """Reason, violations, and all that was told."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
    return info.reason, [(violation.field, violation.reason) for violation in bad.field_violations], str(status)


async def test_a_vendor_imports_its_lots_and_reads_the_report(registry: Any) -> None:
    vendor = registry.vendor("vendor-1")
    survey = await vendor.surveys.ImportSurvey(request())
    assert (survey.survey_id, survey.new_rows, survey.author) == ("s1", 2, "vendor-1")
    assert await vendor.surveys.GetSurvey(GetSurveyRequest(survey_id="s1")) == survey
    assert await vendor.surveys.ImportSurvey(request()) == survey
    lots = (await vendor.lots.ListLots(ListLotsRequest())).lots
    assert [f"lots/{lot.lot_id}" for lot in lots] == [row.name for row in survey.details]
    changes = (await vendor.changes.ListChanges(ListChangesRequest(change_set="s1"))).changes
    assert {change.reason for change in changes} == {"莆田市公安局 2026 年普查"}


async def test_others_see_no_survey_but_the_police_all(registry: Any) -> None:
    await registry.vendor("vendor-1").surveys.ImportSurvey(request("a"))
    await registry.vendor("vendor-2").surveys.ImportSurvey(request("b"))
    police = registry.caller(CallerKind.SUPERVISOR, "police", "account-1")
    first = await police.surveys.ListSurveys(ListSurveysRequest(page_size=1))
    rest = await police.surveys.ListSurveys(ListSurveysRequest(page_size=1, page_token=first.next_page_token))
    assert [survey.author for survey in (*first.surveys, *rest.surveys)] == ["vendor-1", "vendor-2"]
    assert not rest.next_page_token
    assert (await police.surveys.GetSurvey(GetSurveyRequest(survey_id="a", author="vendor-1"))).details
    own = await registry.vendor("vendor-2").surveys.ListSurveys(ListSurveysRequest())
    assert [survey.survey_id for survey in own.surveys] == ["b"]
    told = [
        await refused(registry.vendor("vendor-2").surveys.GetSurvey(asked))
        for asked in (
            GetSurveyRequest(survey_id="a"),
            GetSurveyRequest(survey_id="a", author="vendor-1"),
            GetSurveyRequest(survey_id="x", author="vendor-1"),
        )
    ]
    assert {reason for reason, _, _ in told} == {"RESOURCE_NOT_FOUND"}


@pytest.mark.parametrize(
    ("changed", "reason", "violation"),
    [
        ({"content": b"\xff\xff"}, "SURVEY_UNREADABLE", ("content", "survey.encoding")),
        ({"content": "名称\n甲".encode()}, "SURVEY_UNREADABLE", ("content", "survey.column_missing")),
        ({"content": "登记编号\n秘密编号".encode()}, "SURVEY_INVALID", ("content[2].名称", "required")),
        ({"survey_id": "a/b"}, "INVALID_FIELD", ("surveyId", "string.pattern")),
        ({"subject": 0}, "INVALID_FIELD", ("subject", "required")),
        ({"content": b""}, "INVALID_FIELD", ("content", "required")),
        ({"source": ""}, "INVALID_FIELD", ("source", "required")),
        ({"effective_time": "2200-01-01T00:00:00Z"}, "INVALID_FIELD", ("effectiveTime", "effective_time.in_future")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_wrong_is_told_by_its_reason(
    registry: Any, changed: dict[str, Any], reason: str, violation: tuple[str, str]
) -> None:
    asked, changed = request(), dict(changed)
    if text := changed.pop("effective_time", None):
        asked.effective_time.FromJsonString(text)
    asked.MergeFrom(ImportSurveyRequest(**changed))
    for name in changed:
        setattr(asked, name, changed[name])
    found, violations, told = await refused(registry.administrator.surveys.ImportSurvey(asked))
    assert found == reason
    assert violation in violations
    assert "秘密编号" not in told


async def test_the_same_id_with_another_file_is_a_conflict(registry: Any) -> None:
    await registry.administrator.surveys.ImportSurvey(request())
    reason, _, _ = await refused(registry.administrator.surveys.ImportSurvey(request(lots=3)))
    assert reason == "SURVEY_CONFLICT"


async def test_a_file_of_many_mebibytes_is_taken(registry: Any) -> None:
    large = csv_of([{"登记编号": "PT-1", "名称": "甲", "类型": "公共", "行政区划代码": "350302"}])
    large += (" " * 100_000 + "\r\n").encode() * 80
    assert 7 * 1024 * 1024 < len(large) < 8 * 1024 * 1024
    survey = await registry.administrator.surveys.ImportSurvey(request(content=large, dry_run=True))
    assert (survey.rows, survey.new_rows) == (1, 1)
