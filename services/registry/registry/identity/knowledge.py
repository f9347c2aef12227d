"""What only an account's person knows, as it is kept: the password's hash, and how far the second factor is used."""

from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from registry.identity.attempts import NONE, Attempts
from registry.storage.reader import Reader
from registry.storage.tables import PASSWORDS
from registry.storage.writer import Writer


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Of one account; an empty hash: the person has not chosen a password."""

    password_hash: str = field(default="", repr=False)
    factor: int = 1
    """Numbers the secret of the second factor."""
    last_step: int = 0
    """The last step of the second factor that was used."""
    attempts: Attempts = NONE

    def forgotten(self) -> "Knowledge":
        """Without password, and with another second factor."""
        return Knowledge(factor=self.factor + 1)

    def unlocked(self) -> "Knowledge":
        """With no wrong attempts."""
        return replace(self, attempts=NONE)


async def knowledge_of(facts: Reader, account_id: str) -> Knowledge:
    """What is kept for the account; that of a new one when there is nothing."""
    found = await facts.rows(sa.select(PASSWORDS).where(PASSWORDS.c.account_id == account_id))
    if not found:
        return Knowledge()
    row = found[0]
    attempts = Attempts(row.failures, row.locked_until_ms)
    return Knowledge(row.password_hash, row.factor, row.last_step, attempts)


async def keep(facts: Writer, account_id: str, knowledge: Knowledge) -> None:
    """Keeps it in place of what was kept before."""
    await facts.execute(sa.delete(PASSWORDS).where(PASSWORDS.c.account_id == account_id))
    row = {
        "account_id": account_id,
        "password_hash": knowledge.password_hash,
        "factor": knowledge.factor,
        "last_step": knowledge.last_step,
        "failures": knowledge.attempts.failures,
        "locked_until_ms": knowledge.attempts.locked_until_ms,
    }
    await facts.execute(sa.insert(PASSWORDS).values(row))
