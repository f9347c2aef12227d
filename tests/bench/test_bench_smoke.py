"""That the bench runs, balances its books and tells what it found; how fast anything is, is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_quick_bench_checks_its_books_and_writes_its_figures(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", "--only", "durable", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    figures = json.loads(output.read_text())
    for name in ("bare.one_table", "direct.fresh.stored", "direct.old.stored"):
        figure = figures[name]
        assert figure["value"] > 0
        assert figure["repeats"] == 1
        assert figure["spread"] == [figure["value"]] * 2
    assert figures["direct.fresh.stored"]["ratio"] > 0
    assert figures["direct.fresh.cpu.access-records"]["unit"] == "µs/record"
    assert list(tmp_path.iterdir()) == [output]
