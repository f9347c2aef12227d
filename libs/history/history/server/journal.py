"""The server's log: JSON lines on standard output, which never hold a statement or a value of one."""

import json
import logging
import sys
from datetime import UTC, datetime

_FIELDS = ("query_id", "account", "verb", "ms", "rows", "bytes", "code", "host", "port")


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if record.name.startswith("history.") else record.name,
        }
        line |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0]:
            # The text of an exception may quote a statement: its type is what can be told.
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def to_stdout() -> None:
    """Send the log of this process to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLine())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
