"""What `parkmesh admin` prints of the platform's answers: tables that fit, JSON, refusals, secrets once."""

import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import grpc
import parkmesh_cli.admin
import pytest
from parkmesh.access.v1 import coverage_service_pb2, rebuild_pb2
from parkmesh.registry.v1 import (
    account_pb2,
    account_service_pb2,
    audit_service_pb2,
    berth_pb2,
    change_service_pb2,
    device_pb2,
    gate_pb2,
    lot_pb2,
    operator_pb2,
    rule_pb2,
    survey_service_pb2,
    vendor_pb2,
    vendor_service_pb2,
)
from parkmesh_cli import screen
from parkmesh_cli.admin import forms
from parkmesh_sdk.testing import RefusedError
from rich.cells import cell_len

NIGHT = "2026-03-13T16:00:00Z"
ID = "0123456789abcdef" * 2
LONG = "莆田市荔城区文献路城市公共停车信息管理平台" * 3


def made(kind: Any, **facts: Any) -> Any:
    return kind(**facts)


def timed(message: Any, *fields: str) -> Any:
    for name in fields:
        getattr(message, name).FromJsonString(NIGHT)
    return message


def vendor() -> Any:
    return timed(made(vendor_pb2.Vendor, vendor_id=f"vendor-{ID}", name=LONG), "create_time")


