"""What is reported adds up."""

import json

from grpc import StatusCode
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh_cli.tally import Tally
from parkmesh_sdk import BatchResult, PlatformError
from rich.console import Console


def result(index: int, seconds: float, *items: access.ItemResult, **counts: int) -> BatchResult:
    error = PlatformError(StatusCode.UNAVAILABLE, "away", reason="LOG_UNAVAILABLE") if counts.get("deferred") else None
    full = {"accepted": 0, "duplicate": 0, "conflicting": 0, "rejected": 0, "deferred": 0, **counts}
    return BatchResult(index, sum(full.values()), **full, items=items, seconds=seconds, attempts=1, error=error)


def filled() -> Tally:
    tally = Tally()
    rejected = access.ItemResult(
        outcome=access.OUTCOME_REJECTED, reason=reasons.ERROR_REASON_PLATE_MALFORMED, message="…"
    )
    warned = access.ItemResult(outcome=access.OUTCOME_ACCEPTED, warnings=[reasons.WARNING_UNKNOWN_GATE])
    tally.add(result(0, 0.5, rejected, warned, accepted=2, duplicate=1, rejected=1))
    tally.add(result(1, 0.25, deferred=3))
    tally.seconds = 2.0
    return tally


def test_the_json_is_the_sum_of_the_batches() -> None:
    assert json.loads(json.dumps(filled().as_json())) == {
        "sent": 7,
        "accepted": 2,
        "duplicate": 1,
        "conflicting": 0,
        "rejected": 1,
        "deferred": 3,
        "seconds": 2.0,
        "recordsPerSecond": 3.5,
        "latencyMs": {"p50": 250.0, "p95": 500.0, "p99": 500.0, "max": 500.0},
        "reasons": {"PLATE_MALFORMED": 1, "LOG_UNAVAILABLE": 3},
        "warnings": {"UNKNOWN_GATE": 1},
    }


def test_all_is_stored_only_when_everything_is() -> None:
    assert not filled().all_stored
    tally = Tally()
    tally.add(result(0, 1.0, accepted=1, duplicate=2))
    assert tally.all_stored


def test_percentiles_are_of_batches_that_were() -> None:
    tally = Tally(latencies_s=[number / 1000 for number in range(200, 0, -1)])
    assert tally.latency_ms() == {"p50": 100.0, "p95": 190.0, "p99": 198.0, "max": 200.0}
    assert Tally().latency_ms() == {}


def test_the_table_shows_every_count_and_reason() -> None:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(filled().as_table())
    for word in ("accepted 已接收", "PLATE_MALFORMED", "UNKNOWN_GATE", "batch p99"):
        assert word in captured.get()
