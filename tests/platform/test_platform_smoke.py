"""`make up` as a person meets it: ready, reachable, restarting what dies, stopping and starting again."""

import base64
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import psutil
from local_platform.testing import RunningPlatform


def call(platform: RunningPlatform, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """Calls the edge as anybody could; the status and the JSON answer."""
    edge = platform.demo["edge"]
    request = urllib.request.Request(
        edge["url"] + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(
            request, context=ssl.create_default_context(cafile=edge["ca"]), timeout=10
        ) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def token_status(platform: RunningPlatform) -> int:
    vendor = platform.demo["vendor"]
    body = {"clientId": vendor["clientId"], "clientSecret": vendor["clientSecret"]}
    return call(platform, "/v1/token", body)[0]


def analyst_counts(platform: RunningPlatform) -> str:
    clickhouse = platform.demo["clickhouse"]
    login = base64.b64encode(f"{clickhouse['user']}:{clickhouse['password']}".encode()).decode()
    request = urllib.request.Request(
        clickhouse["url"], data=b"SELECT count() >= 0 FROM records", headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text: str = answer.read().decode()
    return text.strip()


def test_the_demo_vendor_gets_a_token_and_nobody_else_gets_in(platform: RunningPlatform) -> None:
    assert token_status(platform) == 200
    status, answer = call(platform, "/v1/lots")
    assert status == 401
    assert answer["code"] == 16


def test_the_analyst_reads_the_published_records(platform: RunningPlatform) -> None:
    assert analyst_counts(platform) in ("1", "true")


def test_what_the_folder_tells_is_for_its_owner_only(platform: RunningPlatform) -> None:
    private = ["demo.json", "secrets.json", "clickhouse.json", *(f"keys/{name}.key" for name in ("token", "registry"))]
    for name in private:
        assert stat.S_IMODE((platform.folder / name).stat().st_mode) == 0o600, name


def test_everything_listens_on_loopback(platform: RunningPlatform) -> None:
    listening = [
        connection.laddr
        for process in psutil.Process(platform.supervisor).children(recursive=True)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert platform.ports.edge in {address.port for address in listening}
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_a_second_start_in_the_same_folder_says_so(platform: RunningPlatform) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "local_platform"],
        env={**os.environ, **platform.environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert second.stdout.count("\n") == 1
    assert second.stdout.startswith(f"This platform is already running (https://localhost:{platform.ports.edge}")


def test_what_is_killed_comes_back(platform: RunningPlatform) -> None:
    for name in ("registry", "envoy"):
        former = platform.pid(name)
        os.kill(former, signal.SIGKILL)
        platform.wait_back(name, former)
    assert token_status(platform) == 200


def test_it_stops_cleanly_and_starts_again_with_the_same_secrets(platform: RunningPlatform) -> None:
    before = platform.demo
    children = psutil.Process(platform.supervisor).children(recursive=True)
    assert platform.stop() == 0
    assert not [child for child in children if child.is_running()]
    platform.start()
    assert {**platform.demo, "processes": {}} == {**before, "processes": {}}
    assert token_status(platform) == 200


def test_after_a_killed_supervisor_the_next_start_works_at_once(platform: RunningPlatform) -> None:
    platform.kill()
    platform.start()
    assert token_status(platform) == 200
    assert analyst_counts(platform) in ("1", "true")
