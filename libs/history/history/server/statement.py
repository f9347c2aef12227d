"""How a statement is cut before it reaches the engine: its verb, its output format, and where an INSERT's data begins.

Only the lexical rules of the language are known here (comments, quotes, brackets). What an analyst may run is decided
by the engine's own parser in `guard`, never by this.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""
    (?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
    |(?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<quoted>'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
    |(?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(rb"[ \t\r\n]*(\w+)[ \t]*;?[ \t]*\r?\n?")

_SESSION = {"SET", "USE", "BEGIN", "COMMIT", "ROLLBACK", "EXECUTE"}
_ROWS = {"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK"}


@dataclass(frozen=True)
class Statement:
    """One statement: `text` has neither its FORMAT clause nor data nor an ending semicolon."""

    text: bytes
    verb: str
    """The first word in capitals; empty when there is none."""
    format: str | None
    """What the FORMAT clause names, or None."""
    data_at: int | None
    """Where the rows of an INSERT … FORMAT begin in what was read; None when the statement carries no such rows."""
    leaves_traces: bool
    """The statement changes the session it runs in, so its handle must not be used again."""
    settings_at: int | None = None
    """Where the SETTINGS clause of an INSERT … FORMAT begins in `text`; None without one."""

    def reading(self, path: str) -> bytes:
        """An INSERT … FORMAT as one that reads its rows from a file; the path is ours and needs no quoting."""
        at = len(self.text) if self.settings_at is None else self.settings_at
        return b"%b FROM INFILE '%b' %b FORMAT %b" % (
            self.text[:at],
            path.encode(),
            self.text[at:],
            (self.format or "").encode(),
        )

    @property
    def answers_rows(self) -> bool:
        """Whether the answer is a result in an output format."""
        return self.verb in _ROWS


def read(sql: bytes) -> Statement:
    """Cut one statement; for INSERT … FORMAT the rest of `sql` is its data and is not looked at."""
    verb, depth, words, end, format_at = "", 0, 0, 0, -1
    temporary = data_in_statement = False
    settings_at: int | None = None
    before = b""
    for token in _TOKEN.finditer(sql):
        kind = token.lastgroup
        if kind == "space":
            continue
        previous, before = before, token.group()
        if kind == "other":
            depth += {b"(": 1, b"[": 1, b"{": 1, b")": -1, b"]": -1, b"}": -1}.get(token.group(), 0)
            if token.group() != b";":
                end = token.end()
                verb = verb or ("SELECT" if token.group() == b"(" else "")
            continue
        end = token.end()
        if kind != "word":
            continue
        word = token.group().upper().decode("latin-1")
        words += 1
        verb = verb or word
        temporary = temporary or (words <= 4 and word == "TEMPORARY")
        if depth:
            continue
        if verb == "INSERT":
            if word == "SETTINGS" and words > 3 and previous != b"." and settings_at is None:
                settings_at = token.start()
            data_in_statement = data_in_statement or word in {"SELECT", "WITH", "WATCH"}
            if word == "VALUES" and not data_in_statement:
                return Statement(sql[: token.start()], verb, "Values", token.end(), False, settings_at)
            if word == "FORMAT" and not data_in_statement and (name := _NAME.match(sql, token.end())):
                return Statement(
                    sql[: token.start()], verb, name.group(1).decode("latin-1"), name.end(), False, settings_at
                )
        elif word == "FORMAT":
            format_at = token.start()
    leaves_traces = temporary or verb in _SESSION
    if format_at >= 0 and (name := _NAME.fullmatch(sql, format_at + len("FORMAT"), end)):
        return Statement(sql[:format_at], verb, name.group(1).decode("latin-1"), None, leaves_traces)
    return Statement(sql[:end], verb, None, None, leaves_traces)
