"""The database, SQLite or PostgreSQL: reads, and transactions in which every change of a fact gets its number."""

import asyncio
import contextlib
import functools
import pathlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Concatenate, Final, ParamSpec, Protocol, Self, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from registry import history, rows
from registry.domain import Account, Credential, Fact, Gate, Grant, Lane, LaneDirection, Lot, Page, Role, Vendor
from registry.errors import AlreadyRegistered, StoreUnavailable

_MIGRATING: Final = 0x9A4B_3E17  # the lock under which one process at a time migrates


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns))


# Types, keys and constraints stand in the migrations, and only there.
_numbering = _table("numbering", "id", "epoch", "revision")
_changes = _table("changes", "revision", "kind", "key", "fact", "made_ms", "made_by", "made_with")
_lots = _table(
    "lots",
    "lot_id",
    "registration_number",
    "name",
    "type",
    "division_code",
    "address",
    "latitude",
    "longitude",
    "coordinate_system",
    "open_berths",
    "state",
    "create_ms",
)
_gates = _table("gates", "lot_id", "gate_id", "name")
_lanes = _table("lanes", "lot_id", "gate_id", "place", "lane_id", "direction")
_vendors = _table("vendors", "vendor_id", "name", "role", "requests_per_second", "create_ms")
_credentials = _table(
    "credentials", "client_id", "vendor_id", "issue_revision", "secret_hash", "create_ms", "expire_ms", "revoked"
)
_grants = _table("grants", "vendor_id", "lot_id", "start_ms", "end_ms")


P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="_HasStore")


class _HasStore(Protocol):
    _store: "Store"