FULL: dict[str, Any] = {
    "vendors.VENDORS": vendor(),
    "vendors.CREDENTIALS": timed(
        made(vendor_pb2.Credential, client_id=f"client-{ID}", method="CREDENTIAL_METHOD_SIGNATURE", revoked=True),
        "create_time",
        "expire_time",
    ),
    "grants.GRANTS": timed(made(vendor_pb2.Grant, lot_id=f"lot-{ID}"), "start_time", "end_time"),
    "operators.OPERATORS": made(
        operator_pb2.Operator,
        operator_id=f"operator-{ID}",
        name=LONG,
        credit_code="911522010783762860",
        complaint_phone="+8659412345678",
        state="OPERATOR_STATE_ACTIVE",
    ),
    "lots.LOTS": made(
        lot_pb2.Lot,
        lot_id=f"lot-{ID}",
        registration_number="x" * 64,
        name=LONG,
        division_code="350302",
        open_berths=1_000_000,
        state="LOT_STATE_SUSPENDED",
        flags=["LOT_FLAG_FAR_OUTSIDE_DIVISION", "LOT_FLAG_NO_OPERATOR"],
    ),
    "gates.GATES": made(
        gate_pb2.Gate,
        gate_id="g1",
        name=LONG,
        lanes=[{"lane_id": "1", "direction": "LANE_DIRECTION_ENTRY"}],
        address=LONG,
        state="SERVICE_STATE_OUT_OF_SERVICE",
    ),
    "devices.DEVICES": timed(
        made(
            device_pb2.Device,
            device_id="camera-0001",
            type="DEVICE_TYPE_GEOMAGNETIC_SENSOR",
            gate_id="gate-01",
            lane_id="lane-01",
            maker=LONG,
            model=LONG,
            state="SERVICE_STATE_OUT_OF_SERVICE",
        ),
        "last_seen_time",
    ),
    "berths.BERTHS": made(
        berth_pb2.Berth, berth_id="B0001", police_code="PT0000001", berth_class="BERTH_CLASS_WOMEN_CHILDREN", place=LONG
    ),
    "rules.RULES": timed(
        made(
            rule_pb2.Rule,
            rule_id=f"rule-{ID}",
            name="RULE_NAME_STATIC_CHANGE_REPORT_HOURS",
            text="[A-Z]{20}" * 9,
            basis=LONG,
        ),
        "start_time",
        "end_time",
    ),
    "changes.CHANGES": timed(
        made(
            change_service_pb2.Change,
            revision=1_234_567,
            name=f"lots/lot-{ID}/berths/{'b' * 64}",
            fields=["openingHours", "vehicleRestrictions"],
            author=f"vendor-{ID}",
            lateness={"late": True, "late_seconds": 93_780},
            receipts=[{"department": "city-management"}],
        ),
        "effective_time",
        "report_time",
    ),
    "accounts.ACCOUNTS": made(
        account_pb2.Account,
        account_id=f"account-{ID}",
        login="zhangsanfeng",
        name="张三丰",
        person_number="A0000001",
        role="ROLE_SECURITY_ADMINISTRATOR",
        department="city-management",
        state="ACCOUNT_STATE_INVITED",
    ),
    "audit.ENTRIES": timed(
        made(
            audit_service_pb2.AuditEntry,
            number=1_234_567,
            action="RegistryService.RotateDeviceCredential",
            target=f"lots/lot-{ID}/devices/{'d' * 64}",
            role="ROLE_SECURITY_ADMINISTRATOR",
            account_id=f"account-{ID}",
            outcome="AUDIT_OUTCOME_REFUSED",
            refusal="PERMISSION_DENIED",
        ),
        "time",
    ),
    "coverage.LOTS": timed(
        made(
            coverage_service_pb2.LotCoverage,
            lot_id=f"lot-{ID}",
            name=LONG,
            division_code="350302",
            lot_state="LOT_STATE_SUSPENDED",
            coverage_state="COVERAGE_STATE_NEVER_REPORTED",
        ),
        "last_accept_time",
    ),
    "surveys.SURVEYS": timed(
        made(
            survey_service_pb2.Survey,
            survey_id=f"berths-{ID[:16]}",
            subject="SURVEY_SUBJECT_BERTHS",
            source=LONG,
            author="city-management",
        ),
        "create_time",
    ),
    "surveys._COUNTS": made(survey_service_pb2.Survey, rows=100_000, new_rows=100_000, missing_rows=100_000),
    "rebuilds.RESULTS": made(
        rebuild_pb2.ProjectionRebuild,
        projection="HISTORY_PROJECTION_CURRENT",
        state="REBUILD_STATE_DIFFERENT",
        compared_rows=1_600_000_000,
        different_lot_months=36_000,
    ),
    "rebuilds.DIFFERENCES": made(
        rebuild_pb2.RebuildDifference,
        lot_id=f"lot-{ID}",
        month=202603,
        held_rows=45_000_000,
        rebuilt_rows=45_000_000,
        record_ids=["r" * 64],
    ),
    "surveys._ROWS": made(
        survey_service_pb2.SurveyRow,
        line=100_001,
        outcome="SURVEY_OUTCOME_INVALID",
        key=f"PT-0001/{'b' * 64}",
        violations=[{"column": "泊位类别", "description": "must be one of small", "description_zh": LONG}],
    ),
}


def tables() -> dict[str, Any]:
    """The columns of every table there is."""
    names = [each.name for each in pkgutil.iter_modules(parkmesh_cli.admin.__path__)]
    return {
        f"{name}.{variable}": value
        for name in names
        for variable, value in vars(importlib.import_module(f"{parkmesh_cli.admin.__name__}.{name}")).items()
        if isinstance(value, tuple) and value and all(isinstance(each, forms.Column) for each in value)
    }


def test_every_table_fits_120_columns_and_breaks_no_id(capsys: pytest.CaptureFixture[str]) -> None:
    # The same columns under another module's name are the same table.
    assert {id(columns) for columns in tables().values()} == {id(tables()[name]) for name in FULL}
    for name, message in FULL.items():
        screen.show_table(forms.table([message], tables()[name]))
        said = capsys.readouterr().out
        assert {cell_len(line) for line in said.splitlines()} <= {cell_len(said.splitlines()[0])}, f"{name}\n{said}"
        assert cell_len(said.splitlines()[0]) <= 120
        assert all(line[-1] in "┓┩┃│┘╇" for line in said.splitlines()), f"{name}\n{said}"
        for column in tables()[name]:
            if column.whole:
                assert all(f" {line} " in said for line in str(column.cell(message)).splitlines()), f"{name}\n{said}"


