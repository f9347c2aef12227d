"""Whose credential a command uses: a session's, or one of the three administrators', who are separate persons."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from parkmesh_sdk import Connection

from parkmesh_cli import session_file
from parkmesh_cli.errors import MisuseError
from parkmesh_cli.target import connection, default_demo, read_demo


class Office(StrEnum):
    """Who may do what a command does."""

    SESSION = "session"
    """The person who has logged in."""
    ADMINISTRATOR = "administrator"
    """The system administrator: vendors, operators, lots, rules."""
    SECURITY = "security"
    """The security administrator: credentials, grants, accounts."""
    AUDIT = "audit"
    """The audit administrator: the trail."""


@dataclass(frozen=True)
class Named:
    """What the options say of the platform and of who asks."""

    office: Office | None = None
    demo: Path | None = None
    url: str = ""
    ca: Path | None = None
    client_id: str = ""
    client_secret: str = ""
    session: Path | None = None


class Holder(NamedTuple):
    """A platform and a credential for it."""

    platform: Connection
    in_session: bool
    """Whether it is that of a person who has logged in."""


def holder(named: Named, own: Office) -> Holder:
    """Whose credential is meant: that of the options, of the office that they name, or else of the command's `own`.

    Without a demo.json it is the open session's. MisuseError when the options do not go together, CliError when what
    they name is not there.
    """
    if named.ca and not named.url:
        raise MisuseError("--ca describes a platform: add its --url --ca须与--url同用")
    # A secret in the environment alone is somebody else's, such as a vendor's.
    if named.client_id:
        if not named.client_secret:
            raise MisuseError("--client-id needs --client-secret, or PARKMESH_CLIENT_SECRET 缺少密钥")
        place = connection(named.url, named.ca, "", "") if named.url else read_demo(named.demo or default_demo()).vendor
        return Holder(connection(place.url, place.ca, named.client_id, named.client_secret), in_session=False)
    if named.url:
        raise MisuseError(
            "--url needs --client-id and --client-secret; after `parkmesh login --url …` no --url is needed "
            "请给出客户端标识与密钥，或先登录"
        )
    office = named.office or (Office.SESSION if named.session else own)
    kept = named.session or session_file.default_session()
    demo = named.demo or default_demo()
    undecided = not (named.office or named.demo) and not demo.exists() and kept.exists()
    if office is Office.SESSION or undecided:
        return Holder(session_file.read(kept).platform, in_session=True)
    target = read_demo(demo)
    administrators = {
        Office.ADMINISTRATOR: target.administrator,
        Office.SECURITY: target.security_administrator,
        Office.AUDIT: target.audit_administrator,
    }
    found = administrators[office]
    assert found is not None, "demo.json holds all three"
    return Holder(found, in_session=False)
