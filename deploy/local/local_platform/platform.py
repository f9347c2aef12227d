"""The platform as a list: every process, what it is told, whom it needs and how it shows that it is ready."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.envoy import EnvoySettings, envoy_command
from eventlog.server import ServerSettings, binary

from local_platform.credentials import Credentials
from local_platform.probes import AllOf, GrpcProbe, HttpProbe, RedisProbe, TcpProbe
from local_platform.process import Process
from local_platform.settings import Settings

LOOPBACK = "127.0.0.1"
CALLERS = ("access-records", "edge", "guidance", "history-writer", "registry", "risk-control", "visits")
"""Who asserts itself to others: one key pair each."""
OWNER, WRITER, READER, ANALYST = "owner", "writer", "reader", "analyst"
"""ClickHouse accounts: who makes the schema, who writes the history, who reads it for the services, the analyst."""
PUBLISHED = "parkmesh"
"""The ClickHouse database that analysts read."""


def processes(settings: Settings, credentials: Credentials) -> tuple[Process, ...]:
    """All processes of the platform, without those that the settings replace by a server of one's own."""
    return (
        *(() if settings.redis_url else (log(settings, credentials),)),
        *(() if settings.clickhouse_url else (clickhouse(settings),)),
        registry(settings, credentials),
        access_records(settings, credentials),
        history_writer(settings, credentials),
        visits(settings, credentials),
        guidance(settings, credentials),
        risk_control(settings, credentials),
        control_plane(settings, credentials),
        envoy(settings),
    )


def log_server(settings: Settings, credentials: Credentials) -> ServerSettings:
    """The embedded log server's settings."""
    return ServerSettings(settings.var / "data" / "log", settings.ports.log, password=credentials.log_password)


def clickhouse_config(settings: Settings, credentials: Credentials) -> dict[str, Any]:
    """What the embedded ClickHouse server reads from its configuration file."""
    return {
        "path": str(settings.var / "data" / "clickhouse"),
        "host": settings.host,
        "port": settings.ports.clickhouse,
        "published": PUBLISHED,
        "backups": str(settings.var / "data" / "backup"),
        "accounts": [
            {"name": OWNER, "kind": "owner", "secret": credentials.owner_password},
            {"name": WRITER, "kind": "writer", "secret": credentials.writer_password},
            {"name": READER, "kind": "reader", "secret": credentials.reader_password},
            {"name": ANALYST, "kind": "analyst", "secret": credentials.analyst_password},
        ],
    }


def clickhouse_config_file(settings: Settings) -> Path:
    """Where that file is."""
    return settings.var / "clickhouse.json"


def certificates(settings: Settings) -> Path:
    """The folder with the edge's certificate and the authority that signed it."""
    return settings.var / "certificates"


def clickhouse_url(settings: Settings) -> str:
    """Where ClickHouse answers, as seen from this machine."""
    return settings.clickhouse_url or f"http://localhost:{settings.ports.clickhouse}"


def edge_url(settings: Settings) -> str:
    """Where the edge answers, as seen from this machine."""
    return f"https://localhost:{settings.ports.edge}"


def log(settings: Settings, credentials: Credentials) -> Process:
    """Valkey, as the durable log."""
    server = log_server(settings, credentials)
    return Process(
        name="log",
        command=(str(binary()), str(server.folder / "valkey.conf")),
        ready=RedisProbe(server.url),
        ports=(server.port,),
        grace_seconds=30,
    )


def clickhouse(settings: Settings) -> Process:
    """The embedded ClickHouse."""
    port = settings.ports.clickhouse
    return Process(
        name="clickhouse",
        command=_python("history.server", "--config", str(clickhouse_config_file(settings))),
        ready=HttpProbe(_reachable(settings.host), port, "/ping"),
        ports=(port,),
        grace_seconds=30,
    )


def registry(settings: Settings, credentials: Credentials) -> Process:
    """Lots, vendors, credentials, tokens, the directory."""
    database = settings.database_url or f"sqlite:///{settings.var / 'data' / 'registry.db'}"
    told = {
        "DATABASE_URL": database,
        "TOKEN_KEY": str(credentials.keys / "token.key"),
        "ADMIN_CLIENT_ID": credentials.admin_client_id,
        "ADMIN_CLIENT_SECRET": credentials.admin_client_secret,
        "SECURITY_ADMIN_CLIENT_ID": credentials.security_admin_client_id,
        "SECURITY_ADMIN_CLIENT_SECRET": credentials.security_admin_client_secret,
        "AUDIT_ADMIN_CLIENT_ID": credentials.audit_admin_client_id,
        "AUDIT_ADMIN_CLIENT_SECRET": credentials.audit_admin_client_secret,
        "MASTER_KEY": str(credentials.master_key),
    }
    return _service("registry", settings.ports.registry, credentials, told)


def access_records(settings: Settings, credentials: Credentials) -> Process:
    """Entries and exits."""
    told = {
        **_log(settings, credentials),
        **_history(settings),
        **_registry(settings),
        **_account(settings, "CLICKHOUSE", READER, credentials.reader_password),
        "PLATE_KEY": credentials.plate_key,
        "REPORT_KEY": str(credentials.keys / "report.key"),
        "EXPORTS_FOLDER": str(settings.var / "data" / "exports"),
    }
    return _service("access-records", settings.ports.access_records, credentials, told, *_stores(settings))


