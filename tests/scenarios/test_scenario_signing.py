"""A vendor whose software can only sign: from its signing key to its first record, replays, and its end."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from local_platform.testing import RunningPlatform
from parkmesh_sdk import Client, Connection, Protocol
from parkmesh_sdk.signing import RequestSigner

from ..city import HOUR_MS, lots, now_ms, record
from .wire import UPLOAD, Answer, Wire

LOTS = "/v1/lots"


@pytest.fixture
def wire(platform: RunningPlatform) -> Wire:
    return Wire(platform)


async def call(wire: Wire, who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What one of the administrators got done."""
    answer = await wire.rest("POST", path, json.dumps(body).encode(), token=await wire.token(who))
    assert answer.status == 200, answer
    return answer.content


async def signing_vendor(wire: Wire, name: str, *lot_ids: str) -> tuple[str, str, str]:
    """A new vendor with a grant for these lots: its id, its client id and its signing key."""
    vendor_id = (await call(wire, "administrator", "/v1/vendors", {"name": name}))["vendorId"]
    path = f"/v1/vendors/{vendor_id}"
    rotation = {"method": "CREDENTIAL_METHOD_SIGNATURE"}
    issued = await call(wire, "securityAdministrator", f"{path}/credentials:rotate", rotation)
    for lot_id in lot_ids:
        await call(wire, "securityAdministrator", f"{path}/grants", {"lotId": lot_id})
    return vendor_id, issued["credential"]["clientId"], issued["clientSecret"]


async def until(wire: Wire, signer: RequestSigner, *wanted: str) -> Answer:
    """The answer to a signed request, once its reason is one of these; empty for a success."""
    async with asyncio.timeout(30):
        while True:
            answer = await wire.rest("GET", LOTS, headers=signer.headers("GET", LOTS, b""))
            if answer.reason in wanted:
                return answer
            await asyncio.sleep(0.05)


async def test_a_vendor_that_only_signs_reports_and_is_cut_off(platform: RunningPlatform, wire: Wire) -> None:
    (site,) = await lots(platform, "signed", 1)
    vendor_id, client_id, key = await signing_vendor(wire, "签名厂商", site.lot_id)
    signer, edge = RequestSigner(client_id, key), platform.demo["edge"]
    await until(wire, signer, "")
    connection = Connection(edge["url"], client_id, ca=Path(edge["ca"]), signing_key=key)
    async with Client(connection, protocol=Protocol.REST, compress=True) as client:
        assert [lot.lot_id async for lot in client.list_lots()] == [site.lot_id]
        assert (await client.upload([record(site, "signed-1", now_ms() - HOUR_MS)])).accepted == 1
        assert (await client.get_record(site.lot_id, "signed-1")).vendor_id == vendor_id
    body = json.dumps({"clientId": client_id, "clientSecret": key}).encode()
    assert (await wire.rest("POST", "/v1/token", body)).reason == "BAD_CREDENTIAL"
    await call(wire, "securityAdministrator", f"/v1/vendors/{vendor_id}/credentials/{client_id}:revoke", {})
    await until(wire, signer, "UNAUTHENTICATED")


@pytest.mark.slow
async def test_a_replay_is_refused_also_when_everything_was_killed(platform: RunningPlatform, wire: Wire) -> None:
    (site,) = await lots(platform, "replayed", 1)
    _, client_id, key = await signing_vendor(wire, "重放厂商", site.lot_id)
    signer = RequestSigner(client_id, key)
    await until(wire, signer, "")
    body = b'{"records": []}'
    replayed = signer.headers("POST", UPLOAD, body)
    assert (await wire.rest("POST", UPLOAD, body, headers=replayed)).reason == "INVALID_FIELD"
    assert (await wire.rest("POST", UPLOAD, body, headers=replayed)).reason == "NONCE_REUSED"
    for name in ("risk-control", "log"):
        former = platform.pid(name)
        os.kill(former, signal.SIGKILL)
        await asyncio.to_thread(platform.wait_back, name, former)
    await until(wire, signer, "")
    assert (await wire.rest("POST", UPLOAD, body, headers=replayed)).reason == "NONCE_REUSED"
