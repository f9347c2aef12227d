"""A named person uploads by hand what a lot without devices has seen (R6.3), and sees what became of each line."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import pyotp
import pytest
from local_platform.testing import RunningPlatform
from parkmesh_cli import session_file
from parkmesh_cli.collect.entries import entries
from parkmesh_cli.collect.sheet import read
from parkmesh_cli.premises import Site
from parkmesh_cli.session_file import Session
from parkmesh_sdk import Client, Connection

from tests.city import connection, foreign_lot, lots
from tests.scenarios.wire import Wire

COMMAND = Path(sys.executable).parent / "parkmesh"
PASSWORD = "collected 人工 password"
HEADING = "时间,方向,号牌,号牌颜色,车辆类型,出入口,车道\n"
ROWS = """2026-03-14 08:30,入,闽B12345,蓝,小型车,1,1
2026-03-14 08:30,入,闽B54321,蓝,小型车,1,1
2026-03-14 08:31,入,,,小型车,1,1
2026-03-14 09:02:15,出,闽B12345,蓝,小型车,2,1
"""
ATTEMPTS = 30


class Collector(NamedTuple):
    """A collector who has logged in."""

    site: Site
    session: Path
    account_id: str


class Ended(NamedTuple):
    """A command that has run."""

    code: int
    stdout: list[str]
    stderr: str


@pytest.fixture(scope="module")
async def collector(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> Collector:
    """Whose news has arrived: what is assigned to a new account takes a moment to be known everywhere."""
    login = f"c-{uuid.uuid4().hex[:12]}"
    (site,) = await lots(platform, login, 1)
    wire = Wire(platform)

    async def call(path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        answer = await wire.rest("POST", path, json.dumps(body).encode(), token=token)
        assert answer.status == 200, answer
        return answer.content

    account = {
        "login": login,
        "name": "采集员",
        "personNumber": login,
        "role": "ROLE_COLLECTOR",
        "lotIds": [site.lot_id],
    }
    invited = await call("/v1/accounts", account, await wire.token("securityAdministrator"))
    activation = {"activationCode": invited["activationCode"], "password": PASSWORD}
    activated = await call("/v1/sessions:activate", activation)
    totp = pyotp.TOTP(activated["totpSecret"]).now()
    opened = await call("/v1/sessions:login", {"login": login, "password": PASSWORD, "totp": totp})
    edge = platform.demo["edge"]
    held = Connection(edge["url"], opened["credential"]["clientId"], opened["clientSecret"], Path(edge["ca"]))
    session = tmp_path_factory.mktemp("collector") / "session.json"
    session_file.write(session, Session(login, held))
    made = Collector(site, session, invited["account"]["accountId"])
    for _ in range(ATTEMPTS):
        if collect(made, ROWS.replace("2026-03-14", "2026-03-01")).code == 0:
            break
    return made


def collect(who: Collector, text: str, *options: str, lot_id: str = "") -> Ended:
    file = who.session.with_name("noted.csv")
    file.write_text(HEADING + text, encoding="gb18030")
    done = subprocess.run(
        [COMMAND, "collect", file, "--lot", lot_id or who.site.lot_id, "--session", who.session, *options],
        env={name: value for name, value in os.environ.items() if not name.startswith("PARKMESH_")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout.splitlines(), done.stderr)


def summary(accepted: int = 0, duplicate: int = 0, conflicting: int = 0, rejected: int = 0) -> str:
    return (
        f"accepted 已接收 {accepted}, duplicate 重复 {duplicate}, conflicting 冲突 {conflicting}, "
        f"rejected 拒绝 {rejected}, deferred 暂缓 0"
    )


async def test_what_was_noted_is_stored_once(platform: RunningPlatform, collector: Collector) -> None:
    first, second = collect(collector, ROWS), collect(collector, ROWS)
    assert (first.code, first.stdout[-1], first.stderr) == (0, summary(accepted=4), "")
    assert (second.code, second.stdout[-1], second.stderr) == (0, summary(duplicate=4), "")
    continued = ROWS + "2026-03-14 09:40,入,粤B11111,蓝,小型车,1,1\n"
    assert collect(collector, continued).stdout[-1] == summary(accepted=1, duplicate=4)
    async with Client(connection(platform, "administrator")) as administrator:
        for entry in entries(read(collector.session.with_name("noted.csv")), collector.site.lot_id).good:
            stored = await administrator.get_record(collector.site.lot_id, entry.record.record_id)
            assert stored.vendor_id == collector.account_id


async def test_each_line_that_is_not_stored_is_named(platform: RunningPlatform, collector: Collector) -> None:
    noted = ROWS.replace("2026-03-14", "2026-03-15")
    assert collect(collector, noted).code == 0
    changed = noted.replace("闽B54321", "闽B54322") + "2126-03-14 09:40,入,粤B11111,蓝,小型车,1,1\n"
    ended = collect(collector, changed)
    assert (ended.code, ended.stdout[-1]) == (1, summary(duplicate=3, conflicting=1, rejected=1))
    told = [line for line in ended.stdout if line.startswith("line 第")]
    assert told[0].startswith("line 第3行: CONFLICT CONFLICTS_WITH_STORED plateNumber: ")
    assert told[1].startswith("line 第6行: REJECTED EVENT_IN_FUTURE eventTime: ")
    assert "事件时间比平台时钟超前" in told[1]
    assert not any("54322" in line for line in told)


async def test_what_is_unusual_is_told(collector: Collector) -> None:
    ended = collect(collector, "2026-03-16 10:00,入,闽B12345,蓝,小型车,9,1\n")
    assert (ended.code, ended.stdout[-1]) == (0, summary(accepted=1))
    assert "line 第2行: ACCEPTED UNKNOWN_GATE" in ended.stdout


async def test_another_lot_looks_like_none(platform: RunningPlatform, collector: Collector) -> None:
    lot_id = await foreign_lot(platform, f"not-{collector.account_id}")
    ended = collect(collector, ROWS, lot_id=lot_id)
    assert (ended.code, ended.stdout[-1]) == (1, summary(rejected=4))
    assert "line 第2行: REJECTED LOT_NOT_FOUND lotId: there is no such lot" in "\n".join(ended.stdout)


async def test_a_session_that_has_ended_is_told(
    platform: RunningPlatform, collector: Collector, tmp_path: Path
) -> None:
    kept = session_file.read(collector.session)
    edge = platform.demo["edge"]
    wrong = Connection(edge["url"], kept.platform.client_id, "wrong", Path(edge["ca"]))
    session_file.write(tmp_path / "session.json", Session(kept.login, wrong))
    ended = collect(collector._replace(session=tmp_path / "session.json"), ROWS)
    assert ended.code == 1
    assert "parkmesh login" in ended.stderr
