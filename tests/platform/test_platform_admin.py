"""The authority's work from a terminal, on a running platform."""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyotp
import pytest
from local_platform.testing import RunningPlatform
from parkmesh.registry.v1 import token_service_pb2 as tokens
from parkmesh.registry.v1.survey_service_pb2 import SurveySubject
from parkmesh_cli.admin.census import sheet
from parkmesh_cli.main import app
from parkmesh_sdk import Client, Connection, Method, PlatformError, RetryPolicy
from parkmesh_sdk.grpc_transport import GrpcTransport
from registry.surveys.columns import SUBJECTS, columns
from typer.testing import CliRunner

from tests.city import foreign_lot

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).parent / "parkmesh"
PASSWORD = "停车 is not so easy"
LONGEST_S = 30
_EXCHANGE = Method.of(
    tokens.DESCRIPTOR,
    "TokenService",
    "ExchangeOnboardingCode",
    tokens.ExchangeOnboardingCodeRequest,
    tokens.ExchangeOnboardingCodeResponse,
)


def parkmesh(platform: RunningPlatform, *arguments: str) -> Any:
    """Runs the command in this process, beside the event loop of the test."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(CliRunner().invoke, app, arguments, env=environ(platform)).result()


def typed_to(platform: RunningPlatform, command: str, *arguments: str, typed: str) -> str:
    """What the command prints to somebody who types; it has no terminal, so that it reads passwords from stdin."""
    done = subprocess.run(
        [COMMAND, command, *arguments],
        env={**os.environ, **environ(platform)},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return done.stdout


def environ(platform: RunningPlatform) -> dict[str, str]:
    """That of somebody who works on this platform."""
    return {**platform.environ, "XDG_STATE_HOME": str(platform.folder / "state")}


def admin(platform: RunningPlatform, *arguments: str) -> Any:
    """What `parkmesh admin … --json` says; it must succeed."""
    done = parkmesh(platform, "admin", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def vendor_connection(platform: RunningPlatform, client_id: str, client_secret: str) -> Connection:
    edge = platform.demo["edge"]
    return Connection(edge["url"], client_id, client_secret, Path(edge["ca"]))


async def exchanged(platform: RunningPlatform, code: str) -> tokens.ExchangeOnboardingCodeResponse:
    transport = GrpcTransport(vendor_connection(platform, "", ""))
    try:
        return await transport.call(_EXCHANGE, tokens.ExchangeOnboardingCodeRequest(code=code), "", 10)
    finally:
        await transport.close()


async def lots_seen(client: Client) -> list[str]:
    return [lot.lot_id async for lot in client.list_lots()]


async def refused(client: Client) -> str:
    """Waits until the client is refused, and says for what reason."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        try:
            await lots_seen(client)
        except PlatformError as error:
            return error.reason
    pytest.fail("it is still let in")


async def test_a_vendor_is_invited_granted_rotated_and_revoked(platform: RunningPlatform) -> None:
    lot_id = await foreign_lot(platform, "admin-grant")
    vendor_id = admin(platform, "vendors", "create", "--name", "命令行厂商")["vendorId"]
    code = admin(platform, "vendors", "invite", vendor_id)["code"]
    first = await exchanged(platform, code)
    with pytest.raises(PlatformError):
        await exchanged(platform, code)
    admin(platform, "grants", "give", vendor_id, lot_id)
    assert [grant["lotId"] for grant in admin(platform, "grants", "list", vendor_id)] == [lot_id]
    second = admin(platform, "vendors", "rotate", vendor_id, "--overlap-hours", "1")

    once = RetryPolicy(attempts=1)
    ids = first.credential.client_id, second["credential"]["clientId"]
    async with (
        Client(vendor_connection(platform, ids[0], first.client_secret), retry=once) as old,
        Client(vendor_connection(platform, ids[1], second["clientSecret"]), retry=once) as new,
    ):
        assert await lots_seen(old) == await lots_seen(new) == [lot_id]
        assert admin(platform, "vendors", "revoke", vendor_id, ids[0])["revoked"] is True
        assert await refused(old) in ("BAD_CREDENTIAL", "UNAUTHENTICATED")
        assert await lots_seen(new) == [lot_id]
        admin(platform, "grants", "revoke", vendor_id, lot_id)
        assert await lots_seen(new) == []
    listed = {each["clientId"]: each["revoked"] for each in admin(platform, "vendors", "credentials", vendor_id)}
    assert listed == {ids[0]: True, ids[1]: False}