async def test_times_are_beijing_time_wherever_they_stand(city: Any) -> None:
    change = made(change_service_pb2.Change, revision=1, lateness={"late": True, "late_seconds": 3_700})
    timed(change, "effective_time", "report_time")
    timed(change.lateness, "deadline_time")
    timed(change.after.vendor, "create_time")
    timed(change.receipts.add(), "receive_time")
    city.says("ListChanges", made(change_service_pb2.ListChangesResponse, changes=[change]))
    (said,) = json.loads(await city.done("admin", "changes", "list", "--json"))
    beijing = "2026-03-14T00:00:00.000+08:00"
    assert said["effectiveTime"] == said["reportTime"] == said["lateness"]["deadlineTime"] == beijing
    assert said["after"]["vendor"]["createTime"] == said["receipts"][0]["receiveTime"] == beijing
    assert "changeSet" in said
    table = await city.done("admin", "changes", "list")
    assert "2026-03-14 00:00:00" in table
    assert "+08:00" in table
    assert "late 逾期 1 h 1 min" in table


async def test_the_end_of_time_can_be_shown(city: Any) -> None:
    grant = made(vendor_pb2.Grant, lot_id="l")
    grant.end_time.seconds = 253_402_300_799
    city.says("ListGrants", vendor_service_pb2.ListGrantsResponse(grants=[grant]))
    assert "9999-12-31 23:59:59" in await city.done("admin", "grants", "list", "v")
    (said,) = json.loads(await city.done("admin", "grants", "list", "v", "--json"))
    assert said["endTime"] == "9999-12-31T23:59:59Z"


async def test_one_object_is_a_card_or_a_json_object(city: Any) -> None:
    city.says("GetVendor", vendor())
    card = await city.done("admin", "vendors", "show", "v")
    assert f"vendor-{ID}" in card
    assert "2026-03-14T00:00:00.000+08:00" in card
    assert "etag" not in card
    said = json.loads(await city.done("admin", "vendors", "show", "v", "--json"))
    assert said["name"] == LONG
    assert said["etag"] == ""


async def test_a_list_goes_on_to_its_end_or_to_the_limit(city: Any) -> None:
    def page(request: audit_service_pb2.ListAuditEntriesRequest) -> Any:
        first = int(request.page_token or 0)
        last = min(first + request.page_size, 450)
        entries = [made(audit_service_pb2.AuditEntry, number=number) for number in range(first, last)]
        token = str(last) if last < 450 else ""
        return made(audit_service_pb2.ListAuditEntriesResponse, entries=entries, next_page_token=token)

    city.says("ListAuditEntries", page)
    for limit, shown, more in (("500", 450, False), ("450", 450, False), ("449", 449, True), ("200", 200, True)):
        result = await city.run("admin", "audit", "list", "--limit", limit, "--json")
        assert (result.exit_code, len(json.loads(result.stdout))) == (0, shown)
        assert ("--limit" in result.stderr) is more


@pytest.mark.parametrize(
    ("line", "method", "answer", "secret"),
    [
        (
            "vendors invite v",
            "CreateOnboardingCode",
            made(vendor_service_pb2.CreateOnboardingCodeResponse, code="once-1"),
            "once-1",
        ),
        (
            "vendors rotate v",
            "RotateCredential",
            made(vendor_service_pb2.RotateCredentialResponse, client_secret="once-2"),
            "once-2",
        ),
        (
            "accounts create --login z --name z --number 1 --role analyst",
            "CreateAccount",
            made(account_service_pb2.CreateAccountResponse, activation_code="once-3"),
            "once-3",
        ),
        (
            "accounts reset a",
            "ResetAccount",
            made(account_service_pb2.ResetAccountResponse, activation_code="once-4"),
            "once-4",
        ),
    ],
)
async def test_what_is_shown_once_is_printed_once_with_a_note(
    city: Any, line: str, method: str, answer: Any, secret: str
) -> None:
    city.says(method, answer)
    for options in ((), ("--json",)):
        result = await city.run("admin", *line.split(), *options)
        assert result.exit_code == 0, result.output
        assert result.stdout.count(secret) == 1
        assert secret not in result.stderr
        assert "not shown again" in result.stderr
        assert "不再显示" in result.stderr
    json.loads(result.stdout)


