"""The samples of docs/samples upload to the running platform: by token, signed, and with something wrong."""

import asyncio
import uuid
from typing import Any

import pytest
from google.protobuf import json_format
from local_platform.testing import RunningPlatform
from parkmesh_cli.premises import Site

from tests.city import HOUR_MS, lots, now_ms, record
from tests.docs.samples import LANGUAGES, Ended, Sample
from tests.scenarios.wire import Wire

PASSED = 30


@pytest.fixture(scope="module", params=LANGUAGES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(request.param, tmp_path_factory.mktemp("sample"))


@pytest.fixture
async def site(platform: RunningPlatform) -> Site:
    (site,) = await lots(platform, "sampled", 1)
    return site


def two(site: Site) -> list[dict[str, Any]]:
    """Two lawful records."""
    name = uuid.uuid4().hex[:8]
    made = [record(site, f"sample-{name}-{number}", now_ms() - HOUR_MS, number) for number in (1, 2)]
    return [json_format.MessageToDict(each) for each in made]


async def run(sample: Sample, platform: RunningPlatform, records: list[dict[str, Any]], **told: str) -> Ended:
    edge = platform.demo["edge"]
    there = {"PARKMESH_URL": edge["url"], "PARKMESH_CA": str(edge["ca"])}
    who = {f"PARKMESH_{name.upper()}": value for name, value in told.items()}
    return await asyncio.to_thread(sample.run, records, {**there, **who})


async def test_by_token(platform: RunningPlatform, sample: Sample, site: Site) -> None:
    vendor, records = platform.demo["vendor"], two(site)
    credential = {"client_id": vendor["clientId"], "client_secret": vendor["clientSecret"]}
    first, second = (record["recordId"] for record in records)
    taken = await run(sample, platform, records, **credential)
    assert taken == (0, [f"{first}: ACCEPTED", f"{second}: ACCEPTED", "2 of 2 stored 已入库"])
    again = await run(sample, platform, records, **credential)
    assert again == (0, [f"{first}: DUPLICATE", f"{second}: DUPLICATE", "2 of 2 stored 已入库"])


async def test_signed(platform: RunningPlatform, sample: Sample, site: Site) -> None:
    wire, records = Wire(platform), two(site)
    administrator, security = await wire.token("administrator"), await wire.token("securityAdministrator")
    vendor = await wire.rest(
        "POST", "/v1/vendors", f'{{"name": "{records[0]["recordId"]}"}}'.encode(), token=administrator
    )
    path = f"/v1/vendors/{vendor.content['vendorId']}"
    rotation = b'{"method": "CREDENTIAL_METHOD_SIGNATURE"}'
    issued = (await wire.rest("POST", f"{path}/credentials:rotate", rotation, token=security)).content
    await wire.rest("POST", f"{path}/grants", f'{{"lotId": "{site.lot_id}"}}'.encode(), token=security)
    credential = {"client_id": issued["credential"]["clientId"], "signing_key": issued["clientSecret"]}
    for _ in range(PASSED):  # until the news of the credential and of the grant have arrived
        taken = await run(sample, platform, records, **credential)
        if taken.code == 0:
            break
    assert taken.lines[-1] == "2 of 2 stored 已入库"


async def test_what_is_unusual_is_told(platform: RunningPlatform, sample: Sample, site: Site) -> None:
    vendor, records = platform.demo["vendor"], two(site)[:1]
    records[0]["laneId"] = "9"
    ended = await run(sample, platform, records, client_id=vendor["clientId"], client_secret=vendor["clientSecret"])
    name = records[0]["recordId"]
    assert ended == (0, [f"{name}: ACCEPTED WARNING_UNKNOWN_LANE", "1 of 1 stored 已入库"])


async def test_what_is_wrong_is_named_in_both_languages(platform: RunningPlatform, sample: Sample, site: Site) -> None:
    vendor, records = platform.demo["vendor"], two(site)
    records[1]["plateNumber"] = "闽B1234"
    ended = await run(sample, platform, records, client_id=vendor["clientId"], client_secret=vendor["clientSecret"])
    assert ended.code == 1
    accepted, rejected, count = ended.lines
    assert accepted == f"{records[0]['recordId']}: ACCEPTED"
    assert rejected.startswith(f"{records[1]['recordId']}: REJECTED PLATE_MALFORMED plateNumber: ")
    assert "has the form of no plate" in rejected
    assert "号码不符合任何号牌种类的格式" in rejected
    assert count == "1 of 2 stored 已入库"


async def test_a_platform_that_is_not_trusted_is_told_nothing(platform: RunningPlatform, sample: Sample) -> None:
    vendor, records = platform.demo["vendor"], [{"recordId": "never-sent"}]
    credential = {"client_id": vendor["clientId"], "client_secret": vendor["clientSecret"]}
    ended = await run(sample, platform, records, ca="", **credential)
    assert ended.code == 1
    assert ended.lines[0].startswith("no answer 未获应答: ")
    assert "certif" in ended.lines[0].lower()
    assert ended.lines[1:] == ["0 of 1 stored 已入库"]


async def test_a_wrong_secret_is_not_tried_twice(platform: RunningPlatform, sample: Sample, site: Site) -> None:
    vendor = platform.demo["vendor"]
    ended = await run(sample, platform, two(site), client_id=vendor["clientId"], client_secret="wrong")
    assert ended.code == 1
    assert ended.lines[0].startswith("HTTP 401 BAD_CREDENTIAL: ")
