"""Typed settings, read once from the environment."""

import dataclasses
import hmac
import pathlib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Self

_MASK = "***"
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class SettingsError(Exception):
    """The environment does not make settings. Names every variable at fault, never a value."""


class Secret:
    """A text that is never shown: masked in str, repr, f-strings and logs. `reveal` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself; for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> typing.NoReturn:
        raise TypeError("a secret is not pickled")


def setting(default: Any = dataclasses.MISSING, *, shared: str = "") -> Any:
    """A field that is also read from the un-prefixed variable `shared` (such as REDIS_URL) when its own is not set.

    Without a default it must be set.
    """
    # An address from outside may hold a password, whatever its type: it is left out of the repr.
    return dataclasses.field(default=default, repr=not shared, metadata={"shared": shared})


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseSettings:
    """What every service can be told.

    A service's own settings are a frozen, kw_only dataclass derived from this one, a docstring under each field.

    The variable of field `listen` of the service `access-records` is ACCESS_RECORDS_LISTEN. Types: str, int, float,
    bool, Path, Secret, tuple[str, ...] (separated by commas), and any of them `| None`.
    """

    listen: str = "127.0.0.1:0"
    """Where to serve, host:port; port 0 takes a free one and logs it."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    telemetry_endpoint: str = ""
    """OTLP gRPC endpoint for traces and metrics, such as http://127.0.0.1:4317; empty: none are sent."""
    metrics_listen: str = ""
    """Where to serve Prometheus metrics, host:port; empty: nowhere."""
    trace_ratio: float = 0.01
    """Share of calls that are traced when the caller has not decided, 0 to 1."""
    caller_key: pathlib.Path | None = None
    """PEM file with this service's Ed25519 private key, for its own calls."""
    trusted_callers: pathlib.Path | None = None
    """Folder of <issuer>.pem: the public keys of those whose caller assertions are believed."""
    trust_read_seconds: float = 5.0
    """How often that folder is read again."""
    registry_address: str = ""
    """Where the registry serves, host:port, for services that keep a directory."""
    drain_notice_seconds: float = 0.5
    """After SIGTERM: how long calls are still taken while health says NOT_SERVING, so that balancers see it."""
    drain_seconds: float = 5.0
    """After that: how long running calls may go on before they are cancelled."""
    max_receive_bytes: int = 4 * 1024 * 1024
    """Largest message that is taken."""
    max_concurrent_calls: int = 1000
    """Calls running at once, streams included; more are refused with RESOURCE_EXHAUSTED."""

    @classmethod
    def from_env(cls, prefix: str, environ: Mapping[str, str]) -> Self:
        """Reads `<prefix>_<FIELD>` for each field.

        A variable of that prefix that is no field, one of the wrong type, or a missing required one is a SettingsError
        that names them all.
        """
        hints = typing.get_type_hints(cls)
        problems: list[str] = []
        values: dict[str, Any] = {}
        known = {}
        for field in dataclasses.fields(cls):
            own = f"{prefix}_{field.name.upper()}"
            known[own] = field.name
            shared = field.metadata.get("shared", "")
            name = own if own in environ or not shared else shared
            if name in environ:
                try:
                    values[field.name] = _read(hints[field.name], environ[name])
                except ValueError as error:
                    problems.append(f"{name} {error}")
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                problems.append(f"{name} is required")
        problems += [
            f"{name} is unknown" for name in sorted(environ) if name.startswith(f"{prefix}_") and name not in known
        ]
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(**values)


def _read(hint: Any, text: str) -> Any:
    if isinstance(hint, types.UnionType):
        (hint,) = (option for option in typing.get_args(hint) if option is not types.NoneType)
        if not text:
            return None
    if hint == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return _READERS[hint](text)
    except (ValueError, KeyError):
        # Raised anew without its cause: int("…") quotes the value.
        raise ValueError(f"must be a {hint.__name__}") from None


_READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: lambda text: _WORDS[text.lower()],
    pathlib.Path: pathlib.Path,
    Secret: Secret,
}