def refuse(code: grpc.StatusCode, reason: str = "") -> Any:
    def answer(_: Any) -> Any:
        raise RefusedError(code, reason)

    return answer


async def test_a_refusal_names_the_field_in_both_languages(city: Any) -> None:
    city.says("CreateVendor", refuse(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"))
    result = await city.run("admin", "vendors", "create", "--name", "甲")
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert "INVALID_FIELD" in line
    assert "records: 1 to 1,000 1 至 1,000 条" in line
    assert "request-1" in line


async def test_a_platform_that_does_not_answer_is_exit_code_3(city: Any) -> None:
    city.says("ListVendors", refuse(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"))
    assert (await city.run("admin", "vendors", "list")).exit_code == 3
    nowhere = ("--url", "https://localhost:1", "--client-id", "x", "--client-secret", "y")
    result = await city.run("admin", "vendors", "list", *nowhere)
    assert result.exit_code == 3
    assert "cannot be reached" in result.stderr


async def test_what_changes_something_is_sent_once(city: Any) -> None:
    for line, method in (("rotate v", "RotateCredential"), ("invite v", "CreateOnboardingCode")):
        city.platform.requests.clear()
        city.says(method, refuse(grpc.StatusCode.UNAVAILABLE))
        assert (await city.run("admin", "vendors", *line.split())).exit_code == 3
        assert len(city.platform.requests) == 1
    city.platform.requests.clear()
    city.says("ListVendors", refuse(grpc.StatusCode.UNAVAILABLE))
    await city.run("admin", "vendors", "list")
    assert len(city.platform.requests) == 3


async def test_a_broken_trail_is_exit_code_1_and_says_where(city: Any) -> None:
    answer = audit_service_pb2.VerifyAuditTrailResponse
    city.says(
        "VerifyAuditTrail", answer(entries=9, first_broken=7, problem="its hash is another", problem_zh="哈希不一致")
    )
    for options in ((), ("--json",)):
        result = await city.run("admin", "audit", "verify", *options)
        assert result.exit_code == 1
        assert "no. 7: its hash is another 哈希不一致" in result.stderr
    assert json.loads(result.stdout)["intact"] is False
    city.says("VerifyAuditTrail", answer(intact=True, entries=9, head_hash="ab" * 32))
    result = await city.run("admin", "audit", "verify")
    assert result.exit_code == 0
    assert f"9:{'ab' * 32}" in result.stderr


async def test_the_options_say_who_asks(city: Any) -> None:
    for office in ("administrator", "security", "audit"):
        city.platform.client_ids.clear()
        await city.done("admin", "rules", "list", "--as", office)
        assert city.platform.client_ids == [f"the-{office}"]
    city.platform.client_ids.clear()
    await city.done("admin", "rules", "list", "--client-id", "another", "--client-secret", "the right one")
    there = ("--url", city.platform.url, "--ca", str(city.platform.ca))
    (city.folder / "demo.json").unlink()
    await city.done("admin", "rules", "list", *there, "--client-id", "a-third", "--client-secret", "the right one")
    assert city.platform.client_ids == ["another", "a-third"]
    assert "make up" in (await city.run("admin", "rules", "list")).stderr


@pytest.mark.parametrize(("suffix", "kind"), [(".csv", "CSV"), (".XLSX", "XLSX")])
async def test_a_survey_is_only_compared_unless_it_is_to_be_applied(
    city: Any, tmp_path: Path, suffix: str, kind: str
) -> None:
    file = tmp_path / f"census{suffix}"
    file.write_bytes(b"\xff\x00content")
    city.says("ImportSurvey", lambda request: made(survey_service_pb2.Survey, dry_run=request.dry_run))
    line = ("admin", "surveys", "import", str(file), "--subject", "berths", "--source", "公安")
    assert "--apply" in (await city.run(*line)).stderr
    assert "--apply" not in (await city.run(*line, "--apply")).stderr
    more = ("--skip-invalid", "--division", "350302", "--counted", "2026-03-14", "--id", "mine")
    await city.done(*line, "--apply", *more)
    compared, applied, described = city.platform.requests
    assert (compared.dry_run, applied.dry_run) == (True, False)
    assert compared.survey_id == applied.survey_id
    assert re.fullmatch("berths-[0-9a-f]{16}", applied.survey_id)
    assert applied == made(
        survey_service_pb2.ImportSurveyRequest,
        survey_id=applied.survey_id,
        subject="SURVEY_SUBJECT_BERTHS",
        format=f"SURVEY_FORMAT_{kind}",
        content=b"\xff\x00content",
        source="公安",
    )
    assert (described.survey_id, described.skip_invalid, described.division_code) == ("mine", True, "350302")
    assert described.effective_time.ToJsonString() == NIGHT
    file.write_bytes(b"another")
    await city.done(*line)
    assert city.platform.requests[-1].survey_id != applied.survey_id


async def test_the_report_of_a_survey_names_lines_and_what_is_wrong(city: Any, tmp_path: Path) -> None:
    wrong = {"column": "泊位类别", "description": "must be one of small", "description_zh": "须为以下之一"}
    survey = made(
        survey_service_pb2.Survey,
        dry_run=True,
        rows=12,
        new_rows=3,
        changed_rows=4,
        unchanged_rows=5,
        missing_rows=6,
        invalid_rows=1,
        unknown_columns=["颜色"],
        details=[
            {"line": 7, "outcome": "SURVEY_OUTCOME_INVALID", "violations": [wrong]},
            {"line": 8, "outcome": "SURVEY_OUTCOME_CHANGED", "key": "PT-1/B1", "fields": ["place"]},
            {"outcome": "SURVEY_OUTCOME_MISSING", "key": "PT-1/B9"},
        ],
    )
    city.says("ImportSurvey", survey)
    (tmp_path / "census.csv").write_text("x")
    line = ("admin", "surveys", "import", str(tmp_path / "census.csv"), "--subject", "berths", "--source", "公安")
    result = await city.run(*line)
    assert result.exit_code == 1
    cells = [[cell.strip() for cell in row.split("│")[1:-1]] for row in result.stdout.splitlines() if "│" in row]
    assert cells == [
        ["12", "3", "4", "5", "6", "1"],
        ["7", "invalid", "", "", "泊位类别: must be one of small 须为以下之一"],
        ["8", "changed", "PT-1/B1", "place", ""],
        ["–", "missing", "PT-1/B9", "", ""],
    ]
    assert "颜色" in result.stderr
    said = json.loads((await city.run(*line, "--json")).stdout)
    assert said["details"][0]["line"] == 7
    city.says("GetSurvey", survey)
    assert "must be one of small" in await city.done("admin", "surveys", "show", "s")


async def test_a_survey_file_is_a_table(city: Any, tmp_path: Path) -> None:
    (tmp_path / "census.pdf").write_text("x")
    line = ("admin", "surveys", "import", str(tmp_path / "census.pdf"), "--subject", "berths", "--source", "公安")
    result = await city.run(*line)
    assert (result.exit_code, ".xlsx" in result.stderr) == (2, True)
    assert (await city.run(*line[:3], "nowhere.csv", *line[4:])).exit_code == 2
