"""What became of everything that was sent, counted as it comes in."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from parkmesh.access.v1.access_record_service_pb2 import OUTCOME_ACCEPTED, OUTCOME_DUPLICATE
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh_sdk import BatchResult
from rich.table import Table

PERCENTILES: Final = (("p50", 50), ("p95", 95), ("p99", 99))
_UNANSWERED: Final = "NO_ANSWER"


@dataclass
class Tally:
    """The sum of many batches."""

    sent: int = 0
    accepted: int = 0
    duplicate: int = 0
    conflicting: int = 0
    rejected: int = 0
    deferred: int = 0
    seconds: float = 0.0
    """How long all of it took; set at the end."""
    reasons: Counter[str] = field(default_factory=Counter)
    """How many records were not stored, by reason."""
    warnings: Counter[str] = field(default_factory=Counter)
    """How many accepted records were unusual, by warning."""
    latencies_s: list[float] = field(default_factory=list)
    """Of each batch, from its first sending until all its records were decided."""

    def add(self, result: BatchResult) -> None:
        """Counts one batch."""
        self.sent += result.size
        self.accepted += result.accepted
        self.duplicate += result.duplicate
        self.conflicting += result.conflicting
        self.rejected += result.rejected
        self.deferred += result.deferred
        self.latencies_s.append(result.seconds)
        unanswered = result.size - result.accepted - result.duplicate
        for item in result.items:
            if item.outcome not in (OUTCOME_ACCEPTED, OUTCOME_DUPLICATE):
                self.reasons[reasons.ErrorReason.Name(item.reason).removeprefix("ERROR_REASON_")] += 1
                unanswered -= 1
            for warning in item.warnings:
                self.warnings[reasons.Warning.Name(warning).removeprefix("WARNING_")] += 1
        if unanswered:
            self.reasons[result.error.reason or _UNANSWERED if result.error else _UNANSWERED] += unanswered

    @property
    def all_stored(self) -> bool:
        """Whether every record that was sent is on the platform's disk."""
        return self.accepted + self.duplicate == self.sent

    @property
    def records_per_second(self) -> float:
        """Over the whole time; 0 before it is known."""
        return self.sent / self.seconds if self.seconds else 0.0

    def latency_ms(self) -> dict[str, float]:
        """The percentiles and the longest; empty without a batch."""
        ordered = sorted(self.latencies_s)
        if not ordered:
            return {}
        found = {name: ordered[-(-len(ordered) * share // 100) - 1] for name, share in PERCENTILES}
        return {name: round(value * 1000, 2) for name, value in {**found, "max": ordered[-1]}.items()}

    def as_json(self) -> dict[str, Any]:
        """One JSON object's content."""
        return {
            "sent": self.sent,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "conflicting": self.conflicting,
            "rejected": self.rejected,
            "deferred": self.deferred,
            "seconds": round(self.seconds, 3),
            "recordsPerSecond": round(self.records_per_second, 1),
            "latencyMs": self.latency_ms(),
            "reasons": dict(self.reasons),
            "warnings": dict(self.warnings),
        }

    def as_table(self) -> Table:
        """The same for people."""
        table = Table(show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, count in (
            ("sent 已发送", self.sent),
            ("accepted 已接收", self.accepted),
            ("duplicate 重复", self.duplicate),
            ("conflicting 冲突", self.conflicting),
            ("rejected 拒绝", self.rejected),
            ("deferred 暂缓", self.deferred),
        ):
            table.add_row(name, f"{count:,}")
        table.add_row("seconds 用时（秒）", f"{self.seconds:,.1f}")
        table.add_row("records per second 每秒记录数", f"{self.records_per_second:,.0f}")
        for name, value in self.latency_ms().items():
            table.add_row(f"batch {name} 批次时延（毫秒）", f"{value:,.1f}")
        for reason, count in (self.reasons + self.warnings).most_common():
            table.add_row(reason, f"{count:,}")
        return table
