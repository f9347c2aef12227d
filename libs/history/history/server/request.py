"""What one HTTP request asks for, gathered from its address, headers, form fields and body."""

import re
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

from aiohttp import web

from history.server import statement
from history.server.compression import Unpacked
from history.server.config import Account, Kind
from history.server.failure import (
    ACCESS_DENIED,
    BAD_REQUEST,
    NOT_IMPLEMENTED,
    READONLY,
    SYNTAX_ERROR,
    TOO_LARGE,
    refusal,
)

_TRANSPORT = {
    "add_http_cors_header", "buffer_size", "cancel_http_readonly_queries_on_client_close", "client_protocol_version",
    "compress", "database", "decompress", "default_format", "enable_http_compression",
    "http_headers_progress_interval_ms", "http_zlib_compression_level", "log_comment", "password", "query", "query_id",
    "quota_key", "send_progress_in_http_headers", "session_check", "session_id", "session_timeout", "stacktrace",
    "user", "wait_end_of_query",
}  # fmt: skip
_CLOSED = {"role", "readonly", "allow_ddl", "allow_introspection_functions"}
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,127}")
_FORMAT = re.compile(r"\w{1,64}", re.ASCII)
_QUERY_ID = re.compile(r"[\x21-\x7e]{1,128}")
_STATEMENT_BYTES = 1 << 20
_IN_MEMORY_BYTES = 1 << 24

# What an analyst may set: how an answer looks, what a query means, and less of what is limited anyway.
_ANALYST_PREFIXES = ("output_format_", "format_csv_", "format_tsv_", "join_", "max_result_")
_ANALYST_SETTINGS = {
    "aggregate_functions_null_for_empty", "any_join_distinct_right_table_keys", "date_time_input_format",
    "date_time_output_format", "distributed_product_mode", "extremes", "final", "group_by_use_nulls", "limit",
    "max_block_size", "max_execution_time", "max_memory_usage", "max_rows_to_read", "max_bytes_to_read", "max_threads",
    "offset", "prefer_column_name_to_alias", "result_overflow_mode", "session_timezone", "transform_null_in",
    "union_default_mode", "use_uncompressed_cache",
}  # fmt: skip
_ANALYST_CLOSED = {"output_format_schema"}


@dataclass(frozen=True)
class Request:
    """One statement with everything that belongs to it."""

    query_id: str
    statement: statement.Statement
    sql: bytes
    database: str
    settings: dict[str, str]
    parameters: dict[str, str]
    format: str
    encoding_wanted: bool
    rows: Iterator[bytes] | None
    """The rows of an INSERT … FORMAT as they were sent; reading them may raise Failure. None for other statements."""


def query_id(http: web.Request) -> str:
    """The caller's id of the query where it is a plain one, else a new one."""
    given = http.query.get("query_id", "")
    return given if _QUERY_ID.fullmatch(given) else str(uuid.uuid4())


async def spooled(http: web.Request, folder: Path, most: int) -> IO[bytes]:
    """The body as it was sent, in memory or, when large, in an unnamed file. Raises Failure when it is too large."""
    if (http.content_length or 0) > most:
        raise refusal(TOO_LARGE, "The body is too large.")
    body = cast(IO[bytes], tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(folder)))  # noqa: SIM115
    size = 0
    async for chunk in http.content.iter_any():
        size += len(chunk)
        if size > most:
            body.close()
            raise refusal(TOO_LARGE, "The body is too large.")
        body.write(chunk)
    body.seek(0)
    return body


async def fields(http: web.Request) -> dict[str, str]:
    """The parameters of the address and of a form. Raises Failure for one that is given twice or is a file."""
    given = dict(http.query)
    if len(given) != len(http.query):
        raise refusal(BAD_REQUEST, "A parameter is given twice.")
    if http.content_type == "multipart/form-data":
        for name, value in (await http.post()).items():
            if not isinstance(value, str):
                raise refusal(NOT_IMPLEMENTED, "External data is not supported by this server.")
            if name in given:
                raise refusal(BAD_REQUEST, "A parameter is given twice.")
            given[name] = value
    return given


