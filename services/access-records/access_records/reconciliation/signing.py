"""The signature of reports: Ed25519 over the SHA-256 of a text."""

from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_ID_DIGITS: Final = 16


class Signed(NamedTuple):
    """A text and what proves it."""

    text: str
    key_id: str
    signature: bytes


class ReportKey:
    """The key that signs reports."""

    def __init__(self, private_key_pem: bytes) -> None:
        """ValueError when the key is not an Ed25519 private key in PEM."""
        key = load_pem_private_key(private_key_pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("a report key is an Ed25519 private key")  # noqa: TRY004 - a setting's value
        self._key = key
        public = key.public_key()
        self.public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        """What anybody checks signatures with."""
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = sha256(der).hexdigest()[:_ID_DIGITS]
        """Names the key: the first 16 hexadecimal digits of SHA-256 over the public key in DER."""

    def sign(self, text: str) -> Signed:
        """The text with its signature."""
        return Signed(text, self.key_id, self._key.sign(sha256(text.encode()).digest()))


def proves(public_pem: str, signed: Signed) -> bool:
    """Whether the signature is the key's over this very text."""
    key = load_pem_public_key(public_pem.encode())
    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(signed.signature, sha256(signed.text.encode()).digest())
    except InvalidSignature:
        return False
    return True
