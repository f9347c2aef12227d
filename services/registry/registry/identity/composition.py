"""Identity, put together."""

from dataclasses import dataclass

from mesh.clock import Clock, Ids
from vocabulary.request_signature import master_key

from registry.identity.accounts import Accounts
from registry.identity.credentials import Issuer
from registry.identity.device_credentials import DeviceCredentials
from registry.identity.grants import Grants
from registry.identity.onboarding import Onboarding
from registry.identity.passwords import Passwords
from registry.identity.second_factor import SecondFactor
from registry.identity.sessions import Sessions
from registry.identity.signer import Signer
from registry.identity.tokens import Tokens
from registry.identity.vendor_credentials import VendorCredentials
from registry.identity.vendors import Vendors
from registry.settings import Settings
from registry.storage.store import Store

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Identity:
    """The use cases of who may come in."""

    vendors: Vendors
    vendor_credentials: VendorCredentials
    onboarding: Onboarding
    grants: Grants
    tokens: Tokens
    device_credentials: DeviceCredentials
    accounts: Accounts
    sessions: Sessions

    @classmethod
    def of(cls, store: Store, clock: Clock, ids: Ids, settings: Settings) -> "Identity":
        """On one store. ValueError when a key in the settings' files is none; OSError when a file cannot be read."""
        master = master_key(settings.master_key.read_text())
        issuer = Issuer(ids, master)
        signer = Signer(settings.token_key.read_bytes(), settings.token_seconds)
        return cls(
            vendors=Vendors(store, clock, ids),
            vendor_credentials=VendorCredentials(store, clock, issuer),
            onboarding=Onboarding(store, clock, issuer),
            grants=Grants(store, clock),
            tokens=Tokens(store, clock, signer),
            device_credentials=DeviceCredentials(store, clock, issuer),
            accounts=Accounts(
                store,
                clock,
                ids,
                activation_ms=round(settings.activation_hours * _HOUR_MS),
                separation_ms=round(settings.separation_days * 24 * _HOUR_MS),
            ),
            sessions=Sessions(
                store,
                clock,
                issuer,
                signer,
                Passwords(),
                SecondFactor(master),
                session_ms=round(settings.session_hours * _HOUR_MS),
            ),
        )
