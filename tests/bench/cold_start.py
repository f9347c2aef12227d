"""A directory's cold start: how long a fresh process needs to know a whole city, and what knowing it takes."""

from collections.abc import Mapping
from typing import Final

from mesh.testing import throwaway_keys
from parkmesh.registry.v1.change_service_pb2 import FACT_KIND_ACCOUNT, FACT_KIND_CREDENTIAL, FACT_KIND_VENDOR

from .ledger import Void
from .register import VENDORS
from .repeat import Repeat
from .watcher import Kinds, Watch, watched

_MIB: Final = 1 << 20
_SERVICE: Final = "access-records"
_WATCHES: Final[Mapping[str, Kinds]] = {
    "all": (),
    "callers": (FACT_KIND_VENDOR, FACT_KIND_CREDENTIAL, FACT_KIND_ACCOUNT),
}
"""Of all kinds, and of those that say who may call, by which risk-control decides."""


async def cold_start(repeat: Repeat) -> None:
    """A fresh process watches a registry over each database until it is synced, for all facts and for the callers'."""
    assert repeat.register is not None
    city = repeat.register.city
    for engine in repeat.register.urls:
        async with repeat.register.served(engine) as address:
            for name, kinds in _WATCHES.items():
                found = await watched(Watch(address, _SERVICE, throwaway_keys()[0], kinds))
                callers = [found.facts.get(kind, 0) for kind in ("VendorFacts", "CredentialFacts")]
                if callers != [VENDORS, VENDORS] or found.lots != ({} if kinds else city.held()):
                    raise Void(f"a directory over {engine} is told of something else than the register holds")
                repeat.figures.add(f"cold-start.{engine}.{name}", "s", found.seconds)
                repeat.figures.add(f"cold-start.{engine}.{name}.memory", "MiB", found.added_bytes / _MIB)
