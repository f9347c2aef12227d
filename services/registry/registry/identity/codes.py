"""One-time codes: shown once, kept as hashes, taken once."""

import enum
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from mesh.settings import Secret

from registry.identity.proofs import hash_of
from registry.storage.reader import Reader
from registry.storage.tables import CODES
from registry.storage.writer import Writer


class Purpose(enum.StrEnum):
    """What a code is for; its holder is a vendor's id or an account's."""

    ONBOARDING = "onboarding"
    ACTIVATION = "activation"


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is shown."""

    text: Secret
    expire_ms: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A code as it is kept."""

    holder: str
    expire_ms: int

    def good_at(self, now_ms: int) -> bool:
        """Whether it can still be taken."""
        return now_ms < self.expire_ms


async def give(facts: Writer, purpose: Purpose, holder: str, expire_ms: int) -> Code:
    """A new code for the holder; the one before ends."""
    text = secrets.token_urlsafe(32)
    await drop(facts, purpose, holder)
    row = {"purpose": purpose.value, "holder": holder, "code_hash": hash_of(text), "expire_ms": expire_ms}
    await facts.execute(sa.insert(CODES).values(row))
    return Code(Secret(text), expire_ms)


async def find(facts: Reader, purpose: Purpose, code: str) -> Kept | None:
    """The code, also when it is over; None when it is unknown, used, or was made for something else."""
    chosen = sa.select(CODES).where(CODES.c.purpose == purpose.value, CODES.c.code_hash == hash_of(code))
    found = await facts.rows(chosen)
    return Kept(found[0].holder, found[0].expire_ms) if found else None


async def drop(facts: Writer, purpose: Purpose, holder: str) -> None:
    """Ends the holder's code, if there is one."""
    await facts.execute(sa.delete(CODES).where(CODES.c.purpose == purpose.value, CODES.c.holder == holder))
