"""What must be free before anything starts, what is kept secret, and what the settings make of the environment."""

import dataclasses
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from local_platform import credentials
from local_platform.claim import NotFree, check_ports, claimed, is_free
from local_platform.probes import TcpProbe
from local_platform.process import Process
from local_platform.settings import Ports, Settings, SettingsError

HOLDING = """
import sys, time
from pathlib import Path
from local_platform.claim import claimed
with claimed(Path(sys.argv[1]), "edge https://localhost:8443"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_belongs_to_one_platform_until_that_one_dies(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDING, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(NotFree, match=r"already running \(edge https://localhost:8443\)"):
                claimed(tmp_path, "mine").__enter__()
        finally:
            holder.kill()
    with claimed(tmp_path, "mine"):
        assert (tmp_path / "lock").read_text() == "mine"


def test_a_taken_port_is_named_with_the_setting_that_shifts_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        process = Process("edge", ("true",), TcpProbe("127.0.0.1", port), ports=(port,))
        with pytest.raises(NotFree, match=rf"^Port {port}, needed by edge, is taken: .*PARKMESH_PORT_BASE=[^\n]*$"):
            check_ports([process], "127.0.0.1")
    check_ports([process], "127.0.0.1")


def test_a_port_shared_by_reuse_counts_as_taken() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        assert not is_free(taken.getsockname()[1], "127.0.0.1")


def test_secrets_are_made_once_and_belong_to_their_owner(tmp_path: Path) -> None:
    first = credentials.ensure(tmp_path, ["registry", "risk-control"])
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path).as_posix() for path in files} == {
        "secrets.json",
        "keys/master.key",
        "keys/registry.key",
        "keys/report.key",
        "keys/report.pem",
        "keys/risk-control.key",
        "keys/token.key",
        "keys/token.pem",
        "keys/trusted/registry.pem",
        "keys/trusted/risk-control.pem",
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert credentials.ensure(tmp_path, ["registry", "risk-control"]) == first
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_secrets_differ_and_never_show(tmp_path: Path) -> None:
    made = credentials.ensure(tmp_path, [])
    values = [
        value for name, value in dataclasses.asdict(made).items() if name != "keys" and not name.endswith("_client_id")
    ]
    assert len(set(values)) == len(values)
    assert all(len(value) >= 32 and value not in repr(made) for value in values)


def test_a_new_kind_of_secret_is_added_to_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"log_password": "kept"}')
    made = credentials.ensure(tmp_path, [])
    assert made.log_password == "kept"
    assert credentials.ensure(tmp_path, []) == made


def test_a_private_file_is_never_readable_by_others_while_it_is_written(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        credentials.write_private(tmp_path / "secret", "text")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_one_setting_shifts_every_port() -> None:
    shifted = Settings.from_env({"PARKMESH_PORT_BASE": "20000"}).ports
    assert sorted(dataclasses.astuple(shifted)) == list(range(20000, 20000 + len(dataclasses.fields(Ports))))
    assert shifted.edge == 20000
    assert not set(dataclasses.astuple(shifted)) & set(dataclasses.astuple(Ports()))


def test_without_settings_the_ports_are_the_documented_ones_on_loopback() -> None:
    settings = Settings.from_env({})
    assert (settings.host, settings.ports.edge, settings.ports.clickhouse) == ("127.0.0.1", 8443, 8123)
    assert len(set(dataclasses.astuple(settings.ports))) == len(dataclasses.fields(Ports))
    assert settings.var == Path("var").absolute()


@pytest.mark.parametrize("base", ["80", "65535", "many", "-1"])
def test_a_base_that_cannot_be_is_refused_by_name(base: str) -> None:
    with pytest.raises(SettingsError, match="PARKMESH_PORT_BASE"):
        Settings.from_env({"PARKMESH_PORT_BASE": base})


def test_real_servers_are_chosen_by_the_environment_and_their_secrets_do_not_show() -> None:
    settings = Settings.from_env({"REDIS_URL": "redis://:hidden@log:6379", "DATABASE_URL": "postgresql://p@db/x"})
    assert settings.redis_url == "redis://:hidden@log:6379"
    assert settings.database_url == "postgresql://p@db/x"
    assert "hidden" not in repr(settings)
