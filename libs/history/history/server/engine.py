"""The engine in this process: its configuration, and handles that each run one statement at a time."""

import fcntl
import json
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from xml.sax.saxutils import escape

import chdb

from history.server.config import Kind, ServerSettings
from history.server.failure import Failure, from_engine
from history.server.statement import Statement

_SERVER = """<clickhouse>
<users_config>{users}</users_config>
<max_server_memory_usage>{memory}</max_server_memory_usage>
<mark_cache_size>134217728</mark_cache_size>
<uncompressed_cache_size>0</uncompressed_cache_size>
<index_mark_cache_size>67108864</index_mark_cache_size>
<background_pool_size>2</background_pool_size>
<background_merges_mutations_concurrency_ratio>1</background_merges_mutations_concurrency_ratio>
<background_move_pool_size>1</background_move_pool_size>
<background_fetches_pool_size>1</background_fetches_pool_size>
<background_common_pool_size>2</background_common_pool_size>
<background_schedule_pool_size>4</background_schedule_pool_size>
<merge_tree>
<number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
<number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
<number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
</merge_tree>
{backups}</clickhouse>
"""

_BACKUPS = "<backups><allowed_path>{folder}</allowed_path></backups>\n"

_USERS = """<clickhouse>
<roles>{roles}</roles>
<users>
<default><no_password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<grants>{granted}</grants></default>
<owner><password_sha256_hex>{nobody}</password_sha256_hex><networks><ip>::1</ip></networks>
<profile>default</profile><quota>default</quota><grants><query>GRANT SELECT ON *.*</query></grants></owner>
</users>
<profiles><default/></profiles>
<quotas><default/></quotas>
</clickhouse>
"""


# 1 closes settings as well; 2 leaves them open, for services that know what they ask for.
_READONLY = {Kind.ANALYST: 1, Kind.READER: 2}


class EngineBusyError(RuntimeError):
    """Another process holds the same path: one path belongs to one process."""


def _roles(settings: ServerSettings) -> dict[Kind, list[str]]:
    base, published = settings.base, settings.published
    return {
        Kind.OWNER: ["GRANT ALL ON *.*"],
        Kind.WRITER: [
            f"GRANT SELECT, INSERT ON {base}.*",
            f"GRANT SELECT ON {published}.*",
            "GRANT SELECT ON system.*",
        ],
        Kind.READER: [f"GRANT SELECT ON {base}.*", f"GRANT SELECT ON {published}.*", "GRANT SELECT ON system.*"],
        Kind.ANALYST: [f"GRANT SELECT ON {published}.*"],
    }


_connect: Callable[[str], Any] = chdb.connect
"""Two packages bring this module, one of them typed; which of them lies on top is chance."""


class Handle:
    """One session of the engine. Its statements run one after the other; another thread may only `interrupt` it."""

    def __init__(self, target: str, name: str) -> None:
        self.name = name
        self._connection = _connect(target)
        self._lock = threading.Lock()

    def run(self, sql: str, parameters: Mapping[str, str] | None = None, format_name: str = "TabSeparated") -> Any:
        """Run a statement; the answer has `bytes()`, `rows_read()` and `rows_written()`. Raises Failure."""
        with self._lock:
            try:
                return self._connection.query(sql, format_name, params=dict(parameters or {}))
            except Exception as error:
                raise from_engine(error) from None

    def ask(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[list[Any]]:
        """The rows of a small answer. Raises Failure."""
        with self._lock:
            try:
                answer = self._connection.query(sql, "JSONCompactEachRow", params=dict(parameters or {}))
                return [json.loads(line) for line in answer.bytes().splitlines()]
            except Exception as error:
                raise from_engine(error) from None

    def insert(self, wanted: Statement, chunks: Iterable[bytes], folder: Path) -> int:
        """Insert rows given as bytes of the statement's format; gives the rows written. Raises Failure.

        The rows go by way of an unnamed file, complete before the engine begins: its streaming insert (send_insert)
        reports rows as written that it then fails to store, as when a constraint is violated.
        """
        with tempfile.TemporaryFile(dir=folder) as rows:
            for chunk in chunks:
                rows.write(chunk)
            rows.flush()
            sql = wanted.reading(f"/proc/self/fd/{rows.fileno()}").decode()
            return int(self.run(sql).rows_written())

    def close(self) -> None:
        """Give the session back to the engine."""
        with self._lock:
            self._connection.close()


class Engine:
    """The engine on one path, from `with` to its end. Raises EngineBusyError when the path is taken."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._target = ""
        self._lock_file: IO[bytes] | None = None
        self._numbers = iter(range(1, 1 << 62))

    def __enter__(self) -> Self:
        settings = self._settings
        settings.path.parent.mkdir(parents=True, exist_ok=True)
        lock_file = Path(f"{settings.path}.lock").open("ab")
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock_file.close()
            raise EngineBusyError(f"{settings.path} is in use by another process") from None
        self._lock_file = lock_file
        shutil.rmtree(settings.tmp, ignore_errors=True)
        settings.tmp.mkdir(parents=True, mode=0o700)
        backups = _BACKUPS.format(folder=escape(str(settings.backups))) if settings.backups else ""
        users = escape(str(settings.tmp / "users.xml"))
        self._write("config.xml", _SERVER.format(users=users, memory=settings.max_server_memory_bytes, backups=backups))
        roles = "".join(
            f"<{kind.value}_role><grants>{''.join(map(_query, grants))}</grants></{kind.value}_role>"
            for kind, grants in _roles(settings).items()
        )
        granted = "".join(_query(f"GRANT {kind.value}_role") for kind in Kind)
        self._write("users.xml", _USERS.format(roles=roles, granted=granted, nobody=secrets.token_hex(32)))
        self._target = f"{settings.path}?config-file={settings.tmp / 'config.xml'}"
        self._control = Handle(self._target, "control")
        for database in (settings.base, settings.published):
            self._control.run(f"CREATE DATABASE IF NOT EXISTS {database}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control.close()
        shutil.rmtree(self._settings.tmp, ignore_errors=True)
        assert self._lock_file is not None
        self._lock_file.close()

    def handle(self, kind: Kind, database: str, settings: Mapping[str, str], fixed: Mapping[str, str]) -> Handle:
        """A new handle under the role of `kind`; `fixed` settings are made last. Raises Failure when one is refused."""
        name = f"handle-{next(self._numbers)}"
        handle = Handle(self._target, name)
        try:
            handle.run(f"USE `{database.replace('`', '')}`")
            handle.run(f"SET ROLE {kind.value}_role")
            for key, value in [*settings.items(), *fixed.items(), ("log_comment", name)]:
                handle.run(f"SET {key} = {_literal(value)}")
            if kind in _READONLY:
                handle.run(f"SET readonly = {_READONLY[kind]}")
        except Failure:
            handle.close()
            raise
        return handle

    def interrupt(self, handle: Handle) -> None:
        """Stop what a handle runs, and wait until the engine has let go of it."""
        self._control.run(f"KILL QUERY WHERE Settings['log_comment'] = {_literal(handle.name)} SYNC")

    def interrupt_all(self) -> None:
        """Stop every statement that is running."""
        self._control.run("KILL QUERY WHERE Settings['log_comment'] != '' ASYNC")

    def _write(self, name: str, text: str) -> None:
        file = self._settings.tmp / name
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")


def _query(text: str) -> str:
    return f"<query>{escape(text)}</query>"


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
