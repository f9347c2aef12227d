"""The server's settings and accounts, read once from one JSON file or from the environment."""

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_GIB = 1 << 30


class ConfigError(ValueError):
    """A setting is missing, unknown or impossible; the text names it and never holds a secret."""


class Kind(enum.Enum):
    """What an account is for; also the name of its role in the engine."""

    OWNER = "owner"
    WRITER = "writer"
    READER = "reader"
    ANALYST = "analyst"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one account may use at most; 0 means no limit. A caller may ask for less, never for more."""

    max_execution_time: int = 0
    """Seconds a query may run."""
    max_memory_usage: int = 0
    """Bytes one query may hold."""
    max_result_rows: int = 0
    max_result_bytes: int = 0
    max_rows_to_read: int = 0
    max_bytes_to_read: int = 0
    max_threads: int = 0
    max_concurrent_queries: int = 8
    """Queries that run at once; at least 1. Further ones wait `queue_seconds`, then are refused."""
    queue_seconds: float = 10.0

    def engine(self) -> dict[str, int]:
        """The limits that the engine itself keeps, by the name of its setting; only those that are set."""
        ours = {"max_concurrent_queries", "queue_seconds"}
        return {f.name: value for f in fields(self) if f.name not in ours and (value := int(getattr(self, f.name)))}


_DEFAULT_LIMITS = {
    Kind.OWNER: Limits(max_memory_usage=4 * _GIB),
    Kind.WRITER: Limits(max_memory_usage=4 * _GIB, max_concurrent_queries=4, queue_seconds=30),
    Kind.READER: Limits(max_memory_usage=2 * _GIB, max_execution_time=60, max_concurrent_queries=16),
    Kind.ANALYST: Limits(
        max_memory_usage=2 * _GIB,
        max_execution_time=60,
        max_result_rows=20_000_000,
        max_result_bytes=4 * _GIB,
        max_concurrent_queries=4,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who may connect, with what, as what. `database` is where unqualified names are looked up."""

    name: str
    secret: str = field(repr=False)
    kind: Kind
    database: str
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Everything one server needs to know. One `path` belongs to one process at a time."""

    path: Path
    accounts: tuple[Account, ...]
    host: str = "127.0.0.1"
    port: int = 8123
    """0 takes a free port; the line `listening` in the log names it."""
    tmp: Path
    """A folder that the server owns: what is found in it at start is removed."""
    backups: Path | None = None
    """The folder below which the owner may back databases up and restore them from; None: nowhere."""
    base: str = "store"
    """The database of the tables, closed to analysts."""
    published: str = "parkmesh"
    """The database of the views that analysts read."""
    max_body_bytes: int = _GIB
    """A larger request body, as sent or once decompressed, is refused with 413."""
    max_server_memory_bytes: int = 8 * _GIB
    """What all queries together may hold."""


def load(file: Path) -> ServerSettings:
    """Settings from a JSON file: an object with the fields of `ServerSettings`. Raises ConfigError."""
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigError(f"cannot read {file}: {type(error).__name__}") from None


def from_environment(environment: Mapping[str, str]) -> ServerSettings:
    """Settings from CLICKHOUSE_PATH, CLICKHOUSE_HOST, …; CLICKHOUSE_ACCOUNTS is a JSON list. Raises ConfigError."""
    prefix = "CLICKHOUSE_"
    given: dict[str, Any] = {}
    for name, text in environment.items():
        if name.startswith(prefix) and (key := name.removeprefix(prefix).lower()) in _FIELDS:
            given[key] = text
    try:
        given |= {key: int(given[key]) for key in _INTEGERS & given.keys()}
        given["accounts"] = json.loads(given.get("accounts", "[]"))
    except ValueError:
        raise ConfigError("a CLICKHOUSE_… variable does not hold a number or JSON as it must") from None
    return parse(given)


_FIELDS = {f.name for f in fields(ServerSettings)}
_INTEGERS = {"port", "max_body_bytes", "max_server_memory_bytes"}


def parse(given: Any) -> ServerSettings:
    """Settings from plain values as JSON holds them. Raises ConfigError."""
    values = _object(given, _FIELDS, "settings")
    if not values.get("path"):
        raise ConfigError("path is missing")
    path = Path(values["path"]).absolute()
    values["path"] = path
    values["tmp"] = Path(values.get("tmp") or f"{path}.tmp").absolute()
    values["backups"] = Path(values["backups"]).absolute() if values.get("backups") else None
    for key in ("base", "published"):
        if key in values:
            _identifier(values[key], key)
    for key in _INTEGERS & values.keys():
        if not isinstance(values[key], int) or values[key] < 0:
            raise ConfigError(f"{key} must be a whole number, not below 0")
    base, published = values.get("base", ServerSettings.base), values.get("published", ServerSettings.published)
    if base == published:
        raise ConfigError("base and published must be two databases")
    accounts = tuple(_account(item, base, published) for item in values.get("accounts") or ())
    if not accounts:
        raise ConfigError("accounts is empty: nobody could connect")
    if len({account.name for account in accounts}) != len(accounts):
        raise ConfigError("two accounts have one name")
    return ServerSettings(**values | {"accounts": accounts})


def _account(given: Any, base: str, published: str) -> Account:
    values = _object(given, {f.name for f in fields(Account)}, "account")
    name = values.get("name")
    _identifier(name, "an account's name")
    if not isinstance(values.get("secret"), str) or not values["secret"]:
        raise ConfigError(f"account {name} has no secret; an empty one is refused")
    try:
        kind = Kind(values.get("kind"))
    except ValueError:
        raise ConfigError(f"account {name} must have kind owner, writer, reader or analyst") from None
    if kind is Kind.ANALYST and values.get("database", published) != published:
        raise ConfigError(f"account {name}: an analyst's database is the published one")
    _identifier(values.setdefault("database", published if kind is Kind.ANALYST else base), "database")
    given_limits = _object(values.get("limits") or {}, {f.name for f in fields(Limits)}, f"limits of {name}")
    if any(isinstance(v, bool) or not isinstance(v, int | float) or v < 0 for v in given_limits.values()):
        raise ConfigError(f"account {name}: a limit is a number, not below 0")
    limits = Limits(**{f.name: getattr(_DEFAULT_LIMITS[kind], f.name) for f in fields(Limits)} | given_limits)
    if limits.max_concurrent_queries < 1:
        raise ConfigError(f"account {name}: max_concurrent_queries must be at least 1")
    return Account(**values | {"kind": kind, "limits": limits})


def _object(given: Any, known: set[str], what: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ConfigError(f"{what} must be a JSON object")
    if unknown := sorted(given.keys() - known):
        raise ConfigError(f"{what}: unknown {', '.join(unknown)}")
    return dict(given)


def _identifier(value: Any, what: str) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigError(f"{what} must be a plain name of letters, digits and _")