def test_a_refusal_is_one_line_in_both_languages(platform: RunningPlatform) -> None:
    done = parkmesh(platform, "admin", "vendors", "create", "--name", " 前有空格")
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "vendor.name: must not begin or end with a blank" in line
    assert "首尾不得有空格" in line
    assert "前有空格" not in line


async def test_what_is_reported_too_late_is_found_with_its_basis(platform: RunningPlatform) -> None:
    rule = admin(
        platform,
        *("rules", "add", "static-change-report-hours", "--number", "48"),
        *("--basis", "莆公规〔2024〕1号 第六条", "--from", "2024-01-01"),
    )
    assert rule["startTime"] == "2024-01-01T00:00:00.000+08:00"
    assert rule["ruleId"] in [each["ruleId"] for each in admin(platform, "rules", "list")]
    code = "91350300M000100Y43"
    operator = ("--name", "晚报公司", "--credit-code", code, "--effective", "2026-03-14")
    made = admin(platform, "operators", "create", *operator)["operatorId"]
    late = [each for each in admin(platform, "changes", "list", "--late") if each["name"] == f"operators/{made}"]
    assert [each["lateness"]["basis"] for each in late] == ["莆公规〔2024〕1号 第六条"]
    assert late[0]["effectiveTime"] == "2026-03-14T00:00:00.000+08:00"
    assert late[0]["lateness"]["deadlineTime"] == "2026-03-16T00:00:00.000+08:00"
    shown = parkmesh(platform, "admin", "changes", "list", "--late")
    assert "late 逾期" in shown.stdout
    ended = admin(platform, "rules", "end", rule["ruleId"])
    assert ended["endTime"]


