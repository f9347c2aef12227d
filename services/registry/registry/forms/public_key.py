"""Public keys that signatures are checked with, in PEM."""

import re
from collections.abc import Iterator
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from mesh.errors import FieldViolation
from vocabulary import refusal

from registry.forms.violation import broken

LEAST_RSA_BITS: Final = 2048

# One block and nothing beside it: a private key that is pasted behind the public one must not be kept.
_BLOCK: Final = re.compile(r"\s*-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*")


class PublicKeyRule(refusal.Rule):
    """What can be wrong with a public key."""

    FORM = (
        "public_key.form",
        "must be one public key in PEM (SubjectPublicKeyInfo) and nothing else: -----BEGIN PUBLIC KEY----- …",
        "须为一个PEM格式的公钥（SubjectPublicKeyInfo），不含其他内容：-----BEGIN PUBLIC KEY----- …",
    )
    KIND = (
        "public_key.kind",
        "must be an Ed25519 key, a P-256 key or an RSA key",
        "须为Ed25519、P-256或RSA公钥",
    )
    SIZE = (
        "public_key.size",
        f"an RSA key has at least {LEAST_RSA_BITS} bits",
        f"RSA公钥至少{LEAST_RSA_BITS}位",
    )


def examine(pem: str, field: str) -> Iterator[FieldViolation]:
    """An Ed25519, P-256 or RSA (≥ 2048 bits) key."""
    try:
        key = load_pem_public_key(pem.encode()) if _BLOCK.fullmatch(pem) else None
    except UnsupportedAlgorithm:
        yield broken(field, PublicKeyRule.KIND)
        return
    except ValueError:
        key = None
    match key:
        case None:
            yield broken(field, PublicKeyRule.FORM)
        case RSAPublicKey():
            if key.key_size < LEAST_RSA_BITS:
                yield broken(field, PublicKeyRule.SIZE)
        case Ed25519PublicKey():
            pass
        case EllipticCurvePublicKey(curve=SECP256R1()):
            pass
        case _:
            yield broken(field, PublicKeyRule.KIND)
