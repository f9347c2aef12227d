"""Forward-only migrations: SQL files of one statement each, applied in order and remembered with their checksum; and
views, which hold no data and are simply made as their files say, each time.

Only the history writer migrates. Two processes that migrate at once do no harm: each statement is idempotent, so both
may run it, and the record of a migration is keyed by its number, so both write the same row.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.resources.abc import Traversable

from history.client import HistoryClient
from history.durability import DURABLE_CLAUSE
from history.errors import HistoryError, HistoryRejected

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_QUOTED_OR_COMMENT = re.compile(r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
# The server runs a statement before its record can be written, so a crash in between repeats it.
_IDEMPOTENT = re.compile(
    r"CREATE\s+OR\s+REPLACE\s+(?:VIEW|DICTIONARY|FUNCTION)\s"
    r"|CREATE\s+(?:DATABASE|TABLE|VIEW|MATERIALIZED\s+VIEW|DICTIONARY|FUNCTION|USER|ROLE|ROW\s+POLICY)\s+IF\s+NOT\s+EXISTS\s"
    r"|DROP\s+[A-Z ]+?\s+IF\s+EXISTS\s"
    r"|ALTER\s+TABLE\s+\S+\s+(?:"
    r"ADD\s+(?:COLUMN|INDEX|PROJECTION|CONSTRAINT)\s+IF\s+NOT\s+EXISTS\s"
    r"|(?:DROP|CLEAR|COMMENT|RENAME)\s+(?:COLUMN|INDEX|PROJECTION|CONSTRAINT)\s+IF\s+EXISTS\s"
    r"|MODIFY\s)"
    r"|GRANT\s|REVOKE\s",
    re.IGNORECASE,
)
_UNCONDITIONAL = re.compile(
    r",\s*(?:ADD|DROP|CLEAR|COMMENT|RENAME)\s+(?!(?:COLUMN|INDEX|PROJECTION|CONSTRAINT)\s+IF\s+(?:NOT\s+)?EXISTS\s)",
    re.IGNORECASE,
)
_VIEW = re.compile(r"CREATE\s+OR\s+REPLACE\s+VIEW\s+([a-z_]+\.[a-z_]+)\s", re.IGNORECASE)


class MigrationError(HistoryError):
    """A migration file or the record of applied ones is not as it must be; the message names the file."""


@dataclass(frozen=True)
class Migration:
    """One file: its number, its name and its text as it will be sent."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text in hex, comments included: a reviewed file does not change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(folder: Traversable) -> tuple[Migration, ...]:
    """The migrations of a package folder (`importlib.resources.files(package) / "migrations"`), in order.

    Every `.sql` file must be `NNNN_what_it_does.sql`, numbered from 0001 without gap or repeat, begin with a `--`
    comment that says why, and hold one idempotent statement. Other files are ignored. Raises `MigrationError`.
    """
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    migrations = tuple(_parse(entry.name, entry.read_text(encoding="utf-8")) for entry in files)
    for expected, migration in enumerate(migrations, start=1):
        if migration.number < expected:
            raise MigrationError(f"{migration.name}: number {migration.number:04} is used twice")
        if migration.number > expected:
            raise MigrationError(f"{migration.name}: number {expected:04} is missing before it")
    return migrations


def load_views(folder: Traversable) -> tuple[str, ...]:
    """The views of a package folder, one `name.sql` each, those that others read from first.

    Every file begins with a `--` comment that says why and holds one CREATE OR REPLACE VIEW of the file's name. Raises
    `MigrationError`, also when views read from one another in a circle.
    """
    files = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".sql")}
    views: dict[str, tuple[str, str]] = {}
    for name, text in sorted(files.items()):
        sql = _checked(name, text)
        match = _VIEW.match(_bare(text).strip())
        if match is None or match[1].partition(".")[2] != name.removesuffix(".sql"):
            raise MigrationError(f"{name}: a view's file holds CREATE OR REPLACE VIEW and is named as the view")
        views[match[1].lower()] = (name, sql)
    order = TopologicalSorter(
        {view: {other for other in views if other != view and _reads(sql, other)} for view, (_, sql) in views.items()}
    )
    try:
        return tuple(views[view][1] for view in order.static_order())
    except CycleError as error:
        raise MigrationError(f"views read from one another in a circle: {', '.join(error.args[1])}") from None


def _reads(sql: str, view: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(view)}(?![\w.])", _bare(sql), re.IGNORECASE) is not None


def _parse(name: str, text: str) -> Migration:
    match = _FILE.fullmatch(name)
    if match is None:
        raise MigrationError(f"{name}: the name must read NNNN_what_it_does.sql")
    return Migration(int(match[1]), name, _checked(name, text))