def survey(platform: RunningPlatform, file: Path, subject: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Imports a census of the city's own; the exit code and the report."""
    line = ("admin", "surveys", "import", str(file), "--subject", subject, "--source", "市公安局", "--json", *options)
    done = parkmesh(platform, *line)
    assert done.stdout, done.stderr
    return done.exit_code, json.loads(done.stdout)


async def test_a_census_of_berths_is_compared_then_applied(platform: RunningPlatform, tmp_path: Path) -> None:
    lot_id = await foreign_lot(platform, "admin-census")
    file = tmp_path / "berths.csv"
    file.write_text("停车场登记编号,泊位编号,泊位类别,位置描述\nadmin-census,B1,小型车,东\nadmin-census,B2,飞机,西\n")
    code, report = survey(platform, file, "berths")
    assert (code, report["dryRun"], report["newRows"], report["invalidRows"]) == (1, True, 1, 1)
    (wrong,) = (row for row in report["details"] if row["outcome"] == "SURVEY_OUTCOME_INVALID")
    assert (wrong["line"], wrong["violations"][0]["column"]) == (3, "泊位类别")
    assert wrong["violations"][0]["description"]
    assert wrong["violations"][0]["descriptionZh"]
    assert admin(platform, "berths", "list", lot_id) == []

    file.write_text("停车场登记编号,泊位编号,泊位类别,位置描述\nadmin-census,B1,小型车,东\nadmin-census,B2,大型车,西\n")
    assert survey(platform, file, "berths")[1]["newRows"] == 2
    assert admin(platform, "berths", "list", lot_id) == []
    code, report = survey(platform, file, "berths", "--apply")
    assert (code, report["dryRun"], report["newRows"]) == (0, False, 2)
    assert [each["berthId"] for each in admin(platform, "berths", "list", lot_id)] == ["B1", "B2"]
    assert survey(platform, file, "berths", "--apply") == (0, report)
    came = admin(platform, "changes", "list", "--survey", report["surveyId"])
    assert sorted(each["name"] for each in came) == [f"lots/{lot_id}/berths/{berth}" for berth in ("B1", "B2")]
    assert report["surveyId"] in [each["surveyId"] for each in admin(platform, "surveys", "list")]
    assert admin(platform, "surveys", "show", report["surveyId"])["newRows"] == 2


@pytest.mark.parametrize("subject", list(SUBJECTS))
def test_the_template_has_the_columns_that_the_registry_reads(subject: SurveySubject.ValueType) -> None:
    known = columns(subject)
    assert sheet(subject)[0] == "\ufeff"
    assert list(csv.reader(io.StringIO(sheet(subject)[1:]))) == [
        [column.chinese for column in known],
        [column.example for column in known],
    ]


async def test_a_supervisor_logs_in_reviews_a_lot_and_empties_the_inbox(platform: RunningPlatform) -> None:
    line = ("--login", "admin.chen", "--name", "陈警官", "--number", "ADM-1", "--role", "supervisor")
    made = admin(platform, "accounts", "create", *line, "--department", "police")
    printed = typed_to(platform, "activate", typed=f"{made['activationCode']}\n{PASSWORD}\n{PASSWORD}\n")
    login, secret, uri = printed.split()
    assert (login, uri.partition(":")[0]) == ("admin.chen", "otpauth")
    typed_to(platform, "login", "--login", login, typed=f"{PASSWORD}\n{pyotp.TOTP(secret).now()}\n")
    done = parkmesh(platform, "admin", "audit", "list", "--as", "session")
    assert (done.exit_code, "METHOD_NOT_ALLOWED" in done.stderr) == (1, True), done.stderr

    lot_id = await foreign_lot(platform, "admin-review")
    reviewed = admin(platform, "lots", "review", lot_id, "--state", "suspended", "--comment", "整改")
    assert (reviewed["state"], reviewed["review"]["comment"]) == ("LOT_STATE_SUSPENDED", "整改")
    assert admin(platform, "lots", "show", lot_id)["state"] == "LOT_STATE_SUSPENDED"
    inbox = ("changes", "inbox", "--lot", lot_id)
    numbers = [each["revision"] for each in admin(platform, *inbox)]
    assert len(numbers) == 2
    assert admin(platform, "changes", "receive", *numbers)["received"] == 2
    assert admin(platform, *inbox) == []
    assert [each["revision"] for each in admin(platform, "lots", "changes", lot_id)] == numbers[::-1]

    assert parkmesh(platform, "logout").exit_code == 0
    done = parkmesh(platform, "admin", *inbox)
    assert (done.exit_code, "parkmesh login" in done.stderr) == (1, True)
    admin(platform, "accounts", "close", made["account"]["accountId"], "--reason", "测试结束")


async def test_lots_that_nobody_speaks_for_are_listed(platform: RunningPlatform) -> None:
    lot_id = await foreign_lot(platform, "admin-coverage")
    end = time.monotonic() + LONGEST_S
    while True:
        found = {each["lotId"]: each["coverageState"] for each in admin(platform, "coverage")}
        if found.get(lot_id) == "COVERAGE_STATE_NOT_CONNECTED":
            break
        assert time.monotonic() < end, found
        await asyncio.sleep(0.2)


def test_the_trail_is_verified_against_what_was_noted(platform: RunningPlatform) -> None:
    found = admin(platform, "audit", "verify")
    assert found["intact"] is True
    noted = f"{found['entries']}:{found['headHash']}"
    admin(platform, "operators", "list")
    assert admin(platform, "audit", "verify", "--known", noted)["intact"] is True
    done = parkmesh(platform, "admin", "audit", "verify", "--known", f"{found['entries']}:{'0' * 64}")
    assert done.exit_code == 1
    assert f"no. {found['entries']}" in done.stderr
