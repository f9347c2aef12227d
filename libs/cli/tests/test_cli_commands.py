"""The command as a person meets it when something is wrong: one line, an exit code that says what, no traceback."""

import json
from pathlib import Path

import pytest
from parkmesh_cli.main import app
from typer.testing import CliRunner

LOTS = "lot,name,capacity\na,P,10\n"
READINGS = "time,lot,free\n2100-01-01T00:00:00Z,a,3\n2100-01-01T01:00:00Z,a,1\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "lots.csv").write_text(LOTS)
    (tmp_path / "free.csv").write_text(READINGS)
    return ["replay", "--lots", str(tmp_path / "lots.csv"), "--free-spaces", str(tmp_path / "free.csv")]


def failed(arguments: list[str], code: int = 1) -> str:
    """The one line that the command says."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("parkmesh: ")
    return line


def demo_file(folder: Path, **changes: object) -> Path:
    account = {"clientId": "client-1", "clientSecret": "secret-1", "vendorId": "vendor-1"}
    content = {
        "edge": {"url": "https://localhost:1", "ca": str(folder / "ca.pem")},
        "vendor": account,
        "administrator": account,
        "securityAdministrator": account,
        "auditAdministrator": account,
        "clickhouse": {"url": "http://localhost:1", "user": "analyst", "password": "secret-1", "database": "parkmesh"},
    }
    (folder / "demo.json").write_text(json.dumps({**content, **changes}))
    return folder / "demo.json"


@pytest.mark.parametrize("protocol", ["--grpc", "--rest"])
def test_a_platform_that_does_not_run(files: list[str], protocol: str) -> None:
    account = ["--client-id", "client-1", "--client-secret", "secret-1"]
    line = failed([*files, protocol, "--url", "https://localhost:1", *account], code=3)
    assert "cannot be reached" in line
    assert "make up" in line


def test_a_platform_that_never_ran(files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARKMESH_VAR", str(tmp_path))
    assert "make up" in failed(files)
    assert "make up" in failed(["demo"])
    assert "make up" in failed(["query", "SELECT 1"])
    assert "make up" in failed(["near", "25.45", "119.01"])


def test_a_file_that_is_not_what_was_written(files: list[str], tmp_path: Path) -> None:
    assert "is not what `make up` writes" in failed([*files, "--demo", str(demo_file(tmp_path, vendor={}))])


def test_a_ca_file_that_is_missing_or_none(files: list[str], tmp_path: Path) -> None:
    demo = ["--demo", str(demo_file(tmp_path))]
    assert "no such CA file" in failed([*files, *demo])
    (tmp_path / "ca.pem").write_text("nothing")
    assert "holds no certificate" in failed([*files, *demo])
    assert "holds no certificate" in failed([*files, *demo, "--rest"])


def test_a_history_that_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    assert "cannot be reached" in failed(["query", "SELECT 1", "--demo", str(demo_file(tmp_path))])


def test_a_bad_row_is_named(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "free.csv").write_text(READINGS + "later,a,1\n")
    assert "free.csv, line 4: time must be" in failed([*files, "--demo", str(demo_file(tmp_path))])


def test_a_day_in_which_nothing_happens(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "free.csv").write_text("time,lot,free\n")
    assert "nothing to replay" in failed([*files, "--demo", str(demo_file(tmp_path))])


def test_a_lot_larger_than_all_vehicles_there_are(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "lots.csv").write_text("lot,name,capacity\na,P,1300000\n")
    assert "more than the 1,200,000 vehicles" in failed([*files, "--demo", str(demo_file(tmp_path))])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--url", "https://localhost:1"], "--client-id"),
        (["--client-id", "client-1"], "add its --url"),
        (["--url", "http://localhost:1", "--client-id", "a", "--client-secret", "b"], "https://host:port"),
        (
            ["--url", "https://localhost:1", "--client-id", "a", "--client-secret", "b", "--admin-client-id", "c"],
            "--admin-client-secret",
        ),
        (
            [
                *("--url", "https://localhost:1", "--client-id", "a", "--client-secret", "b", "--vendor-id", "v"),
                *("--admin-client-id", "c", "--admin-client-secret", "d"),
            ],
            "--security-client-id",
        ),
        (["--security-client-id", "client-1"], "add its --url"),
    ],
)
def test_options_that_do_not_go_together(files: list[str], options: list[str], said: str) -> None:
    assert said in failed([*files, *options])


def test_a_batch_larger_than_the_platform_takes_is_a_usage_error(files: list[str]) -> None:
    assert CliRunner().invoke(app, [*files, "--batch-size", "1001"]).exit_code == 2


def test_help_speaks_both_languages() -> None:
    for arguments in ([], ["replay"], ["demo"], ["query"], ["near"]):
        result = CliRunner().invoke(app, [*arguments, "--help"])
        assert result.exit_code == 0
        assert any("\u4e00" <= character <= "\u9fff" for character in result.output)
