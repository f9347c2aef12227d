"""What must not be used a second time before it is over by itself."""

import sqlalchemy as sa

from registry.identity.proofs import hash_of
from registry.storage.tables import USED_ONCE
from registry.storage.writer import Writer


async def use(facts: Writer, scope: str, value: str, over_ms: int) -> bool:
    """Whether the value is used for the first time within its scope; what is over is forgotten."""
    kept = {"scope": scope, "value": hash_of(value), "expire_ms": over_ms}
    await facts.execute(sa.delete(USED_ONCE).where(USED_ONCE.c.expire_ms <= facts.now_ms))
    is_it = (USED_ONCE.c.scope == kept["scope"], USED_ONCE.c.value == kept["value"])
    if await facts.rows(sa.select(USED_ONCE.c.value).where(*is_it)):
        return False
    await facts.execute(sa.insert(USED_ONCE).values(kept))
    return True
