"""The table of lots near a point, and what is asked for it."""

from typing import Any

import pytest
from parkmesh.guidance.v1 import guidance_service_pb2 as guidance
from parkmesh_cli.main import app
from parkmesh_cli.near import as_table
from rich.console import Console
from typer.testing import CliRunner


def drawn(*lots: guidance.NearbyLot, **page: str) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(as_table(guidance.SearchLotsResponse(lots=lots, **page)))
    return capture.get()


def cells(**facts: Any) -> list[str]:
    """The row of a lot with these facts."""
    stated: dict[str, Any] = {"name": "文献路停车场", "distance_m": 1234, "open_berths": 120}
    made = guidance.NearbyLot(**(stated | facts))
    made.position.latitude, made.position.longitude = 25.451318, 119.012434
    (row,) = [line for line in drawn(made).splitlines() if "文献路" in line]
    return [cell.strip() for cell in row.split("│")[1:-1]]


def test_what_was_never_reported_is_no_zero() -> None:
    row = cells(freshness=guidance.FRESHNESS_UNKNOWN)
    assert row == ["1,234", "文献路停车场", "–", "120", "–", "unknown", "25.451318, 119.012434", ""]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (86_400, "1 d"), (260_000, "3 d")]
)
def test_a_report_comes_with_its_age(seconds: int, shown: str) -> None:
    row = cells(free_berths=0, age_seconds=seconds, freshness=guidance.FRESHNESS_STALE)
    assert row[2:6] == ["0", "120", shown, "stale"]


def test_it_says_the_system_and_that_there_is_more() -> None:
    assert "GCJ-02" in drawn()
    assert "…" not in drawn()
    assert "…" in drawn(next_page_token="x")


@pytest.mark.parametrize("arguments", [["91", "119"], ["25", "181"], ["25", "119", "--system", "utm"], ["25"]])
def test_a_point_that_is_none_is_a_usage_error(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["near", *arguments]).exit_code == 2


def test_a_ca_without_its_platform_is_told_so() -> None:
    result = CliRunner().invoke(app, ["near", "25", "119", "--ca", "ca.pem"])
    assert (result.exit_code, "add its --url" in result.stderr) == (1, True)


def test_a_platform_that_does_not_run() -> None:
    result = CliRunner().invoke(app, ["near", "-25.45", "119.01", "--url", "https://localhost:1"])
    assert (result.exit_code, "cannot be reached" in result.stderr) == (3, True)
