"""The report of a closed day, as plain values and as the text that is signed."""

from typing import Final, NamedTuple

from eventlog import Position
from vocabulary.digest import Layout
from vocabulary.fingerprint import Fingerprint

MOST_LISTED: Final = 200
"""Differences that a report lists; it counts all."""


class Finding(NamedTuple):
    """A record in which the books of the day differed when they were compared."""

    record_id: str
    kind: int
    """As DifferenceKind, when it was first found."""
    find_ms: int
    repaired: bool


class Report(NamedTuple):
    """What a closed day's report states."""

    lot_id: str
    date: str
    """The Beijing day, YYYY-MM-DD."""
    vendor: Fingerprint
    platform: Fingerprint
    position: Position
    settled_ms: int
    close_ms: int
    author: str
    closed_by: str
    account_id: str
    accept_differences: bool
    reason: str
    differences_found: int
    differences_repaired: int
    differences: tuple[Finding, ...]

    @property
    def equal(self) -> bool:
        """Whether the books agreed."""
        return self.vendor == self.platform

    @property
    def content(self) -> tuple[object, ...]:
        """What the caller stated: the same day is closed again only with the same."""
        return self.vendor, self.author, self.accept_differences, self.reason


LAYOUT: Final = Layout(
    "parkmesh.access.day-report/1",
    (
        "lot_id",
        "date",
        "vendor_count",
        "vendor_digest_sum",
        "platform_count",
        "platform_digest_sum",
        "log_epoch",
        "log_shard",
        "log_offset",
        "settled_time_ms",
        "close_time_ms",
        "author",
        "closed_by",
        "account_id",
        "accept_differences",
        "reason",
        "differences_found",
        "differences_repaired",
        "differences",
    ),
)
"""The canonical text of a report. Sums are lower-case hexadecimal. `differences` has a line for each listed one: id,
number of its DifferenceKind, when it was found in epoch milliseconds, and 1 when it is repaired.
"""


def text_of(report: Report) -> str:
    """The canonical text of a report."""
    epoch, shard, offset = report.position
    listed = "\n".join(f"{one.record_id} {one.kind} {one.find_ms} {int(one.repaired)}" for one in report.differences)
    return LAYOUT.canonical(
        (
            report.lot_id,
            report.date,
            report.vendor.count,
            report.vendor.digest_sum.hex(),
            report.platform.count,
            report.platform.digest_sum.hex(),
            epoch,
            shard,
            offset,
            report.settled_ms,
            report.close_ms,
            report.author,
            report.closed_by,
            report.account_id or None,
            int(report.accept_differences),
            report.reason or None,
            report.differences_found,
            report.differences_repaired,
            listed or None,
        )
    ).decode()


def read(text: str) -> Report:
    """The report that a text states; ValueError when it is not the text of one."""
    facts = _facts(text)

    def side(name: str) -> Fingerprint:
        return Fingerprint(int(facts[f"{name}_count"]), bytes.fromhex(facts[f"{name}_digest_sum"]))

    try:
        return Report(
            lot_id=facts["lot_id"],
            date=facts["date"],
            vendor=side("vendor"),
            platform=side("platform"),
            position=Position(facts["log_epoch"], int(facts["log_shard"]), int(facts["log_offset"])),
            settled_ms=int(facts["settled_time_ms"]),
            close_ms=int(facts["close_time_ms"]),
            author=facts["author"],
            closed_by=facts["closed_by"],
            account_id=facts.get("account_id", ""),
            accept_differences=facts["accept_differences"] == "1",
            reason=facts.get("reason", ""),
            differences_found=int(facts["differences_found"]),
            differences_repaired=int(facts["differences_repaired"]),
            differences=tuple(map(_finding, facts.get("differences", "").splitlines())),
        )
    except KeyError as missing:
        raise ValueError(f"the report does not state {missing}") from None


def _finding(line: str) -> Finding:
    record_id, kind, find_ms, repaired = line.split(" ")
    return Finding(record_id, int(kind), int(find_ms), repaired == "1")


def _facts(text: str) -> dict[str, str]:
    rest = text.encode()
    tag, _, rest = rest.partition(b"\n")
    if tag.decode() != LAYOUT.tag:
        raise ValueError("not the text of a report")
    facts: dict[str, str] = {}
    while rest:
        name, _, rest = rest.partition(b"=")
        length, _, rest = rest.partition(b":")
        size = int(length)
        facts[name.decode()] = rest[:size].decode()
        if rest[size : size + 1] != b"\n":
            raise ValueError("a fact of the report is cut")
        rest = rest[size + 1 :]
    return facts