def history_writer(settings: Settings, credentials: Credentials) -> Process:
    """The one process that writes the history."""
    told = {
        **_log(settings, credentials),
        **_history(settings),
        **_registry(settings),
        **_account(settings, "CLICKHOUSE", WRITER, credentials.writer_password),
        **_account(settings, "CLICKHOUSE_OWNER", OWNER, credentials.owner_password),
    }
    return _service(
        "history-writer",
        settings.ports.history_writer,
        credentials,
        told,
        *_stores(settings),
        module="access_records.history_writer",
    )


def visits(settings: Settings, credentials: Credentials) -> Process:
    """The projection that pairs entries and exits."""
    told = {
        **_log(settings, credentials),
        **_history(settings),
        **_account(settings, "CLICKHOUSE", WRITER, credentials.writer_password),
    }
    return _service(
        "visits", settings.ports.visits, credentials, told, *_stores(settings)[1:], module="access_records.visits"
    )


def guidance(settings: Settings, credentials: Credentials) -> Process:
    """What the public sees. It does without ClickHouse for as long as that is away."""
    told = {
        **_history(settings),
        **_registry(settings),
        **_account(settings, "CLICKHOUSE", READER, credentials.reader_password),
    }
    return _service("guidance", settings.ports.guidance, credentials, told, "registry")


def risk_control(settings: Settings, credentials: Credentials) -> Process:
    """Who may call, and how often."""
    told = {
        **_registry(settings),
        "REDIS_URL": _log(settings, credentials)["REDIS_URL"],
        "TOKEN_KEYS": str(credentials.keys / "token.pem"),
        "SIGNING_KEY": str(credentials.master_key),
    }
    log = () if settings.redis_url else ("log",)
    return _service("risk-control", settings.ports.risk_control, credentials, told, "registry", *log)


def control_plane(settings: Settings, credentials: Credentials) -> Process:
    """What tells Envoy its configuration."""
    ports = settings.ports
    upstreams = {
        "parkmesh.registry.v1": ports.registry,
        "parkmesh.access.v1": ports.access_records,
        "parkmesh.guidance.v1": ports.guidance,
    }
    own = [settings.host] if _reachable(settings.host) == settings.host else []
    told = {
        "ADDRESS": settings.host,
        "PORT": str(ports.edge),
        "CERTIFICATES": str(certificates(settings)),
        "NAMES": ",".join(dict.fromkeys(["localhost", LOOPBACK, "::1", *own])),
        "UPSTREAMS": ",".join(f"{package}={LOOPBACK}:{port}" for package, port in upstreams.items()),
        "RISK_CONTROL": f"{LOOPBACK}:{ports.risk_control}",
    }
    return _service("edge", ports.control_plane, credentials, told, module="edge.control_plane")


def envoy(settings: Settings) -> Process:
    """The edge itself."""
    ports = settings.ports
    command = envoy_command(
        EnvoySettings(control_plane=f"{LOOPBACK}:{ports.control_plane}", admin=f"{LOOPBACK}:{ports.envoy_admin}")
    )
    return Process(
        name="envoy",
        command=tuple(command),
        ready=AllOf(HttpProbe(LOOPBACK, ports.envoy_admin, "/ready"), TcpProbe(_reachable(settings.host), ports.edge)),
        depends_on=("edge", "access-records", "risk-control"),
        ports=(ports.edge, ports.envoy_admin),
    )


def _service(
    name: str,
    port: int,
    credentials: Credentials,
    told: Mapping[str, str],
    *depends_on: str,
    module: str = "",
) -> Process:
    """A process that mesh runs: its settings are variables that begin with its name."""
    address = f"{LOOPBACK}:{port}"
    told = {
        "LISTEN": address,
        "CALLER_KEY": str(credentials.key(name)),
        "TRUSTED_CALLERS": str(credentials.trusted),
        "DRAIN_NOTICE_SECONDS": "0",  # one machine has no balancer that would have to notice
        **told,
    }
    prefix = name.upper().replace("-", "_")
    return Process(
        name=name,
        command=_python(module or prefix.lower()),
        ready=GrpcProbe(address),
        env={f"{prefix}_{field}": value for field, value in told.items()},
        depends_on=depends_on,
        ports=(port,),
    )


def _log(settings: Settings, credentials: Credentials) -> dict[str, str]:
    server = log_server(settings, credentials)
    folder = {} if settings.redis_url else {"LOG_FOLDER": str(server.folder)}
    return folder | {"REDIS_URL": settings.redis_url or server.url}


def _history(settings: Settings) -> dict[str, str]:
    embedded = f"http://{_reachable(settings.host)}:{settings.ports.clickhouse}"
    return {"CLICKHOUSE_URL": settings.clickhouse_url or embedded}


def _account(settings: Settings, prefix: str, user: str, password: str) -> dict[str, str]:
    # A ClickHouse of one's own has accounts of one's own: the service's variables then come from the environment.
    return {} if settings.clickhouse_url else {f"{prefix}_USER": user, f"{prefix}_PASSWORD": password}


def _registry(settings: Settings) -> dict[str, str]:
    return {"REGISTRY_ADDRESS": f"{LOOPBACK}:{settings.ports.registry}"}


def _stores(settings: Settings) -> tuple[str, ...]:
    wanted = {"log": settings.redis_url, "clickhouse": settings.clickhouse_url}
    return ("registry", *(name for name, replaced in wanted.items() if not replaced))


def _reachable(host: str) -> str:
    return LOOPBACK if host in {"0.0.0.0", "::", ""} else host  # noqa: S104  compared with, not bound to


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