def understood(
    http: web.Request, account: Account, given: dict[str, str], body: Unpacked | None, published: str, qid: str
) -> Request:
    """Put together what is asked for. Raises Failure when it is not allowed or cannot be understood."""
    if any("\0" in value for value in given.values()):
        raise refusal(BAD_REQUEST, "A parameter holds a NUL character.")
    for flag in ("compress", "decompress"):
        if given.get(flag, "0") not in {"0", ""}:
            raise refusal(NOT_IMPLEMENTED, f"{flag}=1 is not supported: use Accept-Encoding and Content-Encoding.")
    query = given.get("query", "").encode("utf-8", "surrogateescape")
    head = body.read(_STATEMENT_BYTES) if body else b""
    found = statement.read(query)
    rows = b""
    if found.data_at is not None:
        sql, rows = query, query[found.data_at :]
        rows = rows + b"\n" + head if rows else head
    else:
        sql = query + b"\n" + head if query and head else query or head
        found = statement.read(sql)
        if found.data_at is not None:
            rows = sql[found.data_at :]
    parameters = {name.removeprefix("param_"): value for name, value in given.items() if name.startswith("param_")}
    if found.format == "Values" and parameters:
        # Parameters among the values are the statement's, which the reader of a format does not know.
        found = replace(found, text=sql, format=None, data_at=None)
    inserts = found.data_at is not None and account.kind is not Kind.ANALYST
    if not inserts and body and body.read(1):
        raise refusal(TOO_LARGE, "The statement is too long.")
    if b"\0" in (found.text if inserts else sql):
        raise refusal(BAD_REQUEST, "The statement holds a NUL character.")
    try:
        found.text.decode()
    except UnicodeDecodeError:
        raise refusal(SYNTAX_ERROR, "The statement is not UTF-8.") from None
    if http.method in {"GET", "HEAD"} and not found.answers_rows:
        raise refusal(READONLY, "GET only reads: send this statement by POST.")
    wanted = found.format or given.get("default_format") or http.headers.get("X-ClickHouse-Format") or "TabSeparated"
    if not _FORMAT.fullmatch(wanted):
        raise refusal(BAD_REQUEST, "A format is named by letters and digits.")
    return Request(
        query_id=qid,
        statement=found,
        sql=sql,
        database=_database(account, given, http, published),
        settings=_settings(account, given),
        parameters=parameters,
        format=wanted,
        encoding_wanted=given.get("enable_http_compression", "0") not in {"0", ""},
        rows=_joined(rows, body) if inserts else None,
    )


def _joined(first: bytes, body: Unpacked | None) -> Iterator[bytes]:
    if first:
        yield first
    while body and (chunk := body.read(_STATEMENT_BYTES)):
        yield chunk


def _database(account: Account, given: dict[str, str], http: web.Request, published: str) -> str:
    name = given.get("database") or http.headers.get("X-ClickHouse-Database") or account.database
    if account.kind is Kind.ANALYST and name != published:
        raise refusal(ACCESS_DENIED, f"Not allowed for this account: a database other than {published}.")
    if not name.isprintable() or "`" in name or "\\" in name:
        raise refusal(BAD_REQUEST, "The name of the database has characters that none has.")
    return name


def _settings(account: Account, given: dict[str, str]) -> dict[str, str]:
    settings = {}
    for name, value in given.items():
        if name in _TRANSPORT or name.startswith("param_"):
            continue
        if not _SETTING.fullmatch(name) or name in _CLOSED:
            raise refusal(READONLY, "This parameter cannot be set here.")
        if account.kind is Kind.ANALYST and (
            name in _ANALYST_CLOSED or not (name in _ANALYST_SETTINGS or name.startswith(_ANALYST_PREFIXES))
        ):
            raise refusal(READONLY, f"Setting {name} cannot be changed by this account.")
        settings[name] = value
    return settings
