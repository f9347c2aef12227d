"""What a page tells the reader to type, typed in one shell from top to bottom."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from local_platform.testing import RunningPlatform

from tests.docs.pages import ROOT, agrees, blocks

_LIMIT_S = 240
_MARK = "--8<-- end of block"


def as_told(page: Path, folder: Path, platform: RunningPlatform) -> int:
    """Types the page's blocks in a folder that looks like the checkout after `make up`; how many there were.

    AssertionError when a command fails, or prints other JSON than the page says. Blocks marked `run java` are left out
    where there is no JDK.
    """
    for name, there in ((".venv", Path(sys.prefix)), ("var", platform.folder), ("docs", ROOT / "docs")):
        if not (folder / name).exists():
            (folder / name).symlink_to(there)
    script, said = ["set -euo pipefail"], []
    for block in blocks(page):
        verb, _, name = block.mark.partition(" ")
        if verb == "file":
            (folder / name).write_text(block.text)
        elif verb == "run" and (name != "java" or shutil.which("javac")):
            python = block.language == "python"
            script.append(f".venv/bin/python - <<'PYTHON'\n{block.text}PYTHON\n" if python else block.text)
            script.append(f"echo '{_MARK}'")
            said.append("")
        elif verb == "prints":
            said[-1] = block.text
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PARKMESH_")},
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(_MARK)
    assert len(printed) == len(said) + 1
    for lines, output in zip(said, printed, strict=False):
        if lines:
            expected, found = _objects(lines), _objects(output)
            assert len(expected) == len(found), output
            assert [one for one, other in zip(expected, found, strict=True) if not agrees(one, other)] == [], output
    return len(said)


def _objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
