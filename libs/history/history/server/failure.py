"""What a caller is told when a statement fails: ClickHouse's code of the error, and the HTTP status of that code."""

import re

_CODE = re.compile(r"Code: (\d+)\.")
_BAD_REQUEST = {6, 26, 27, 33, 36, 38, 41, 42, 43, 53, 62, 69, 70, 72, 117, 130, 131, 163, 321, 386, 456, 457}
_NOT_FOUND = {16, 46, 47, 50, 56, 60, 73, 81, 115, 457}
_STATUS = (
    dict.fromkeys(_NOT_FOUND, 404)
    | dict.fromkeys(_BAD_REQUEST, 400)
    | {48: 501, 159: 408, 164: 403, 202: 503, 203: 503, 298: 413, 307: 413, 497: 403, 516: 403}
)

NOT_IMPLEMENTED, SYNTAX_ERROR, UNKNOWN_FORMAT, READONLY = 48, 62, 73, 164
TOO_MANY_QUERIES, SHUTTING_DOWN, TOO_LARGE, ACCESS_DENIED, AUTHENTICATION_FAILED = 202, 203, 307, 497, 516
CANNOT_DECOMPRESS, BAD_REQUEST, INTERNAL = 271, 36, 1002

_NAMES = {
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    UNKNOWN_FORMAT: "UNKNOWN_FORMAT",
    READONLY: "READONLY",
    TOO_MANY_QUERIES: "TOO_MANY_SIMULTANEOUS_QUERIES",
    SHUTTING_DOWN: "NO_FREE_CONNECTION",
    TOO_LARGE: "TOO_MANY_BYTES",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    CANNOT_DECOMPRESS: "CANNOT_DECOMPRESS",
    BAD_REQUEST: "BAD_ARGUMENTS",
    INTERNAL: "UNKNOWN_EXCEPTION",
}


class Failure(Exception):  # noqa: N818 - it is an outcome that callers are told, most often not an error of ours
    """A statement that was not carried out. `text` is for the caller alone: it may quote the statement."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"code {code}")
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """The HTTP status ClickHouse answers this code with, when nothing has been sent yet."""
        return 400 if self.code == CANNOT_DECOMPRESS else _STATUS.get(self.code, 500)


def refusal(code: int, message: str) -> Failure:
    """A failure this server states itself, worded as the engine words its own."""
    return Failure(code, f"Code: {code}. DB::Exception: {message} ({_NAMES[code]})")


def from_engine(error: BaseException) -> Failure:
    """A failure the engine reported, with the code found in its text."""
    text = str(error)
    found = _CODE.search(text)
    return Failure(int(found.group(1)) if found else INTERNAL, text[found.start() :] if found else text)
