"""The second factor: time-based one-time passwords (RFC 6238), whose secrets are kept nowhere."""

import base64
import hmac
from typing import Final

import pyotp
from mesh.settings import Secret

_PURPOSE: Final = "parkmesh-totp-v1"
_ISSUER: Final = "Parkmesh"
_SECRET_BYTES: Final = 20
_STEP_MS: Final = 30_000
_WINDOW: Final = 1
"""How many steps a person's clock, and its typing, may be off."""


class SecondFactor:
    """Derives each account's secret from the platform's master key; who resets an account counts its factor up."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    def secret(self, account_id: str, factor: int) -> Secret:
        """The secret in Base32, as authenticator apps take it."""
        digest = hmac.digest(self._master, f"{_PURPOSE}|{account_id}|{factor}".encode(), "sha256")
        return Secret(base64.b32encode(digest[:_SECRET_BYTES]).decode())

    def uri(self, secret: Secret, login: str) -> Secret:
        """The same as an address that authenticator apps read."""
        return Secret(pyotp.TOTP(secret.reveal()).provisioning_uri(name=login, issuer_name=_ISSUER))

    def step(self, secret: Secret, totp: str, last_step: int, now_ms: int) -> int | None:
        """The step that the one-time password is of; None when it is wrong, or not later than the last one used."""
        known = pyotp.TOTP(secret.reveal())
        now = now_ms // _STEP_MS
        right = [
            step
            for step in range(now - _WINDOW, now + _WINDOW + 1)
            if hmac.compare_digest(known.generate_otp(step), totp) and step > last_step
        ]
        return right[-1] if right else None
