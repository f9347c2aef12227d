"""What can go wrong between a service and ClickHouse, as three small exceptions that never quote a value."""

# ClickHouse's codes for "not now": the statement was sound, the server could not serve it. A retry can help.
_BUSY = {
    159: "TIMEOUT_EXCEEDED",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",
    243: "NOT_ENOUGH_SPACE",
    252: "TOO_MANY_PARTS",
    279: "ALL_CONNECTION_TRIES_FAILED",
    319: "UNKNOWN_STATUS_OF_INSERT",
    394: "QUERY_WAS_CANCELLED",
    425: "SYSTEM_ERROR",
    439: "CANNOT_SCHEDULE_TASK",
    473: "DEADLOCK_AVOIDED",
    745: "SERVER_OVERLOADED",
    999: "KEEPER_EXCEPTION",
}


class HistoryError(Exception):
    """Base of everything this library raises about ClickHouse."""


class HistoryUnavailable(HistoryError):  # noqa: N818  # named for what the caller sees
    """ClickHouse cannot be reached, did not answer in time or is overloaded: the outcome is unknown, retry later.

    `code` is ClickHouse's error code, or None when no ClickHouse answered.
    """

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(f"history unavailable: {why}")
        self.code = code


class HistoryRejected(HistoryError):  # noqa: N818  # named for what the caller sees
    """ClickHouse refused the statement: nothing of it took place in the partition it names, and a retry cannot help.

    The text holds the code only. `detail` is the server's own text: it may quote literals, plates among them, so it
    must never reach a log, a trace or a reply; migrations, which hold no data, are its one reader.
    """

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(f"ClickHouse refused the statement with code {code}")
        self.code = code
        self.detail = detail


class NotDurable(HistoryError):  # noqa: N818  # named for what the operator must repair
    """A table that must keep acknowledged rows lacks a setting or an engine that makes it do so."""


def from_server(code: int, detail: str) -> HistoryError:
    """The exception for a ClickHouse error `code` whose text is `detail`."""
    # One code means both "merges lag behind" and "your block spans partitions"; only the first can pass by waiting.
    if code in _BUSY and not (code == 252 and "partitions for single INSERT" in detail):
        return HistoryUnavailable(_BUSY[code], code)
    return HistoryRejected(code, detail)
