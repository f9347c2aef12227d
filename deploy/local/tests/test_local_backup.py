"""What is not a whole and sound backup is refused, by name, before anything is touched."""

import asyncio
from pathlib import Path

import pytest
from eventlog.server import free_port
from local_platform.backup import fingerprint_file
from local_platform.backup.create import create
from local_platform.backup.manifest import NAME, BackupError, LogMark, Manifest, seal
from local_platform.backup.restore import restore
from local_platform.backup.verify import verify
from local_platform.claim import claimed
from local_platform.settings import Settings
from parkmesh_cli.main import app
from typer.testing import CliRunner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished backup, as far as its files can tell."""
    made = tmp_path / "backup"
    for name in ("history/rows/data.bin", "log/appendonlydir/appendonly.aof.1.incr.aof", "runtime/secrets.json"):
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 100)
    fingerprint_file.write(made, {})
    finished(made)
    return made


def finished(made: Path) -> None:
    marks = {"records": LogMark("epoch", [7], [5])}
    Manifest(begun="then", ended="later", versions={}, logs=marks, files=seal(made)).write(made)


def refused(folder: Path, var: Path) -> str:
    """What verify and restore say, which is the same; nothing is put in place."""
    with pytest.raises(BackupError) as verifying:
        asyncio.run(verify(Settings(var=var), folder, against_platform=False))
    with pytest.raises(BackupError) as restoring:
        asyncio.run(restore(Settings(var=var), folder))
    assert str(restoring.value) == str(verifying.value)
    assert not var.exists()
    assert not list(var.parent.glob("*.restoring"))
    return str(verifying.value)


def test_a_sound_backup_passes(folder: Path, tmp_path: Path) -> None:
    assert asyncio.run(verify(Settings(var=tmp_path / "var"), folder, against_platform=False)) is None
    said = CliRunner().invoke(app, ["backup", "verify", str(folder)])
    assert said.exit_code == 0, said.output
    read = Manifest.read(folder)
    assert read.logs == {"records": LogMark("epoch", [7], [5])}
    assert len(read.files) == 4


def test_a_flipped_byte_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    path = folder / "history/rows/data.bin"
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    assert "history/rows/data.bin is damaged" in refused(folder, tmp_path / "var")


def test_a_cut_file_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    path = folder / "log/appendonlydir/appendonly.aof.1.incr.aof"
    path.write_bytes(path.read_bytes()[:-1])
    assert "appendonly.aof.1.incr.aof is damaged" in refused(folder, tmp_path / "var")


def test_a_missing_file_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    (folder / "runtime/secrets.json").unlink()
    assert "runtime/secrets.json is missing" in refused(folder, tmp_path / "var")


def test_a_file_that_does_not_belong_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    (folder / "log/appendonlydir/other.aof").write_text("x")
    assert "other.aof does not belong" in refused(folder, tmp_path / "var")


def test_a_backup_that_was_not_finished_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / NAME).unlink()
    assert "no finished backup" in refused(folder, tmp_path / "var")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', '{"format": 2}'])
def test_a_manifest_that_cannot_be_read_is_refused(folder: Path, tmp_path: Path, content: str) -> None:
    (folder / NAME).write_text(content)
    assert refused(folder, tmp_path / "var")


def test_nothing_is_overwritten(folder: Path, tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir()
    (var / "secrets.json").write_text("{}")
    with pytest.raises(BackupError, match="not empty"):
        asyncio.run(restore(Settings(var=var), folder))
    before = sorted(folder.rglob("*"))
    with pytest.raises(BackupError, match="exists already"):
        asyncio.run(create(Settings(var=var), folder))
    assert sorted(folder.rglob("*")) == before


def test_what_is_no_platform_or_has_servers_of_its_own_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="not the runtime folder"):
        asyncio.run(create(Settings(var=tmp_path / "var"), tmp_path / "backup"))
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secrets.json").write_text("{}")
    for own in ("DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL"):
        settings = Settings.from_env({"PARKMESH_VAR": str(tmp_path / "var"), own: "http://elsewhere"})
        with pytest.raises(BackupError, match="of your own"):
            asyncio.run(create(settings, tmp_path / "backup"))
    assert not (tmp_path / "backup").exists()


def test_a_platform_whose_engines_are_away_is_told_in_one_sentence(tmp_path: Path) -> None:
    var = tmp_path / "var"
    (var / "data" / "log").mkdir(parents=True)
    (var / "secrets.json").write_text("{}")
    (var / "clickhouse.json").write_text(f'{{"port": {free_port()}}}')
    (var / "data" / "log" / "valkey.conf").write_text(f"port {free_port()}\n")
    with claimed(var, "another"):
        said = CliRunner().invoke(app, ["backup", "create", str(tmp_path / "backup"), "--var", str(var)])
    assert said.exit_code == 1
    assert "an engine of" in said.stderr
    assert not (tmp_path / "backup" / NAME).exists()
