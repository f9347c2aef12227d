"""The open session of a person, kept in a file that nobody else can read."""

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import NamedTuple

from parkmesh_sdk import Connection

from parkmesh_cli.errors import CliError
from parkmesh_cli.target import connection


class Session(NamedTuple):
    """Who has logged in where."""

    login: str
    platform: Connection


def default_session() -> Path:
    """Where the session is kept: in XDG_STATE_HOME, which is ~/.local/state unless it is set."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "parkmesh" / "session.json"


def write(path: Path, session: Session) -> None:
    """Keeps the session in the place of the one before. OSError when it cannot be written."""
    platform = session.platform
    text = json.dumps(
        {
            "login": session.login,
            "url": platform.url,
            "ca": str(platform.ca.absolute()) if platform.ca else "",
            "clientId": platform.client_id,
            "clientSecret": platform.client_secret,
        },
        ensure_ascii=False,
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}.new")
    with contextlib.suppress(FileNotFoundError):
        written.unlink()
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    written.replace(path)


def read(path: Path) -> Session:
    """The session that is kept there. CliError when there is none, or others can read it, or it is none of ours."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise CliError(f"{path} can be read by others: log in again, or chmod 600 会话文件权限过宽")
        kept = json.loads(path.read_text(encoding="utf-8"))
        ca = Path(kept["ca"]) if kept["ca"] else None
        return Session(kept["login"], connection(kept["url"], ca, kept["clientId"], kept["clientSecret"]))
    except FileNotFoundError as error:
        raise CliError("nobody has logged in here: `parkmesh login` opens a session 尚未登录") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CliError(f"{path} is not what `parkmesh login` writes: log in again 会话文件无效") from error


def forget(path: Path) -> None:
    """Removes what is kept there, if anything is."""
    path.unlink(missing_ok=True)
