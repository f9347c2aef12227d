"""Public keys of credentials, each with the one algorithm that it is used with."""

import functools
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Key: TypeAlias = "ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey"


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key and its algorithm, by the key's type: never by what a message says."""

    algorithm: str
    """EdDSA, ES256 or RS256 (RFC 7518, RFC 8037)."""
    key: Key

    @classmethod
    def of_pem(cls, pem: str) -> "VerifyingKey":
        """A key in PEM that the form of credentials let through. ValueError."""
        key = load_pem_public_key(pem.encode())
        match key:
            case ed25519.Ed25519PublicKey():
                return cls("EdDSA", key)
            case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
                return cls("ES256", key)
            case rsa.RSAPublicKey():
                return cls("RS256", key)
        raise ValueError("a key of another kind")


@functools.cache
def nobodys(algorithm: str) -> VerifyingKey | None:
    """A key for the algorithm whose private half nobody has: it stands in where there is none, so that the check takes
    place all the same. None when no credential is used with the algorithm.
    """
    match algorithm:
        case "EdDSA":
            return VerifyingKey(algorithm, ed25519.Ed25519PrivateKey.generate().public_key())
        case "ES256":
            return VerifyingKey(algorithm, ec.generate_private_key(ec.SECP256R1()).public_key())
        case "RS256":
            return VerifyingKey(algorithm, rsa.RSAPublicNumbers(65537, 2**2047 + 1).public_key())
    return None
