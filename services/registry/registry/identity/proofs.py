"""What is kept to prove a credential by: the hash of a secret, or a public key."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from registry.storage.reader import Reader
from registry.storage.tables import SECRETS
from registry.storage.writer import Writer


@dataclass(frozen=True, slots=True)
class Proof:
    """What one credential is proved by; empty texts prove nothing."""

    secret_hash: str = field(default="", repr=False)
    public_key_pem: str = ""


NOTHING: Final = Proof(secret_hash="0" * 64)
"""Stands in for the proof of an unknown client id, so that the comparison takes place all the same."""


def hash_of(secret: str) -> str:
    """What is kept of a secret. A plain SHA-256 suffices, for a secret is 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, proof: Proof) -> bool:
    """Whether the secret is the one kept; takes the same time for every answer."""
    return hmac.compare_digest(hash_of(secret), proof.secret_hash or NOTHING.secret_hash)


async def proof_of(facts: Reader, client_id: str) -> Proof:
    """What the credential is proved by; NOTHING when nothing is kept."""
    found = await facts.rows(sa.select(SECRETS).where(SECRETS.c.client_id == client_id))
    return Proof(found[0].secret_hash, found[0].public_key_pem) if found else NOTHING


async def keep(facts: Writer, client_id: str, proof: Proof) -> None:
    """Keeps the proof in place of the one before."""
    await facts.execute(sa.delete(SECRETS).where(SECRETS.c.client_id == client_id))
    row = {"client_id": client_id, "secret_hash": proof.secret_hash, "public_key_pem": proof.public_key_pem}
    await facts.execute(sa.insert(SECRETS).values(row))
