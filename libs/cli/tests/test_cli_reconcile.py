"""What `parkmesh reconcile` tells: sums that add up, the very records, and success only when every book agrees."""

import io
from pathlib import Path

import pytest
from parkmesh.access.v1 import reconciliation_service_pb2 as books_pb2
from parkmesh_cli.main import app
from parkmesh_cli.reconcile.summary import Summary
from parkmesh_cli.replay.recorded import RecordedDay
from parkmesh_sdk.reconciliation import DayBooks, Difference, Reconciliation, Step
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner
from vocabulary.fingerprint import Fingerprint

MISSING = Difference("r-1", books_pb2.DIFFERENCE_KIND_MISSING, Step.RESEND, repaired=True)
REFUSED = Difference(
    "r-2", books_pb2.DIFFERENCE_KIND_REFUSED, refused="PLATE_MALFORMED", field="plateNumber", repaired=False
)
LOTS = "lot,name,capacity\na,P,10\n"
READINGS = "time,lot,free\n2100-01-01T15:30:00Z,a,3\n2100-01-01T16:30:00Z,a,1\n"


def result(*differences: Difference, complete: bool = True, report: bool = False) -> Reconciliation:
    return Reconciliation(
        lot_id="lot_1",
        date="2100-01-01",
        equal=all(each.repaired for each in differences),
        complete=complete,
        settled_ms=0,
        vendor=Fingerprint(7),
        differences=differences,
        pending=(),
        rounds=1,
        calls=3,
        bytes_sent=100,
        bytes_received=50,
        report=books_pb2.DayReport() if report else None,
    )


def drawn(table: Table) -> str:
    paper = io.StringIO()
    Console(width=200, file=paper).print(table)
    return paper.getvalue()


def test_books_that_agree_are_counted_and_not_listed() -> None:
    summary = Summary()
    summary.count(DayBooks("2100-01-01", Fingerprint(5), agree=True))
    summary.add("a", "P", result(report=True))
    told = summary.as_json()
    assert {name: told[name] for name in ("agree", "differ", "closed", "records", "calls", "found", "books")} == {
        "agree": 2,
        "differ": 0,
        "closed": 1,
        "records": 12,
        "calls": 3,
        "found": {},
        "books": [],
    }
    assert summary.all_agree


def test_what_differs_is_named_with_its_reason() -> None:
    summary = Summary()
    summary.add("b", "Q", result(MISSING, REFUSED))
    summary.add("a", "P", result(MISSING))
    told = summary.as_json()
    assert (told["agree"], told["differ"], told["repaired"], told["left"]) == (1, 1, 2, 1)
    assert told["found"] == {"MISSING": 2, "REFUSED": 1}
    assert [(book["lot"], book["equal"]) for book in told["books"]] == [("a", True), ("b", False)]
    assert told["books"][1]["differences"][1] == {
        "recordId": "r-2",
        "kind": "REFUSED",
        "done": "NONE",
        "repaired": False,
        "reason": "PLATE_MALFORMED",
        "field": "plateNumber",
    }
    assert not summary.all_agree
    listed = drawn(summary.as_list())
    assert "r-2 REFUSED PLATE_MALFORMED plateNumber" in listed
    assert "不一致" in listed
    assert "待处理" in drawn(summary.as_table())


def test_a_day_that_is_not_settled_does_not_agree_yet() -> None:
    summary = Summary()
    summary.add("a", "P", result(complete=False))
    assert (summary.agree, summary.differ, summary.unsettled, summary.all_agree) == (0, 1, 1, False)
    assert "尚未稳定" in drawn(summary.as_list())


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "lots.csv").write_text(LOTS)
    (tmp_path / "free.csv").write_text(READINGS)
    return ["--lots", str(tmp_path / "lots.csv"), "--free-spaces", str(tmp_path / "free.csv")]


def test_a_recorded_day_knows_its_beijing_days(files: list[str]) -> None:
    recorded = RecordedDay.read(Path(files[1]), Path(files[3]))
    assert recorded.dates == ["2100-01-01", "2100-01-02"]
    assert recorded.total == 2
    assert RecordedDay.read(Path(files[1]), Path(files[3]), 1).total == 1


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--winner", "lot"], 2, "add --repair"),
        (["--winner", "nobody"], 2, "nobody"),
        (["--ca", "ca.pem"], 1, "add its --url"),
        (["--url", "https://localhost:1"], 1, "--client-id"),
        (["--lot", "z", "--url", "https://localhost:1", "--client-id", "a", "--client-secret", "b"], 1, "no lot z"),
        (["--url", "https://localhost:1", "--client-id", "a", "--client-secret", "b"], 3, "cannot be reached"),
    ],
)
def test_what_does_not_go_together(files: list[str], options: list[str], code: int, said: str) -> None:
    ended = CliRunner().invoke(app, ["reconcile", *files, *options])
    assert ended.exit_code == code, ended.output
    assert said in ended.output
