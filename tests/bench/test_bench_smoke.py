"""That the bench runs, balances its books and tells what it found; how fast anything is, is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASURED = (
    "durable",
    "registering",
    "cold-start",
    "revocation",
    "rights",
    "authorization",
    "reconciliation",
    "visits",
    "views",
    "growth",
)
REGISTRY = {
    "registering": {"calls": "lots/s", "calls.p50": "ms", "calls.p99": "ms", "survey.lots": "s", "survey.gates": "s"},
    "cold-start": {
        f"{engine}.{kinds}{what}": unit
        for engine in ("sqlite", "postgresql")
        for kinds in ("all", "callers")
        for what, unit in (("", "s"), (".memory", "MiB"))
    },
    "rights": {
        f"{lots}.{what}": unit
        for lots in ("one", "many")
        for what, unit in (("with", "records/s"), ("without", "records/s"), ("ratio", "with/without"))
    },
    "reconciliation": {
        "month": "ms",
        "large_month": "ms",
        "city_day": "ms",
        "one.time": "ms",
        "one.questions": "questions",
        "one.bytes": "B",
        "thousand.time": "s",
        "thousand.questions": "questions",
        "thousand.bytes": "B/difference",
    },
    "visits": {"core": "records/s", "paired": "records/s"},
    "authorization": {
        f"{proof}.{what}": unit
        for proof in ("token", "signed.0", "signed.10k", "signed.300k")
        for what, unit in (("processor", "µs/request"), ("rate", "requests/s"))
    },
}


@pytest.mark.slow
def test_a_quick_bench_checks_its_books_and_writes_its_figures(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    only = [argument for name in MEASURED for argument in ("--only", name)]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", *only, "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
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
    for scenario, told in REGISTRY.items():
        for name, unit in told.items():
            figure = figures[f"{scenario}.{name}"]
            assert figure["value"] > 0, name
            assert figure["unit"] == unit
    for name in ("views.lot_day.lot_day", "views.worked.16_journeys", "growth.lot_day.200", "growth.plate.20000"):
        assert figures[name]["value"] > 0, name
        assert figures[name]["unit"] == "ms"
    for right in ("credential", "grant"):
        for way in ("unary", "stream"):
            median, most = (figures[f"revocation.{right}.{way}.{quantile}"]["value"] for quantile in ("p50", "max"))
            assert 0 <= median <= most
    assert list(tmp_path.iterdir()) == [output]