class Reader:
    """Reads within one transaction. What is not there comes back as None or an empty list."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def position(self) -> tuple[str, int]:
        """The epoch, and the number of the last change."""
        row = (await self._connection.execute(sa.select(_numbering.c.epoch, _numbering.c.revision))).one()
        return row.epoch, row.revision

    async def page(self, epoch: str, since: int, limit: int) -> Page:
        """At most so many of the facts changed after a revision; all facts when that is not one of this epoch."""
        # Read first: every change up to here is seen by the next statement, whatever is committed in between.
        own, reached = await self.position()
        snapshot = epoch != own or since > reached
        later = _changes.alias()
        is_latest = ~(
            sa.exists()
            .where(later.c.kind == _changes.c.kind, later.c.key == _changes.c.key)
            .where(later.c.revision > _changes.c.revision)
        )
        found = await self._rows(
            sa.select(_changes.c.revision, _changes.c.kind, _changes.c.fact)
            .where(_changes.c.revision > (0 if snapshot else since), is_latest)
            .order_by(_changes.c.revision)
            .limit(limit)
        )
        complete = len(found) < limit
        revision = max(reached if complete else 0, found[-1].revision if found else 0)
        return Page(own, revision, snapshot, complete, tuple(history.read(row.kind, row.fact) for row in found))

    async def lot(self, lot_id: str) -> Lot | None:
        """The lot, whoever asks."""
        found = await self._rows(sa.select(_lots).where(_lots.c.lot_id == lot_id))
        return rows.lot(found[0]) if found else None

    async def may_see(self, vendor_id: str, lot_id: str, now_ms: int) -> bool:
        """Whether the vendor holds a grant for the lot at that time."""
        grant = await self.grant(vendor_id, lot_id)
        return grant is not None and grant.start_ms <= now_ms and not grant.ended_by(now_ms)

    async def lots(self, after: str, limit: int, *, granted_to: str | None = None, now_ms: int = 0) -> list[Lot]:
        """The lots whose id follows, in that order; only those that the vendor holds a grant for, when one is named."""
        select = sa.select(_lots).where(_lots.c.lot_id > after).order_by(_lots.c.lot_id).limit(limit)
        if granted_to is not None:
            granted = sa.select(_grants.c.lot_id).where(
                _grants.c.vendor_id == granted_to,
                _grants.c.start_ms <= now_ms,
                _grants.c.end_ms.is_(None) | (_grants.c.end_ms > now_ms),
            )
            select = select.where(_lots.c.lot_id.in_(granted))
        return [rows.lot(row) for row in await self._rows(select)]

    async def gates(self, lot_id: str, after: str, limit: int) -> list[Gate]:
        """The lot's gates whose number follows, in that order."""
        chosen = (
            sa.select(_gates)
            .where(_gates.c.lot_id == lot_id, _gates.c.gate_id > after)
            .order_by(_gates.c.gate_id)
            .limit(limit)
        )
        gates = await self._rows(chosen)
        lanes: dict[str, list[Lane]] = {gate.gate_id: [] for gate in gates}
        found = await self._rows(
            sa.select(_lanes)
            .where(_lanes.c.lot_id == lot_id, _lanes.c.gate_id.in_(list(lanes)))
            .order_by(_lanes.c.gate_id, _lanes.c.place)
        )
        for row in found:
            lanes[row.gate_id].append(Lane(row.lane_id, LaneDirection(row.direction)))
        return [Gate(gate.lot_id, gate.gate_id, gate.name, tuple(lanes[gate.gate_id])) for gate in gates]

    async def vendor(self, vendor_id: str) -> Vendor | None:
        """The vendor."""
        found = await self._rows(sa.select(_vendors).where(_vendors.c.vendor_id == vendor_id))
        return rows.vendor(found[0]) if found else None

    async def vendors(self, after: str, limit: int) -> list[Vendor]:
        """The vendors whose id follows, in that order."""
        select = sa.select(_vendors).where(_vendors.c.vendor_id > after).order_by(_vendors.c.vendor_id).limit(limit)
        return [rows.vendor(row) for row in await self._rows(select)]

    async def credentials(self, vendor_id: str) -> list[Credential]:
        """All credentials that the vendor ever had, in the order they were issued."""
        chosen = sa.select(_credentials).where(_credentials.c.vendor_id == vendor_id)
        return [rows.credential(row) for row in await self._rows(chosen.order_by(_credentials.c.issue_revision))]

    async def account(self, client_id: str) -> Account | None:
        """The credential with its vendor's role and the hash of its secret."""
        chosen = sa.select(_credentials, _vendors.c.role).join_from(
            _credentials, _vendors, _credentials.c.vendor_id == _vendors.c.vendor_id
        )
        found = await self._rows(chosen.where(_credentials.c.client_id == client_id))
        return Account(rows.credential(found[0]), Role(found[0].role), found[0].secret_hash) if found else None

    async def grant(self, vendor_id: str, lot_id: str) -> Grant | None:
        """The vendor's grant for the lot, be it over or not."""
        chosen = sa.select(_grants).where(_grants.c.vendor_id == vendor_id, _grants.c.lot_id == lot_id)
        found = await self._rows(chosen)
        return rows.grant(found[0]) if found else None

    async def _rows(self, select: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        return (await self._connection.execute(select)).all()


class Writer(Reader):
    """Reads and changes within one transaction, which no other writer's overlaps."""

    def __init__(self, connection: AsyncConnection, made_ms: int, made_by: str, made_with: str) -> None:
        super().__init__(connection)
        self._made = {"made_ms": made_ms, "made_by": made_by, "made_with": made_with}
        self._revision = 0
        self.changed = False

    async def lock(self) -> Self:
        """Waits for other writers to end: numbers become visible in their order, without gaps."""
        update = sa.update(_numbering).values(revision=_numbering.c.revision).returning(_numbering.c.revision)
        self._revision = (await self._connection.execute(update)).scalar_one()
        return self

    async def add_lot(self, lot: Lot) -> None:
        """Adds a lot; AlreadyRegistered when another one has its registration number."""
        await self._insert(_lots, rows.lot_row(lot), unique="registrationNumber")
        await self._number(lot)

    async def add_gate(self, gate: Gate) -> None:
        """Adds a gate to a lot that is there; AlreadyRegistered when the lot has one with its number."""
        row = {"lot_id": gate.lot_id, "gate_id": gate.gate_id, "name": gate.name}
        await self._insert(_gates, row, unique="gateId")
        for place, lane in enumerate(gate.lanes):
            key = {"lot_id": gate.lot_id, "gate_id": gate.gate_id, "place": place}
            await self._insert(_lanes, key | asdict(lane), unique="laneId")
        await self._number(gate)

    async def add_vendor(self, vendor: Vendor) -> None:
        """Adds a vendor; AlreadyRegistered when another one has its name."""
        await self._insert(_vendors, asdict(vendor), unique="name")
        await self._number(vendor)

    async def add_credential(self, credential: Credential, secret_hash: str) -> None:
        """Adds a credential to a vendor that is there; AlreadyRegistered when its client id is taken."""
        row = asdict(credential) | {"secret_hash": secret_hash, "issue_revision": self._revision + 1}
        await self._insert(_credentials, row, unique="clientId")
        await self._number(credential)

    async def set_credential(self, credential: Credential, secret_hash: str | None = None) -> None:
        """Replaces a credential that is there, and its secret when one is given."""
        row = asdict(credential) | ({} if secret_hash is None else {"secret_hash": secret_hash})
        is_it = _credentials.c.client_id == credential.client_id
        await self._connection.execute(sa.update(_credentials).where(is_it).values(row))
        await self._number(credential)

    async def set_grant(self, grant: Grant) -> None:
        """Adds the grant, or replaces the one that the vendor holds for the lot."""
        is_it = (_grants.c.vendor_id == grant.vendor_id) & (_grants.c.lot_id == grant.lot_id)
        replaced = await self._connection.execute(sa.update(_grants).where(is_it).values(asdict(grant)))
        if not replaced.rowcount:
            await self._insert(_grants, asdict(grant), unique="lotId")
        await self._number(grant)

    async def _insert(self, table: sa.TableClause, row: dict[str, Any], *, unique: str) -> None:
        try:
            await self._connection.execute(sa.insert(table).values(row))
        except sa.exc.IntegrityError:
            raise AlreadyRegistered(unique) from None

    async def _number(self, fact: Fact) -> None:
        self._revision += 1
        self.changed = True
        kind, key = history.identity(fact)
        row = {"revision": self._revision, "kind": kind, "key": key, "fact": history.written(fact)} | self._made
        await self._connection.execute(sa.insert(_changes).values(row))
        await self._connection.execute(sa.update(_numbering).values(revision=self._revision))


class Store:
    """One database. Open it with `opened`; read and write where `to_the_end` sees to it that transactions end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._listeners: list[Callable[[], None]] = []
        self._work: set[asyncio.Task[Any]] = set()

    async def carry_out(self, work: Coroutine[Any, Any, T]) -> T:
        """Does the work to its end, and before the store closes, also when the caller is cancelled meanwhile."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            task.exception()  # the caller, who is told of it, may be gone

    async def close(self) -> None:
        """Waits for the work to end, and closes all connections."""
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._engine.dispose()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Calls the listener after every transaction of this store that changed something."""
        self._listeners.append(listener)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """A transaction for reading. StoreUnavailable when the database cannot be reached."""
        async with self._transaction(writes=False) as connection:
            yield Reader(connection)

    @contextlib.asynccontextmanager
    async def writing(self, made_ms: int, made_by: str, made_with: str = "") -> AsyncIterator[Writer]:
        """A transaction for changes by that subject with that credential: all are kept or, on an error, none."""
        async with self._transaction(writes=True) as connection:
            writer = await Writer(connection, made_ms, made_by, made_with).lock()
            yield writer
        if writer.changed:
            for listener in self._listeners:
                listener()

    async def migrate(self) -> None:
        """Brings the schema forward to this version's; one process at a time. StoreUnavailable."""
        async with self._transaction(writes=True) as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
            await connection.run_sync(_upgrade)

    @contextlib.asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=writes)
                async with connection.begin():
                    yield connection


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The store at sqlite:///<path> or postgresql://…, migrated; closed at the end."""
    store = Store(_engine(sa.make_url(url)))
    try:
        await store.carry_out(store.migrate())
        yield store
    finally:
        await store.close()


def to_the_end(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A method that is carried out to its end when its caller is cancelled, as callers that hang up are.

    A driver that is interrupted may leave its connection, and with it a lock on the whole database, behind.
    """

    @functools.wraps(method)
    async def carried_out(self: S, /, *args: P.args, **named: P.kwargs) -> T:
        return await self._store.carry_out(method(self, *args, **named))

    return carried_out


def _engine(url: sa.URL) -> AsyncEngine:
    if url.get_backend_name() == "postgresql":
        return create_async_engine(url.set(drivername="postgresql+asyncpg"), pool_pre_ping=True)
    if url.database:
        pathlib.Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # One connection is the single writer, and readers never hold up its commit.
    engine = create_async_engine(url.set(drivername="sqlite+aiosqlite"), pool_size=1, max_overflow=0)
    sa.event.listen(engine.sync_engine, "connect", _prepare)
    sa.event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    cursor = connection.cursor()
    # A rollback journal, for WAL can lose commits in the SQLite versions before 3.51.3 that systems still ship.
    for pragma in ("journal_mode = DELETE", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A transaction that will write takes its lock at once: turned into a writer later, it could fail at any statement.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "registry:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, OSError) as error:
        raise StoreUnavailable from error
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable from error
        raise
