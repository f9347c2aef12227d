"""What the README tells a newcomer, a vendor and an analyst to type works, and prints what it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import clickhouse_connect
import pytest
from local_platform.testing import RunningPlatform, running

from tests.docs.pages import READMES, agrees, blocks

pytestmark = pytest.mark.slow

PAGE = READMES[0]
LIMIT_S = 240
MARK = "--8<-- end of block"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with running(tmp_path_factory.mktemp("readme") / "var") as platform:
        yield platform


def test_what_is_to_be_typed_works(platform: RunningPlatform) -> None:
    folder = platform.folder.parent
    (folder / ".venv").symlink_to(sys.prefix)
    script, said = ["set -euo pipefail"], []
    for block in blocks(PAGE):
        verb, _, name = block.mark.partition(" ")
        if verb == "file":
            (folder / name).write_text(block.text)
        elif verb == "run":
            python = block.language == "python"
            script.append(f".venv/bin/python - <<'PYTHON'\n{block.text}PYTHON\n" if python else block.text)
            script.append(f"echo '{MARK}'")
            said.append("")
        elif verb == "prints":
            said[-1] = block.text
    assert len(said) > 5
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PARKMESH_")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(MARK)
    assert len(printed) == len(said) + 1
    for lines, output in zip(said, printed, strict=False):
        if lines:
            expected, found = objects(lines), objects(output)
            assert len(expected) == len(found), output
            assert [one for one, other in zip(expected, found, strict=True) if not agrees(one, other)] == [], output


def test_the_published_tables_have_the_columns_it_names(platform: RunningPlatform) -> None:
    account = platform.demo["clickhouse"]
    client = clickhouse_connect.get_client(dsn=account["url"], username=account["user"], password=account["password"])
    try:
        tables = {row[0] for row in client.query("SHOW TABLES FROM parkmesh").result_rows}
        columns = {name: [row[0] for row in client.query(f"DESCRIBE parkmesh.{name}").result_rows] for name in tables}
    finally:
        client.close()
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|$", PAGE.read_text(), re.MULTILINE)
    named = {name: text.split(", ") for name, text in rows}
    assert {name: named.get(name) for name in columns} == columns


def objects(text: str) -> list[dict[str, Any]]:
    """The lines that are JSON objects."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
