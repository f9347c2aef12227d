"""The platform's list: pure, complete, and understood by those whom it tells something."""

import dataclasses
import re
import stat
from pathlib import Path

import access_records.settings
import edge.settings
import guidance.settings
import history.server.config
import pytest
import registry.settings
import risk_control.settings
from local_platform import credentials, platform
from local_platform.credentials import Credentials
from local_platform.process import Process, ordered
from local_platform.settings import Ports, Settings
from local_platform.up import prepare
from mesh.settings import BaseSettings

EMBEDDED = [
    "log",
    "clickhouse",
    "registry",
    "access-records",
    "history-writer",
    "visits",
    "guidance",
    "risk-control",
    "edge",
    "envoy",
]
READERS: dict[str, type[BaseSettings]] = {
    "registry": registry.settings.Settings,
    "access-records": access_records.settings.Settings,
    "history-writer": access_records.settings.WriterSettings,
    "visits": access_records.settings.VisitSettings,
    "guidance": guidance.settings.Settings,
    "risk-control": risk_control.settings.Settings,
    "edge": edge.settings.Settings,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return credentials.ensure(tmp_path_factory.mktemp("var"), platform.CALLERS)


def listed(made: Credentials, **environ: str) -> dict[str, Process]:
    settings = Settings.from_env({"PARKMESH_VAR": str(made.keys.parent), **environ})
    return {process.name: process for process in platform.processes(settings, made)}


def test_the_embedded_platform_is_complete_and_in_order(made: Credentials) -> None:
    processes = listed(made)
    assert list(processes) == EMBEDDED
    assert [process.name for process in ordered(tuple(processes.values()))][-1] == "envoy"


def test_every_port_is_used_once(made: Credentials) -> None:
    used = [port for process in listed(made, PARKMESH_PORT_BASE="20000").values() for port in process.ports]
    assert sorted(used) == sorted(dataclasses.astuple(Ports.counted_from(20000)))


@pytest.mark.parametrize("name", READERS)
def test_every_service_understands_what_it_is_told(made: Credentials, name: str) -> None:
    prefix = name.upper().replace("-", "_")
    read = READERS[name].from_env(prefix, listed(made)[name].env)
    assert read.caller_key == made.key(name)
    assert read.trusted_callers == made.trusted


def test_clickhouse_understands_what_it_is_told(made: Credentials) -> None:
    read = history.server.config.parse(platform.clickhouse_config(Settings(), made))
    assert [account.kind.value for account in read.accounts] == ["owner", "writer", "reader", "analyst"]


def test_each_account_is_used_by_the_one_it_is_for(made: Credentials) -> None:
    processes = listed(made)
    reads = access_records.settings.Settings.from_env("ACCESS_RECORDS", processes["access-records"].env)
    writes = access_records.settings.WriterSettings.from_env("HISTORY_WRITER", processes["history-writer"].env)
    pairs = access_records.settings.VisitSettings.from_env("VISITS", processes["visits"].env)
    shows = guidance.settings.Settings.from_env("GUIDANCE", processes["guidance"].env)
    assert reads.clickhouse_password.reveal() == made.reader_password
    assert (shows.clickhouse_user, shows.clickhouse_password) == (reads.clickhouse_user, reads.clickhouse_password)
    assert writes.clickhouse_password.reveal() == made.writer_password
    assert pairs.clickhouse_password.reveal() == made.writer_password
    assert writes.clickhouse_owner_password.reveal() == made.owner_password


def test_every_package_of_the_public_contract_has_an_upstream(made: Credentials) -> None:
    upstreams = listed(made)["edge"].env["EDGE_UPSTREAMS"]
    ports = Ports()
    assert dict(part.split("=") for part in upstreams.split(",")) == {
        "parkmesh.registry.v1": f"127.0.0.1:{ports.registry}",
        "parkmesh.access.v1": f"127.0.0.1:{ports.access_records}",
        "parkmesh.guidance.v1": f"127.0.0.1:{ports.guidance}",
    }


def test_servers_of_ones_own_replace_the_embedded_ones(made: Credentials) -> None:
    processes = listed(
        made, REDIS_URL="redis://log:6379", CLICKHOUSE_URL="http://history:8123", DATABASE_URL="postgresql://db/x"
    )
    assert list(processes) == EMBEDDED[2:]
    assert not {"log", "clickhouse"} & {name for process in processes.values() for name in process.depends_on}
    told = processes["access-records"].env
    assert told["ACCESS_RECORDS_REDIS_URL"] == "redis://log:6379"
    assert told["ACCESS_RECORDS_CLICKHOUSE_URL"] == "http://history:8123"
    assert "ACCESS_RECORDS_CLICKHOUSE_PASSWORD" not in told
    assert "ACCESS_RECORDS_LOG_FOLDER" not in told
    assert processes["guidance"].env["GUIDANCE_CLICKHOUSE_URL"] == "http://history:8123"
    assert processes["registry"].env["REGISTRY_DATABASE_URL"] == "postgresql://db/x"


def test_only_the_edge_and_clickhouse_ever_leave_loopback(made: Credentials) -> None:
    processes = listed(made, PARKMESH_HOST="0.0.0.0")
    opened = {name for name, process in processes.items() if "0.0.0.0" in str((process.command, dict(process.env)))}
    assert opened == {"edge"}  # which tells Envoy where to listen
    settings = Settings.from_env({"PARKMESH_HOST": "0.0.0.0"})
    assert platform.clickhouse_config(settings, made)["host"] == "0.0.0.0"
    assert platform.log_server(settings, made).host == "127.0.0.1"


def test_by_default_nothing_leaves_loopback(made: Credentials) -> None:
    for process in listed(made).values():
        told = str((process.command, dict(process.env)))
        assert set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", told)) <= {"127.0.0.1"}


def test_no_secret_shows_in_a_command_or_in_a_repr(made: Credentials) -> None:
    secrets = [
        value for name, value in dataclasses.asdict(made).items() if name != "keys" and not name.endswith("_client_id")
    ]
    for process in listed(made).values():
        assert not any(secret in repr(process) or secret in " ".join(process.command) for secret in secrets)


def test_only_its_owner_reads_the_data(made: Credentials) -> None:
    """Plates stand in it."""
    settings = Settings.from_env({"PARKMESH_VAR": str(made.keys.parent)})
    data = made.keys.parent / "data"
    for _ in ("made", "there already"):
        prepare(settings, made)
        assert [path.name for path in data.iterdir()] == ["log"]
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        data.chmod(0o755)


def test_the_list_is_pure(made: Credentials, tmp_path: Path) -> None:
    settings = Settings.from_env({"PARKMESH_VAR": str(tmp_path / "absent")})
    first, second = platform.processes(settings, made), platform.processes(settings, made)
    assert [process.command for process in first] == [process.command for process in second]
    assert not (tmp_path / "absent").exists()
