"""What `make up` can be told, and the ports that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self


class SettingsError(Exception):
    """The environment does not make settings; names the variable, never its value."""


@dataclass(frozen=True)
class Ports:
    """The TCP ports of one platform."""

    edge: int = 8443
    """HTTPS, both REST and gRPC."""
    clickhouse: int = 8123
    """ClickHouse's HTTP interface."""
    log: int = 18441
    registry: int = 18442
    access_records: int = 18443
    history_writer: int = 18444
    risk_control: int = 18445
    control_plane: int = 18446
    envoy_admin: int = 18447
    guidance: int = 18448
    visits: int = 18449

    @classmethod
    def counted_from(cls, base: int) -> Self:
        """All ports in a row, the edge's first."""
        return cls(*range(base, base + len(fields(cls))))


@dataclass(frozen=True)
class Settings:
    """Read once from the environment by `from_env`."""

    host: str = "127.0.0.1"
    """PARKMESH_HOST: the address at which the edge and ClickHouse listen. Everything else stays on loopback."""
    ports: Ports = field(default_factory=Ports)
    """PARKMESH_PORT_BASE: the edge's port, the others following it; unset: those of `Ports`."""
    var: Path = Path("var")
    """PARKMESH_VAR: the runtime folder, with data, logs, keys and demo.json."""
    redis_url: str = field(default="", repr=False)
    """REDIS_URL: a log server of one's own; the embedded one is then not started."""
    clickhouse_url: str = field(default="", repr=False)
    """CLICKHOUSE_URL: a ClickHouse of one's own; the embedded one is then not started."""
    database_url: str = field(default="", repr=False)
    """DATABASE_URL: a PostgreSQL of one's own in the place of the SQLite file."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings; SettingsError when one cannot be read."""
        return cls(
            host=environ.get("PARKMESH_HOST") or cls.host,
            ports=_ports(environ.get("PARKMESH_PORT_BASE", "")),
            var=Path(environ.get("PARKMESH_VAR") or cls.var).absolute(),
            redis_url=environ.get("REDIS_URL", ""),
            clickhouse_url=environ.get("CLICKHOUSE_URL", ""),
            database_url=environ.get("DATABASE_URL", ""),
        )


def _ports(base: str) -> Ports:
    if not base:
        return Ports()
    highest = 65536 - len(fields(Ports))
    if not base.isdecimal() or not 1024 <= int(base) <= highest:
        raise SettingsError(f"PARKMESH_PORT_BASE must be a number from 1024 to {highest}")
    return Ports.counted_from(int(base))
