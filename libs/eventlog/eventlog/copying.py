"""Copies the files of a log server that is running: what is acknowledged when the copy begins is in it.

The append-only file has a base, increments behind it and a manifest that names them. A rewrite replaces files, but
never changes one that the manifest names except by appending to the last: with all of them open, and the manifest
unchanged around that, they belong together, whatever the server does next. A last command that was cut in half was
never acknowledged; a server that loads the copy drops it.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import IO, Final

_FOLDER: Final = "appendonlydir"
_MANIFEST: Final = "appendonly.aof.manifest"
_NAMED: Final = re.compile(r"^file (\S+) seq \d+ type [bi]\b.*\n", re.MULTILINE)
"""The base and the increments; a former file that is only waiting to be deleted has type h."""
_ATTEMPTS: Final = 100
_CHUNK: Final = 1 << 20


def copy(server: Path, into: Path) -> None:
    """Copies the log files in the folder of a server, running or not, into a folder that does not exist yet.

    Raises FileNotFoundError when there is no append-only file, OSError. Nothing is fsynced.
    """
    source, target = server / _FOLDER, into / _FOLDER
    with contextlib.ExitStack() as stack:
        manifest, files = _opened(source, stack)
        target.mkdir(parents=True)
        for name, (file, size) in files.items():
            with (target / name).open("wb") as out:
                _copy(file, out, size)
        current = "".join(line.group() for line in _NAMED.finditer(manifest))
        (target / _MANIFEST).write_text(current, encoding="utf-8")


def _opened(source: Path, stack: contextlib.ExitStack) -> tuple[str, dict[str, tuple[IO[bytes], int]]]:
    """The manifest, and the files that it names, open, with their sizes: of one instant."""
    for _ in range(_ATTEMPTS):
        manifest = (source / _MANIFEST).read_text(encoding="utf-8")
        with contextlib.ExitStack() as tried:
            files: dict[str, tuple[IO[bytes], int]] = {}
            with contextlib.suppress(FileNotFoundError):  # Replaced meanwhile: the manifest has changed.
                for name in _NAMED.findall(manifest):
                    file = tried.enter_context((source / name).open("rb"))
                    files[name] = (file, os.fstat(file.fileno()).st_size)
                if (source / _MANIFEST).read_text(encoding="utf-8") == manifest:
                    stack.enter_context(tried.pop_all())
                    return manifest, files
    raise OSError(f"the files in {source} do not come to rest")


def _copy(file: IO[bytes], out: IO[bytes], size: int) -> None:
    while size:
        chunk = file.read(min(_CHUNK, size))
        if not chunk:
            raise OSError("a log file became shorter while it was copied")
        out.write(chunk)
        size -= len(chunk)
