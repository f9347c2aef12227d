"""Which platform the command speaks to, and as whom."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from parkmesh.registry.v1 import vendor_service_pb2
from parkmesh.registry.v1.vendor_pb2 import Vendor
from parkmesh.registry.v1.vendor_service_pb2 import GetVendorRequest
from parkmesh_sdk import Client, Connection, Method, Protocol, RetryPolicy

from parkmesh_cli.errors import CliError

_FIRST_CONTACT: Final = RetryPolicy(attempts=2)
_GET_VENDOR: Final = Method.of(vendor_service_pb2.DESCRIPTOR, "VendorService", "GetVendor", GetVendorRequest, Vendor)


@dataclass(frozen=True)
class Analyst:
    """Where and as whom an analyst asks."""

    url: str
    user: str
    password: str = field(repr=False)
    database: str = ""


class Authority(NamedTuple):
    """The two administrators that it takes to add a lot of a vendor's: nobody does both."""

    administrator: Client
    """Registers lots and gates."""
    security_administrator: Client
    """Grants them."""


@dataclass(frozen=True)
class Target:
    """A platform and the accounts that are known of it."""

    vendor: Connection
    vendor_id: str = ""
    """Needed to be granted lots."""
    administrator: Connection | None = None
    """Known together with the security administrator, or not at all."""
    security_administrator: Connection | None = None
    analyst: Analyst | None = None
    audit_administrator: Connection | None = None

    @asynccontextmanager
    async def clients(self, protocol: Protocol) -> AsyncIterator[tuple[Client, Authority | None]]:
        """The vendor's client and the administrators', if they are known. PlatformError at once when nobody answers."""
        async with AsyncExitStack() as stack:
            for account in filter(None, (self.vendor, self.administrator)):
                async with Client(account, protocol=protocol, retry=_FIRST_CONTACT) as first:
                    async for _ in first.list_lots():
                        break
            vendor = await stack.enter_async_context(Client(self.vendor, protocol=protocol))
            if self.administrator is None or self.security_administrator is None:
                yield vendor, None
                return
            async with Client(self.security_administrator, protocol=protocol, retry=_FIRST_CONTACT) as first:
                await first.call(_GET_VENDOR, GetVendorRequest(vendor_id=self.vendor_id))
            yield (
                vendor,
                Authority(
                    await stack.enter_async_context(Client(self.administrator, protocol=protocol)),
                    await stack.enter_async_context(Client(self.security_administrator, protocol=protocol)),
                ),
            )


def default_demo() -> Path:
    """Where `make up` leaves what one needs to begin: demo.json in PARKMESH_VAR, which is var unless it is set."""
    return Path(os.environ.get("PARKMESH_VAR") or "var") / "demo.json"


def read_demo(path: Path) -> Target:
    """The platform that `make up` runs. CliError when it was never started or the file is not its own."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        edge, clickhouse = content["edge"], content["clickhouse"]
        vendor, administrator, security_administrator, audit_administrator = (
            connection(edge["url"], Path(edge["ca"]), content[who]["clientId"], content[who]["clientSecret"])
            for who in ("vendor", "administrator", "securityAdministrator", "auditAdministrator")
        )
        analyst = Analyst(clickhouse["url"], clickhouse["user"], clickhouse["password"], clickhouse["database"])
        return Target(
            vendor,
            content["vendor"]["vendorId"],
            administrator,
            security_administrator,
            analyst,
            audit_administrator,
        )
    except OSError as error:
        raise CliError(
            f"{path} cannot be read: start the platform with `make up` first, or name another one with --url"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CliError(f"{path} is not what `make up` writes") from error


def described(
    *,
    url: str,
    ca: Path | None,
    vendor: tuple[str, str],
    vendor_id: str,
    administrator: tuple[str, str],
    security_administrator: tuple[str, str],
) -> Target:
    """The platform at that address; vendor and administrators are client id and secret, the latter empty for none.

    CliError when one is missing.
    """
    if not all(vendor):
        raise CliError("--url needs --client-id and --client-secret, too")
    authority = (*administrator, *security_administrator)
    if not any(authority):
        return Target(connection(url, ca, *vendor), vendor_id)
    if not (all(authority) and vendor_id):
        raise CliError(
            "to register lots, name both administrators, --admin-client-id and --security-client-id, "
            "with --admin-client-secret, --security-client-secret and --vendor-id"
        )
    return Target(
        connection(url, ca, *vendor),
        vendor_id,
        connection(url, ca, *administrator),
        connection(url, ca, *security_administrator),
    )


def anybody(url: str, ca: Path | None) -> Connection:
    """The platform at that address for who has no account there. CliError when it is no address."""
    return connection(url, ca, "", "")


def connection(url: str, ca: Path | None, client_id: str, client_secret: str) -> Connection:
    """The platform at that address and who calls it. CliError when it is no address, or the CA is missing."""
    if ca is not None and not ca.is_file():
        raise CliError(f"{ca}: there is no such CA file")
    try:
        return Connection(url, client_id, client_secret, ca)
    except ValueError as error:
        raise CliError(f"{error}") from error
