"""The first administrators, without whom nobody could register anything or let anybody in."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from mesh.settings import Secret
from parkmesh.registry.v1.role_pb2 import (
    ROLE_ADMINISTRATOR,
    ROLE_AUDIT_ADMINISTRATOR,
    ROLE_SECURITY_ADMINISTRATOR,
    Role,
)
from parkmesh.registry.v1.vendor_pb2 import CREDENTIAL_METHOD_SECRET, Credential

from registry.identity.proofs import Proof, hash_of, keep, proof_of
from registry.identity.roles import PLATFORM
from registry.settings import Settings
from registry.storage.acts import REGISTRY, Act
from registry.storage.kinds import CREDENTIAL
from registry.storage.store import Store, to_the_end
from registry.storage.writer import Writer

_SHORTEST_SECRET: Final = 32
_NAMES: Final = {
    "ADMIN": ROLE_ADMINISTRATOR,
    "SECURITY_ADMIN": ROLE_SECURITY_ADMINISTRATOR,
    "AUDIT_ADMIN": ROLE_AUDIT_ADMINISTRATOR,
}


@dataclass(frozen=True, slots=True)
class Administrator:
    """A client id and its secret, as the operator of the platform chose them. ValueError when they cannot be used."""

    name: str
    """As the settings name it: ADMIN, SECURITY_ADMIN, AUDIT_ADMIN."""
    client_id: str
    secret: Secret

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.client_id):
            raise ValueError(f"REGISTRY_{self.name}_CLIENT_ID: 1 to 64 letters, digits, - or _")
        if not _SHORTEST_SECRET <= len(self.secret.reveal()) <= 256:
            raise ValueError(f"REGISTRY_{self.name}_CLIENT_SECRET: {_SHORTEST_SECRET} to 256 characters")

    @property
    def role(self) -> Role.ValueType:
        """What it is."""
        return _NAMES[self.name]


def administrators(settings: Settings) -> list[Administrator]:
    """Those that the settings name. ValueError for half a one, and when two share an id or a secret: the three are
    separate persons.
    """
    told = (
        ("ADMIN", settings.admin_client_id, settings.admin_client_secret),
        ("SECURITY_ADMIN", settings.security_admin_client_id, settings.security_admin_client_secret),
        ("AUDIT_ADMIN", settings.audit_admin_client_id, settings.audit_admin_client_secret),
    )
    found = [
        Administrator(name, client_id, secret or Secret("")) for name, client_id, secret in told if client_id or secret
    ]
    if len({each.client_id for each in found}) < len(found) or len({each.secret for each in found}) < len(found):
        raise ValueError("REGISTRY_ADMIN, REGISTRY_SECURITY_ADMIN and REGISTRY_AUDIT_ADMIN: each needs its own")
    return found


class Administrators:
    """The credentials of the first administrators."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @to_the_end
    async def ensure(self, administrators: Collection[Administrator], now_ms: int) -> None:
        """Makes each credential when it is missing and replaces its secret when it is another; revoked stays revoked.

        ValueError when a client id belongs to somebody else.
        """
        for administrator in administrators:
            async with self._store.writing(Act.of(REGISTRY, now_ms)) as facts:
                await _ensure(facts, administrator)


async def _ensure(facts: Writer, administrator: Administrator) -> None:
    wanted = Credential(
        client_id=administrator.client_id,
        role=administrator.role,
        subject_id=PLATFORM,
        method=CREDENTIAL_METHOD_SECRET,
    )
    proof = Proof(hash_of(administrator.secret.reveal()))
    held = await facts.held(CREDENTIAL, administrator.client_id)
    if held is None:
        await facts.add(wanted)
    elif (held.role, held.subject_id, held.account_id) != (wanted.role, PLATFORM, ""):
        raise ValueError(f"REGISTRY_{administrator.name}_CLIENT_ID belongs to somebody else")
    if await proof_of(facts, administrator.client_id) != proof:
        await keep(facts, administrator.client_id, proof)
        facts.about(CREDENTIAL.title(administrator.client_id))
        facts.note()
