"""The keys and passwords of one platform: made once, kept in its runtime folder, readable by their owner only."""

import dataclasses
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from mesh.caller import generate_key_pair

_BYTES = 32
_CLIENT_ID = "_client_id"
_MASTER = "master"


@dataclasses.dataclass(frozen=True)
class Credentials:
    """The passwords, and the folder with the keys. Nothing of it shows in the repr."""

    keys: Path
    """`<name>.key`: private keys; `trusted/<name>.pem`: the public ones; `token.key`, `token.pem`: the tokens' pair;
    `report.key`, `report.pem`: the pair of the reports of closed days;
    `master.key`: what the keys of signed requests and of second factors follow from.
    """
    log_password: str = dataclasses.field(repr=False)
    owner_password: str = dataclasses.field(repr=False)
    """ClickHouse: the account that makes the schema."""
    writer_password: str = dataclasses.field(repr=False)
    """ClickHouse: the history writer's account."""
    reader_password: str = dataclasses.field(repr=False)
    """ClickHouse: the services' reading account."""
    analyst_password: str = dataclasses.field(repr=False)
    """ClickHouse: the analyst's account."""
    plate_key: str = dataclasses.field(repr=False)
    """What the pseudonyms of plates are keyed with; another key makes other pseudonyms."""
    admin_client_id: str
    """The system administrator, who registers."""
    admin_client_secret: str = dataclasses.field(repr=False)
    security_admin_client_id: str
    """The security administrator, who gives credentials and grants."""
    security_admin_client_secret: str = dataclasses.field(repr=False)
    audit_admin_client_id: str
    """The audit administrator, who reads the audit trail."""
    audit_admin_client_secret: str = dataclasses.field(repr=False)

    def key(self, name: str) -> Path:
        """The file with a caller's private key."""
        return self.keys / f"{name}.key"

    @property
    def master_key(self) -> Path:
        """The file with the master key, the registry's and risk-control's."""
        return self.key(_MASTER)

    @property
    def trusted(self) -> Path:
        """The folder of the callers' public keys."""
        return self.keys / "trusted"


def ensure(folder: Path, callers: Iterable[str]) -> Credentials:
    """Reads what the folder holds and makes what is missing. Nothing that is there is ever replaced."""
    keys = folder / "keys"
    for name in callers:
        _ensure_pair(keys / f"{name}.key", keys / "trusted" / f"{name}.pem")
    _ensure_pair(keys / "token.key", keys / "token.pem")
    _ensure_pair(keys / "report.key", keys / "report.pem")
    _ensure_master(keys / f"{_MASTER}.key")
    path = folder / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    wanted = [field.name for field in dataclasses.fields(Credentials) if field.name != "keys"]
    made = {name: _made(name) for name in wanted if name not in known}
    if made:
        write_private(path, json.dumps(known | made, indent=2))
    return Credentials(keys=keys, **{name: (known | made)[name] for name in wanted})


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _made(name: str) -> str:
    if name.endswith(_CLIENT_ID):
        return f"{name.removesuffix(_CLIENT_ID).replace('_', '-')}-{secrets.token_hex(4)}"
    return secrets.token_urlsafe(_BYTES)


def _ensure_master(path: Path) -> None:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(_BYTES))


def _ensure_pair(private: Path, public: Path) -> None:
    # The private key is written last: a pair without it is made anew, whole.
    if private.exists():
        return
    private_pem, public_pem = generate_key_pair()
    write_private(public, public_pem)
    write_private(private, private_pem)
