"""The first administrator, without whom nobody could register anything."""

import re
from dataclasses import dataclass
from typing import Final

from mesh.settings import Secret

from registry.domain import Credential, Role, Vendor, secret_hash
from registry.store import Store

VENDOR_ID: Final = "platform"
"""The vendor that the platform's administrators belong to."""

_AUTHOR: Final = "registry"
_SHORTEST_SECRET: Final = 32


@dataclass(frozen=True, slots=True)
class Administrator:
    """A client id and its secret, as the operator of the platform chose them. ValueError when they cannot be used."""

    client_id: str
    secret: Secret

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.client_id):
            raise ValueError("REGISTRY_ADMIN_CLIENT_ID: 1 to 64 letters, digits, - or _")
        if not _SHORTEST_SECRET <= len(self.secret.reveal()) <= 256:
            raise ValueError(f"REGISTRY_ADMIN_CLIENT_SECRET: {_SHORTEST_SECRET} to 256 characters")

    async def ensure(self, store: Store, now_ms: int) -> None:
        """Makes the credential when it is missing and replaces its secret when it is another; revoked stays revoked.

        ValueError when the client id belongs to a vendor.
        """
        kept = secret_hash(self.secret.reveal())
        async with store.writing(now_ms, _AUTHOR) as facts:
            if await facts.vendor(VENDOR_ID) is None:
                await facts.add_vendor(Vendor(VENDOR_ID, VENDOR_ID, Role.ADMINISTRATOR, 0, now_ms))
            account = await facts.account(self.client_id)
            if account is None:
                await facts.add_credential(Credential(self.client_id, VENDOR_ID, now_ms), kept)
            elif account.credential.vendor_id != VENDOR_ID:
                raise ValueError("REGISTRY_ADMIN_CLIENT_ID belongs to a vendor")
            elif account.secret_hash != kept:
                await facts.set_credential(account.credential, kept)