def _bare(text: str) -> str:
    """The text without comments and without what stands in single quotes."""
    return _QUOTED_OR_COMMENT.sub(lambda found: found.group() if found.group()[0] in '`"' else " ", text)


def _checked(name: str, text: str) -> str:
    """The one statement of a file as it will be sent."""
    if not re.match(r"--[ \t]*\w", text):
        raise MigrationError(f"{name}: the first line must be a comment that says why")
    statement = _bare(text).strip().removesuffix(";").rstrip()
    if not statement or ";" in statement:
        raise MigrationError(f"{name}: one file holds exactly one statement")
    if not _IDEMPOTENT.match(statement) or _alters_blindly(statement):
        raise MigrationError(f"{name}: the statement must be one that may run twice (IF NOT EXISTS, OR REPLACE, …)")
    return text.rstrip().removesuffix(";")


def _alters_blindly(statement: str) -> bool:
    """Whether an action behind the first one is not conditional on what is there."""
    return statement[:5].upper() == "ALTER" and _UNCONDITIONAL.search(statement) is not None


async def migrate(client: HistoryClient, migrations: Iterable[Migration], database: str) -> tuple[str, ...]:
    """Apply what is missing, in order; answer the names applied now, empty when all were there.

    The record is the table `migrations` in `database`; both are created when missing, so the client's own default
    database must be one that exists before. An applied file that has changed, has been renamed or is gone raises
    `MigrationError` before anything runs; a statement that the server refuses raises it and leaves the ones before.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", database):
        raise ValueError("a database name holds lower-case letters, digits and underscores only")
    migrations = tuple(migrations)
    await client.execute(f"CREATE DATABASE IF NOT EXISTS {database}")
    await client.execute(
        f"CREATE TABLE IF NOT EXISTS {database}.migrations "
        "(number UInt16, name String, checksum FixedString(64), applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) "
        "ENGINE = ReplacingMergeTree ORDER BY number "
        f"{DURABLE_CLAUSE}"
    )
    applied = await _applied(client, database)
    known = {migration.number: migration for migration in migrations}
    for number, (name, checksum) in applied.items():
        migration = known.get(number)
        if migration is None or migration.name != name:
            raise MigrationError(f"{name}: applied to this database, but no longer among the files")
        if migration.checksum != checksum:
            raise MigrationError(f"{name}: changed after it was applied; write a new migration instead")
    missing = [migration for migration in migrations if migration.number not in applied]
    if applied and missing and missing[0].number < max(applied):
        raise MigrationError(f"{missing[0].name}: a later migration has been applied before it")
    for migration in missing:
        await _apply(client, migration, database)
    return tuple(migration.name for migration in missing)


async def make_views(client: HistoryClient, views: Iterable[str]) -> None:
    """Make the views of `load_views` as they are now; `MigrationError` when the server refuses one."""
    for sql in views:
        try:
            await client.execute(sql)
        except HistoryRejected as error:
            raise MigrationError(f"{sql.partition(chr(10))[0]}: {error.detail}") from error


async def _applied(client: HistoryClient, database: str) -> dict[int, tuple[str, str]]:
    rows = await client.rows(f"SELECT number, name, checksum FROM {database}.migrations FINAL ORDER BY number")  # noqa: S608
    return {
        number: (name, checksum.decode() if isinstance(checksum, bytes) else checksum)
        for number, name, checksum in rows
    }


async def _apply(client: HistoryClient, migration: Migration, database: str) -> None:
    try:
        await client.execute(migration.sql)
    except HistoryRejected as error:
        # A migration is reviewed source text: unlike a query's, its error may be shown.
        raise MigrationError(f"{migration.name}: {error.detail}") from error
    await client.execute(
        f"INSERT INTO {database}.migrations (number, name, checksum) "
        "SELECT {number:UInt16}, {name:String}, {checksum:String}",
        {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
        settings={"async_insert": 0},
    )


async def dump_schema(client: HistoryClient, databases: Iterable[str]) -> str:
    """Every CREATE statement of the databases as ClickHouse itself lays it out, a blank line between them.

    Databases come in the order given, tables by name within them; inner tables of views and the record of migrations
    are left out. Keep it in a reviewed `schema.sql` and compare in a test. An unknown database adds nothing.
    """
    statements: list[str] = []
    for database in databases:
        rows = await client.rows(
            "SELECT formatQuery(create_table_query) FROM system.tables WHERE database = {database:String} "
            "AND name != 'migrations' AND NOT startsWith(name, '.inner') ORDER BY name",
            {"database": database},
        )
        statements.extend(f"{query};\n" for (query,) in rows)
    return "\n".join(statements)
