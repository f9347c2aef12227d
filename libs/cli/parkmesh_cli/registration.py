"""Registers lots with their gates and lets the vendor speak for them; what is there already is left as it is."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from parkmesh.registry.v1 import gate_pb2, lot_pb2, vendor_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import vendor_service_pb2 as vendors
from parkmesh_sdk import Client, Method, PlatformError

from parkmesh_cli.errors import CliError
from parkmesh_cli.premises import Site
from parkmesh_cli.target import Authority

_CREATE_LOT: Final = Method.of(
    registry.DESCRIPTOR, "RegistryService", "CreateLot", registry.CreateLotRequest, lot_pb2.Lot
)
_CREATE_GATE: Final = Method.of(
    registry.DESCRIPTOR, "RegistryService", "CreateGate", registry.CreateGateRequest, gate_pb2.Gate
)
_GRANT_LOT: Final = Method.of(
    vendors.DESCRIPTOR, "VendorService", "GrantLot", vendors.GrantLotRequest, vendor_pb2.Grant
)
_AT_ONCE: Final = 8
_NO_RECORD: Final = "none"
_NEWS_ATTEMPTS: Final = 100
_NEWS_WAIT_S: Final = 0.1


class Plan(NamedTuple):
    """A lot to be registered; without a lot id, which the platform issues."""

    lot: lot_pb2.Lot
    gates: tuple[gate_pb2.Gate, ...]


@dataclass(frozen=True)
class Registered:
    """What the registry holds now."""

    sites: dict[str, Site]
    """By registration number."""
    fresh: int
    """How many lots were registered now; the others were known."""


async def register(
    authority: Authority, vendor: Client, vendor_id: str, plans: Iterable[Plan], done: Callable[[], None]
) -> Registered:
    """Registers what is missing of the plans, grants it to the vendor and waits until uploads for it are taken.

    A lot is known by its registration number. `done` is called once for each. Raises PlatformError as the platform
    refuses.
    """
    administrator, security_administrator = authority
    known = {lot.registration_number: lot.lot_id async for lot in administrator.list_lots()}
    granted = {lot.lot_id async for lot in vendor.list_lots()}
    sites: dict[str, Site] = {}
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(plan: Plan) -> None:
        async with free:
            number = plan.lot.registration_number
            gates: dict[str, gate_pb2.Gate] = {}
            lot_id = known.get(number)
            if lot_id is None:
                lot_id = await _created(administrator, plan.lot)
            else:
                gates = {gate.gate_id: gate async for gate in administrator.list_gates(lot_id)}
            for gate in plan.gates:
                if gate.gate_id not in gates:
                    gates[gate.gate_id] = await _with_gate(administrator, lot_id, gate)
            if lot_id not in granted:
                grant = vendors.GrantLotRequest(vendor_id=vendor_id, lot_id=lot_id)
                await security_administrator.call(_GRANT_LOT, grant)
            sites[number] = Site.of(lot_id, (gates[name] for name in sorted(gates)))
            done()

    async def taken(lot_id: str) -> None:
        async with free:
            await _taken(vendor, lot_id)

    async with asyncio.TaskGroup() as group:
        for plan in plans:
            group.create_task(one(plan))
    async with asyncio.TaskGroup() as group:
        for site in sites.values():
            if site.lot_id not in granted:
                group.create_task(taken(site.lot_id))
    return Registered(sites, fresh=len(sites.keys() - known.keys()))


async def find(vendor: Client, plans: Iterable[Plan]) -> Registered:
    """The sites of the plans as the vendor sees them; CliError when it may not speak for one of them."""
    lots = {lot.registration_number: lot.lot_id async for lot in vendor.list_lots()}
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(lot_id: str) -> Site:
        async with free:
            return Site.of(lot_id, [gate async for gate in vendor.list_gates(lot_id)])

    numbers = [plan.lot.registration_number for plan in plans]
    if not lots.keys() >= set(numbers):
        raise CliError(
            "this vendor holds no grant for a lot of the file: "
            "name the administrators too, with --admin-client-id and --security-client-id, to register it"
        )
    sites = dict(zip(numbers, await asyncio.gather(*(one(lots[number]) for number in numbers)), strict=True))
    return Registered(sites, fresh=0)


async def _created(administrator: Client, lot: lot_pb2.Lot) -> str:
    try:
        return (await administrator.call(_CREATE_LOT, registry.CreateLotRequest(lot=lot))).lot_id
    except PlatformError as error:
        # The answer to the first attempt was lost, or somebody else registers the same file.
        if error.reason != "ALREADY_REGISTERED":
            raise
    async for known in administrator.list_lots():
        if known.registration_number == lot.registration_number:
            return known.lot_id
    raise CliError("the registry says that a lot is registered, and does not list it")


async def _with_gate(administrator: Client, lot_id: str, gate: gate_pb2.Gate) -> gate_pb2.Gate:
    try:
        return await administrator.call(_CREATE_GATE, registry.CreateGateRequest(lot_id=lot_id, gate=gate))
    except PlatformError as error:
        if error.reason != "ALREADY_REGISTERED":
            raise
        return gate


async def _taken(vendor: Client, lot_id: str) -> None:
    # News of a grant reaches the service that takes uploads a moment later; until then it would refuse for good.
    for _ in range(_NEWS_ATTEMPTS):
        try:
            await vendor.get_record(lot_id, _NO_RECORD)
        except PlatformError as error:
            if error.reason == "RECORD_NOT_FOUND":
                return
            if error.reason != "LOT_NOT_FOUND":
                raise
        else:
            return
        await asyncio.sleep(_NEWS_WAIT_S)
    raise CliError("the platform does not take records for a lot that was just granted")
