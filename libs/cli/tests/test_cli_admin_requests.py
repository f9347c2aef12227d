"""What every command of `parkmesh admin` asks the platform, word for word, and as whom."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from google.protobuf.json_format import ParseDict
from parkmesh_cli.admin.app import app

NIGHT = "2026-03-13T16:00:00Z"
"""The first moment of 2026-03-14 in Beijing."""
ADMINISTRATOR, SECURITY, AUDIT = "the-administrator", "the-security", "the-audit"
CONTACT = {"name": "王五", "duty": "technical", "phone": "0594-2345678", "email": "w@example.cn"}
CONTACTS = "--contact '王五;technical;0594-2345678;w@example.cn' --contact '李四'"
HASH = "ab" * 32

CASES: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        f"vendors create --name 甲 --requests-per-second 5 {CONTACTS} --reason 新",
        ADMINISTRATOR,
        "CreateVendor",
        {"vendor": {"name": "甲", "requestsPerSecond": 5, "contacts": [CONTACT, {"name": "李四"}]}, "reason": "新"},
    ),
    ("vendors list", ADMINISTRATOR, "ListVendors", {"pageSize": 200}),
    ("vendors show v", ADMINISTRATOR, "GetVendor", {"vendorId": "v"}),
    (
        "vendors update v --name 乙 --clear contacts --clear requestsPerSecond --etag 7",
        ADMINISTRATOR,
        "UpdateVendor",
        {"vendorId": "v", "vendor": {"name": "乙", "etag": "7"}, "updateMask": "name,contacts,requestsPerSecond"},
    ),
    ("vendors invite v --days 2", SECURITY, "CreateOnboardingCode", {"vendorId": "v", "validSeconds": 172_800}),
    ("vendors credentials v", SECURITY, "ListCredentials", {"vendorId": "v", "pageSize": 200}),
    ("vendors rotate v", SECURITY, "RotateCredential", {"vendorId": "v", "overlapSeconds": 86_400}),
    (
        "vendors rotate v --overlap-hours 0 --method signature",
        SECURITY,
        "RotateCredential",
        {"vendorId": "v", "method": "CREDENTIAL_METHOD_SIGNATURE"},
    ),
    ("vendors revoke v c", SECURITY, "RevokeCredential", {"vendorId": "v", "clientId": "c"}),
    (
        "grants give v l --from 2026-03-14 --until 2026-03-14T08:30",
        SECURITY,
        "GrantLot",
        {"vendorId": "v", "lotId": "l", "startTime": NIGHT, "endTime": "2026-03-14T00:30:00Z"},
    ),
    ("grants revoke v l", SECURITY, "RevokeGrant", {"vendorId": "v", "lotId": "l"}),
    ("grants list v", SECURITY, "ListGrants", {"vendorId": "v", "pageSize": 200}),
    (
        f"operators create --name 丙 --credit-code X --address 路 --complaint-phone 12345 {CONTACTS} --reason 因 "
        "--effective '2026-03-14 00:00:00'",
        ADMINISTRATOR,
        "CreateOperator",
        {
            "operator": {
                "name": "丙",
                "creditCode": "X",
                "address": "路",
                "complaintPhone": "12345",
                "contacts": [CONTACT, {"name": "李四"}],
            },
            "reason": "因",
            "effectiveTime": NIGHT,
        },
    ),
    (
        "operators list --as-of 2026-03-14 --known 2026-03-14T01:00:00+09:00",
        ADMINISTRATOR,
        "ListOperators",
        {"asOfTime": NIGHT, "knownTime": NIGHT, "pageSize": 200},
    ),
    ("operators show o --as-of 2026-03-14", ADMINISTRATOR, "GetOperator", {"operatorId": "o", "asOfTime": NIGHT}),
    (
        "operators update o --name 丁 --state closed --reason 因 --effective 2026-03-14",
        ADMINISTRATOR,
        "UpdateOperator",
        {
            "operatorId": "o",
            "operator": {"name": "丁", "state": "OPERATOR_STATE_CLOSED"},
            "updateMask": "name,state",
            "reason": "因",
            "effectiveTime": NIGHT,
        },
    ),
    (
        "lots list --operator o --division 350302 --state draft --as-of 2026-03-14 --known 2026-03-14",
        ADMINISTRATOR,
        "ListLots",
        {
            "operatorId": "o",
            "divisionCode": "350302",
            "state": "LOT_STATE_DRAFT",
            "asOfTime": NIGHT,
            "knownTime": NIGHT,
            "pageSize": 200,
        },
    ),
    ("lots show l --as-of 2026-03-14", ADMINISTRATOR, "GetLot", {"lotId": "l", "asOfTime": NIGHT}),
    ("lots submit l --etag 3", ADMINISTRATOR, "SubmitLot", {"lotId": "l", "etag": "3"}),
    (
        "lots review l --state suspended --comment 整改 --etag 3 --as administrator",
        ADMINISTRATOR,
        "ReviewLot",
        {"lotId": "l", "state": "LOT_STATE_SUSPENDED", "comment": "整改", "etag": "3"},
    ),
    ("lots changes l --limit 7", ADMINISTRATOR, "ListChanges", {"lotId": "l", "newestFirst": True, "pageSize": 8}),
    ("gates list l --as-of 2026-03-14", ADMINISTRATOR, "ListGates", {"lotId": "l", "asOfTime": NIGHT, "pageSize": 200}),
    ("devices list l", ADMINISTRATOR, "ListDevices", {"lotId": "l", "pageSize": 200}),
    ("berths list l", ADMINISTRATOR, "ListBerths", {"lotId": "l", "pageSize": 200}),
    (
        "rules add static-change-report-hours --number 0 --basis '莆公规 第六条' --from 2026-03-14 --until 2026-03-14 "
        "--reason 因",
        ADMINISTRATOR,
        "CreateRule",
        {
            "rule": {
                "name": "RULE_NAME_STATIC_CHANGE_REPORT_HOURS",
                "basis": "莆公规 第六条",
                "startTime": NIGHT,
                "endTime": NIGHT,
            },
            "reason": "因",
        },
    ),
    (
        "rules add berth-code-pattern --text [A-Z]+ --basis 乙 --from 2026-03-14",
        ADMINISTRATOR,
        "CreateRule",
        {"rule": {"name": "RULE_NAME_BERTH_CODE_PATTERN", "text": "[A-Z]+", "basis": "乙", "startTime": NIGHT}},
    ),
    ("rules end r --at 2026-03-14", ADMINISTRATOR, "EndRule", {"ruleId": "r", "endTime": NIGHT}),
    ("rules list", ADMINISTRATOR, "ListRules", {"pageSize": 200}),
    ("surveys show s --author platform", ADMINISTRATOR, "GetSurvey", {"surveyId": "s", "author": "platform"}),
    ("surveys list", ADMINISTRATOR, "ListSurveys", {"pageSize": 200}),
    (
        "changes list --late --kind lot --kind gate --lot l --author a --survey s --from 2026-03-14 "
        "--until 2026-03-14 --oldest --limit 300",
        ADMINISTRATOR,
        "ListChanges",
        {
            "lateOnly": True,
            "kinds": ["FACT_KIND_LOT", "FACT_KIND_GATE"],
            "lotId": "l",
            "author": "a",
            "changeSet": "s",
            "reportedFrom": NIGHT,
            "reportedBefore": NIGHT,
            "pageSize": 200,
        },
    ),
    (
        "changes inbox --late --lot l --limit 9 --as administrator",
        ADMINISTRATOR,
        "ListChanges",
        {"awaitingReceipt": True, "lateOnly": True, "lotId": "l", "pageSize": 10},
    ),
    ("changes receive 3 7-9 8 --as audit", AUDIT, "ReceiveChanges", {"revisions": [3, 7, 8, 9]}),
    (
        "accounts create --login zhang --name 张三 --number A1 --role collector --lot l --lot m --operator o "
        "--department police --reason 因",
        SECURITY,
        "CreateAccount",
        {
            "account": {
                "login": "zhang",
                "name": "张三",
                "personNumber": "A1",
                "role": "ROLE_COLLECTOR",
                "lotIds": ["l", "m"],
                "operatorId": "o",
                "department": "police",
            },
            "reason": "因",
        },
    ),
    ("accounts list", SECURITY, "ListAccounts", {"pageSize": 200}),
    ("accounts confirm a --reason 因", ADMINISTRATOR, "ConfirmAccount", {"accountId": "a", "reason": "因"}),
    *(
        (f"accounts {verb} a --reason 因", SECURITY, f"{verb.title()}Account", {"accountId": "a", "reason": "因"})
        for verb in ("lock", "unlock", "close", "reset")
    ),
    (
        "audit list --from 2026-03-14 --until 2026-03-14 --subject s --account a --action A.B --limit 1",
        AUDIT,
        "ListAuditEntries",
        {
            "fromTime": NIGHT,
            "beforeTime": NIGHT,
            "subject": "s",
            "accountId": "a",
            "action": "A.B",
            "newestFirst": True,
            "pageSize": 2,
        },
    ),
    (f"audit verify --known 5:{HASH}", AUDIT, "VerifyAuditTrail", {"knownNumber": "5", "knownHash": HASH}),
    (
        "coverage",
        ADMINISTRATOR,
        "ListLotCoverage",
        {
            "coverageStates": [
                "COVERAGE_STATE_NOT_CONNECTED",
                "COVERAGE_STATE_NEVER_REPORTED",
                "COVERAGE_STATE_SILENT",
            ],
            "pageSize": 200,
        },
    ),
    (
        "coverage --state reporting --division 350300 --silent-after 6 --out-of-scope",
        ADMINISTRATOR,
        "ListLotCoverage",
        {
            "coverageStates": ["COVERAGE_STATE_REPORTING"],
            "divisionCode": "350300",
            "silentAfterHours": 6,
            "includeOutOfScope": True,
            "pageSize": 200,
        },
    ),
]
ELSEWHERE = {"surveys import", "surveys template"}
"""Tested by themselves."""


@pytest.mark.parametrize(("line", "who", "method", "fields"), CASES, ids=[case[0] for case in CASES])
async def test_a_command_asks_for_this(city: Any, line: str, who: str, method: str, fields: dict[str, Any]) -> None:
    if method == "VerifyAuditTrail":
        city.says(method, city.methods[method].answer(intact=True))
    await city.done("admin", *shlex.split(line))
    assert city.platform.requests == [ParseDict(fields, city.methods[method].request())]
    assert city.platform.client_ids == [who]


def commands(noun: typer.Typer = app, before: str = "") -> Iterator[str]:
    """All commands there are."""
    for command in noun.registered_commands:
        assert command.callback is not None
        yield f"{before}{command.name or command.callback.__name__.strip('_').replace('_', '-')}"
    for group in noun.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, f"{before}{group.name} ")


def test_no_command_is_forgotten_here() -> None:
    named = {" ".join(re.findall("[a-z]+", case[0])[: 1 if case[0].startswith("coverage") else 2]) for case in CASES}
    assert named | ELSEWHERE == set(commands())


@pytest.mark.parametrize("command", sorted(commands()))
async def test_help_speaks_both_languages(city: Any, command: str) -> None:
    said = await city.done("admin", *command.split(), "--help")
    assert re.search("[a-z]{3}", said)
    assert re.search("[\u4e00-\u9fff]", said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rules add silent --number 1 --basis 乙 --from 2026-03-14", "lot-silent-after-hours"),
        ("rules add lot-silent-after-hours --basis 乙 --from 2026-03-14", "--number or --text"),
        ("rules add lot-silent-after-hours --basis 乙 --from 2026-03-14 --number 1 --text 1", "--number or --text"),
        ("rules add lot-silent-after-hours --basis 乙 --number 1 --from 2026-02-30", "2026-03-14T08:30"),
        ("lots show l --as-of yesterday", "2026-03-14T08:30"),
        ("lots list --state open", "suspended"),
        ("vendors create --name 甲 --contact ;x", "name;duty;phone;email"),
        ("vendors update v", "nothing to change"),
        ("vendors update v --clear nothing", "requestsPerSecond"),
        ("vendors rotate v --overlap-hours 721", "720"),
        ("changes receive 9-3", "12-20"),
        ("changes receive x", "12-20"),
        ("changes receive 0", "12-20"),
        ("changes receive 1-1001", "12-20"),
        (f"changes receive {'9' * 19}", "12-20"),
        ("vendors create --name 甲 --requests-per-second 100001", "100000"),
        (f"rules add lot-silent-after-hours --basis 乙 --from 2026-03-14 --number {'9' * 30}", "1000000"),
        (f"audit verify --known {HASH}", "64 hexadecimal digits"),
        ("vendors list --ca ca.pem", "--url"),
        ("vendors list --url https://localhost:1", "--client-id"),
        ("vendors list --client-id x", "--client-secret"),
        ("vendors list --as vendor", "administrator"),
        ("vendors delete v", "No such command"),
    ],
)
async def test_what_makes_no_sense_is_told_before_anybody_is_asked(city: Any, line: str, said: str) -> None:
    result = await city.run("admin", *shlex.split(line))
    assert result.exit_code == 2, result.output
    assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", result.stderr).split())
    assert result.stdout == ""
    assert city.platform.requests == []
