"""What a backup says of itself: written last, so that a backup without it is one that was not finished."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Self

from parkmesh_cli.errors import CliError

NAME: Final = "manifest.json"
FORMAT: Final = 1
"""Of the folder; a backup of another one is not read."""
_CHUNK: Final = 1 << 20


class BackupError(CliError):
    """A backup cannot be made, is damaged or does not fit; one sentence that names what is wrong."""


@dataclasses.dataclass(frozen=True)
class LogMark:
    """Where one log stood."""

    epoch: str
    """Which log it is."""
    acknowledged: list[int]
    """Of each shard: the last record that was acknowledged before the backup began."""
    drained: list[int]
    """Of each shard: up to where the history in the backup has followed it, or further."""


@dataclasses.dataclass(frozen=True)
class FileMark:
    """What a file holds."""

    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Everything about a backup but its data."""

    begun: str
    """When, RFC 3339: what was acknowledged before is in it."""
    ended: str
    versions: dict[str, str]
    """Of the engines and of the platform."""
    logs: dict[str, LogMark]
    files: dict[str, FileMark]
    """Every file by its path in the folder, but the manifest."""
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Writes it into the folder, fsynced, whole or not at all."""
        fresh = folder / f".{NAME}.new"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(dataclasses.asdict(self), indent=1), encoding="utf-8")
        synced(fresh)
        fresh.replace(folder / NAME)
        synced(folder)
        synced(folder.parent)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a folder. BackupError when there is none, or one of another format."""
        try:
            content: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
            if content.get("format") != FORMAT:
                raise BackupError(f"{folder} is a backup of another format than {FORMAT} 备份格式不符")
            return cls(
                **content
                | {
                    "logs": {name: LogMark(**mark) for name, mark in content["logs"].items()},
                    "files": {name: FileMark(**mark) for name, mark in content["files"].items()},
                }
            )
        except FileNotFoundError:
            raise BackupError(f"{folder} holds no finished backup: it has no {NAME} 备份未完成") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BackupError(f"{folder / NAME} is damaged 清单已损坏") from None

    def check(self, folder: Path) -> None:
        """Returns when every file is there and as it was written; BackupError names the first that is not."""
        found = {str(path.relative_to(folder)) for path in _files(folder)} - {NAME}
        if strange := sorted(found - self.files.keys()):
            raise BackupError(f"{strange[0]} does not belong to the backup 多余文件")
        for name, mark in sorted(self.files.items()):
            if name not in found:
                raise BackupError(f"{name} is missing from the backup 文件缺失")
            if _mark(folder / name) != mark:
                raise BackupError(f"{name} is damaged: its checksum does not hold 文件已损坏")


def seal(folder: Path) -> dict[str, FileMark]:
    """Closes the folder to others, fsyncs all that is in it, and says what every file holds.

    The engines that wrote the files do not fsync them.
    """
    marks: dict[str, FileMark] = {}
    for path in _files(folder):
        path.chmod(0o600)
        marks[str(path.relative_to(folder))] = _mark(path)
    sync_tree(folder)
    return marks


def sync_tree(folder: Path) -> None:
    """Fsyncs every file and folder below this one, and this one."""
    for path in _files(folder):
        synced(path)
    for parent, _, _ in os.walk(folder, topdown=False):
        synced(Path(parent))


def synced(path: Path) -> None:
    """Fsyncs a file, or the entries of a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from _regular(Path(parent), names)


def _regular(parent: Path, names: Iterable[str]) -> Iterator[Path]:
    for name in sorted(names):
        path = parent / name
        if path.is_file() and not path.is_symlink():
            yield path


def _mark(path: Path) -> FileMark:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileMark(size, digest.hexdigest())
