"""Plates are personal data: canary plates are planted wherever a sender can put one, and then looked for everywhere."""

import asyncio
import json
import re
import unicodedata
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import pytest
from eventlog.server import free_port
from google.protobuf.json_format import MessageToDict
from history.errors import HistoryError
from local_platform.testing import RunningPlatform, running
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import record_pb2
from parkmesh_cli.premises import Site

from ..city import HOUR_MS, analyst, drained, lots, now_ms, owner, record
from .collector import Collector, collecting
from .wire import UPLOAD, UPLOAD_RPC, Answer, Wire

pytestmark = pytest.mark.slow

SERVICES: Final = ("registry", "access-records", "history-writer", "visits", "guidance", "risk-control", "edge")
PLATES: Final = tuple(f"闽BX7Q0{digit}" for digit in range(10))
"""Lawful plates that nothing else looks like: no hexadecimal text and no number holds X7Q0."""
SERIAL: Final = re.compile(r"X\W{0,9}7\W{0,9}Q\W{0,9}0\W{0,9}\d", re.IGNORECASE)
TRACES: Final = tuple(f"{number:032x}" for number in range(0xABCDEF0, 0xABCDEF0 + 40))
PLACES_OF_PLATES: Final = ("data/log/appendonlydir", "data/clickhouse/")
"""The log, and ClickHouse's tables: under the runtime folder the only places where plates belong."""


def shows_plate(text: str) -> bool:
    """Whether a canary is in the text: in any case or width, with separators, percent-encoded or escaped for JSON."""
    plain = urllib.parse.unquote(urllib.parse.unquote(text))
    escaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), plain)
    return any(SERIAL.search(unicodedata.normalize("NFKC", form)) for form in (text, plain, escaped))


class Observed(NamedTuple):
    """A platform all of whose telemetry is kept."""

    platform: RunningPlatform
    collector: Collector
    metrics: dict[str, str]
    """Where each service shows its metrics to Prometheus."""


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """A platform that traces every call, tells its metrics both ways, and makes its temporary files in its folder."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "tmp").mkdir()
    with collecting() as collector:
        environ = {
            "TMPDIR": str(folder / "tmp"),
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        metrics = {}
        for name in SERVICES:
            prefix = name.upper().replace("-", "_")
            metrics[name] = f"127.0.0.1:{free_port()}"
            environ |= {
                f"{prefix}_TELEMETRY_ENDPOINT": collector.endpoint,
                f"{prefix}_TRACE_RATIO": "1",
                f"{prefix}_METRICS_LISTEN": metrics[name],
            }
        with running(folder, **environ) as platform:
            yield Observed(platform, collector, metrics)


def forms(plate: str) -> list[str]:
    """A plate as people and programs write it."""
    wide = "".join(chr(ord(mark) + 0xFEE0) if mark.isascii() else mark for mark in plate)
    return [plate, plate.lower(), f"{plate[:2]}·{plate[2:]}", f"{plate[:2]} {plate[2:4]}-{plate[4:]}", wide]


class Planting:
    """Sends canaries in every place that takes text, and keeps all that comes back."""

    def __init__(self, wire: Wire, site: Site, tokens: dict[str, str]) -> None:
        self.answers: dict[str, Answer] = {}
        self._wire = wire
        self._site = site
        self._tokens = tokens
        self._traces = iter(TRACES)

    async def rest(
        self,
        what: str,
        verb: str,
        path: str,
        body: bytes | None = None,
        *,
        who: str = "vendor",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        sent = {"traceparent": f"00-{next(self._traces)}-00000000000000ab-01"}
        sent |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        self.answers[what] = await self._wire.rest(verb, path, body, token=self._tokens[who], headers=sent)

    async def grpc(self, what: str, path: str, body: bytes, *metadata: tuple[str, str], who: str = "vendor") -> None:
        traced = ("traceparent", f"00-{next(self._traces)}-00000000000000ab-01")
        self.answers[what] = await self._wire.grpc(path, body, token=self._tokens[who], metadata=[traced, *metadata])

    def record(self, plate: str, record_id: str, **facts: Any) -> record_pb2.AccessRecord:
        """A record of that plate."""
        made = record(self._site, record_id, now_ms() - HOUR_MS)
        made.plate_number = plate
        made.MergeFrom(record_pb2.AccessRecord(**facts))
        return made

    async def records(self) -> None:
        """Good ones, and those whose ids or remarks hold a plate."""
        batches = {
            "good": [self.record(form, f"good-{place}") for place, form in enumerate(forms(PLATES[0]))],
            "ids": [
                self.record(PLATES[1], "in-BX7Q01-2100"),
                self.record(PLATES[1], "bx7q01"),
                self.record(PLATES[1], "visit", visit_id="BX7Q01-visit"),
                self.record(PLATES[1], "image", image_ids=["2100-BX7Q01"]),
                self.record(PLATES[1], PLATES[1]),
                self.record(PLATES[1], "lot", device_id=PLATES[1], lane_id=PLATES[1]),
            ],
            "reason": [
                self.record(
                    PLATES[2],
                    "reason",
                    release_method=record_pb2.RELEASE_METHOD_MANUAL,
                    release_reason=f"{PLATES[2]} was let out",
                ),
                self.record(PLATES[2] * 3, "long"),
                self.record(f"{PLATES[2]}\0", "nul"),
            ],
        }
        for name, batch in batches.items():
            request = access.UploadRecordsRequest(records=batch)
            await self.grpc(f"{name} by gRPC", UPLOAD_RPC, request.SerializeToString())
            body = json.dumps(MessageToDict(request)).encode()
            await self.rest(f"{name} by REST", "POST", UPLOAD, body, who="vendor")
        # A second first report of an id: what differs is named, not shown.
        request = access.UploadRecordsRequest(records=[self.record(PLATES[3], "good-0")])
        await self.grpc("a conflict", UPLOAD_RPC, request.SerializeToString())

    async def malformed(self) -> None:
        """Bodies that are refused, with a plate as a value, as a key, or in the bytes around."""
        good = MessageToDict(self.record(PLATES[4], "malformed"))
        plate = PLATES[4]
        for name, item in {
            "a number": {**good, "freeSpaces": plate},
            "a time": {**good, "eventTime": plate},
            "an enum": {**good, "vehicleClass": plate},
            "an object": {**good, "plateNumber": {plate: plate}},
            "a list": {**good, "plateNumber": [plate]},
            "an unknown key": {**good, plate: 1},
            "an item": plate,
        }.items():
            for escaped in (True, False):
                body = json.dumps({"records": [good, item]}, ensure_ascii=escaped).encode()
                await self.rest(f"{name}, escaped {escaped}", "POST", UPLOAD, body)
        await self.rest("cut off", "POST", UPLOAD, json.dumps({"records": [good]}).encode()[:-3])
        await self.rest("not JSON", "POST", UPLOAD, plate.encode())
        await self.rest("a type", "POST", UPLOAD, b"{}", headers={"content_type": "text/BX7Q04"})
        await self.grpc("cut-off bytes", UPLOAD_RPC, access.UploadRecordsRequest().SerializeToString() + plate.encode())
        await self.grpc("an unknown field", UPLOAD_RPC, b"\x7a\x0b" + plate.encode())

    async def addresses(self) -> None:
        """Paths, queries, headers, credentials, names of methods."""
        plate = urllib.parse.quote(PLATES[5])
        harder = "".join(f"%{byte:02x}" for byte in PLATES[5].encode())
        for path in (f"lots/{plate}", f"lots/{plate}/records/{plate}", f"lots?plate={plate}", plate):
            await self.rest(path, "GET", f"/v1/{path}")
        await self.rest("all escaped", "GET", f"/v1/lots/{self._site.lot_id}/records/{harder}?{harder}={harder}")
        await self.rest("a page", "GET", f"/v1/lots?pageToken={plate}&pageSize={plate}")
        for who in ("vendor", "administrator"):
            await self.rest(f"a vendor for the {who}", "GET", f"/v1/vendors/{plate}", who=who)
        secret = json.dumps({"clientId": PLATES[6], "clientSecret": PLATES[6]}).encode()
        await self.rest("a credential", "POST", "/v1/token", secret, who="nobody")
        names = ("user_agent", "referer", "x_request_id", "x_plate", "tracestate", "x_forwarded_for")
        await self.rest("headers", "GET", "/v1/lots", headers=dict.fromkeys(names, "p=BX7Q07"))
        await self.rest("a token", "GET", "/v1/lots", who="nobody", headers={"authorization": "Bearer BX7Q07"})
        got = access.GetRecordRequest(lot_id=PLATES[8], record_id="BX7Q08").SerializeToString()
        await self.grpc("a record", "/parkmesh.access.v1.AccessRecordService/GetRecord", got)
        await self.grpc("a method", "/parkmesh.access.v1.AccessRecordService/BX7Q08", got)
        await self.grpc("metadata", UPLOAD_RPC, b"", ("x-plate", "BX7Q08"), ("x-request-id", "BX7Q08"))

    async def questions(self, platform: RunningPlatform) -> None:
        """An analyst's queries, right and wrong."""
        async with analyst(platform) as desk:
            assert not await desk.rows(f"SELECT * FROM records WHERE plate_masked = '{PLATES[9]}'")
            for wrong in (f"SELECT '{PLATES[9]}' + 1", f"SELECT `{PLATES[9]}`", f"SELEKT {PLATES[9]}"):
                with pytest.raises(HistoryError) as refusal:
                    await desk.rows(wrong)
                assert not shows_plate(str(refusal.value))


@pytest.fixture(scope="module")
async def planted(observed: Observed) -> Planting:
    """All canaries, planted."""
    platform = observed.platform
    (site,) = await lots(platform, "canary", 1)
    wire = Wire(platform)
    tokens = {"vendor": await wire.token(), "administrator": await wire.token("administrator"), "nobody": ""}
    planting = Planting(wire, site, tokens)
    await planting.records()
    await planting.malformed()
    await planting.addresses()
    await planting.questions(platform)
    await drained(platform)
    return planting


def test_the_search_finds_every_form() -> None:
    for form in forms(PLATES[0]):
        assert shows_plate(form)
        assert shows_plate(json.dumps(form))
        assert shows_plate(urllib.parse.quote(form))
        assert shows_plate("".join(f"%{byte:02X}" for byte in form.encode()))
    assert not shows_plate("x7b01 0123456789abcdef")


async def test_the_canaries_are_where_they_belong(observed: Observed, planted: Planting) -> None:
    for way in ("gRPC", "REST"):
        answer = planted.answers[f"good by {way}"]
        assert answer.status == (0 if way == "gRPC" else 200)
    async with owner(observed.platform) as history:
        rows = await history.rows(
            "SELECT DISTINCT plate_normal FROM store.records_current WHERE startsWith(record_id, 'good-')"
        )
        assert rows == [(PLATES[0],)]
        # The engine's own logs of queries would keep what was asked.
        logs = await history.rows("SELECT name FROM system.tables WHERE database = 'system' AND endsWith(name, '_log')")
        for (name,) in logs:
            assert await history.rows(f"SELECT count() FROM system.{name}") == [(0,)]


async def test_no_answer_shows_a_plate(planted: Planting) -> None:
    leaks = [
        what
        for what, answer in planted.answers.items()
        if shows_plate(answer.body.decode("utf-8", "replace")) or shows_plate(f"{answer.headers} {answer.error}")
    ]
    assert not leaks
    assert not [what for what, answer in planted.answers.items() if answer.error.get("code") == 13]


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file that the platform wrote outside of the places of plates, as text."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(PLACES_OF_PLATES):
            yield name, path.read_bytes().decode("utf-8", "replace")


async def test_no_file_shows_a_plate(observed: Observed, planted: Planting) -> None:
    assert planted.answers
    await asyncio.sleep(1.5)  # Envoy writes its access log once a second.
    files = dict(written(observed.platform.folder))
    assert {"up.log", "demo.json", "run.json", *(f"logs/{name}.log" for name in (*SERVICES, "envoy"))} <= files.keys()
    assert not [name for name, text in files.items() if shows_plate(name) or shows_plate(text)]


async def test_no_trace_and_no_metric_shows_a_plate(observed: Observed, planted: Planting) -> None:
    assert planted.answers
    wanted = {"access-records", "registry"}
    async with asyncio.timeout(30):
        while True:
            services = {service for service, trace in observed.collector.spans() if trace in TRACES}
            if wanted <= services and wanted <= observed.collector.metrics():
                break
            await asyncio.sleep(0.1)
    for request in observed.collector.taken:
        assert not shows_plate(request.SerializeToString().decode("utf-8", "replace"))
    pages = [f"http://{listen}/metrics" for listen in observed.metrics.values()]
    pages.append(f"http://127.0.0.1:{observed.platform.ports.envoy_admin}/stats/prometheus")
    async with aiohttp.ClientSession() as session:
        for page in pages:
            async with session.get(page) as answer:
                text = await answer.text()
            assert answer.status == 200
            assert "# TYPE" in text
            assert not shows_plate(text)


async def test_logs_are_structured_and_calls_carry_the_callers_trace(observed: Observed, planted: Planting) -> None:
    assert planted.answers
    await asyncio.sleep(1.5)
    lines: dict[str, list[dict[str, Any]]] = {}
    for name in (*SERVICES, "envoy", "clickhouse"):
        log = (observed.platform.folder / "logs" / f"{name}.log").read_text()
        lines[name] = [json.loads(line) for line in log.splitlines()]
        assert all(line["event"] and line["level"] for line in lines[name] if line["event"] != "request"), name
    requests = [line for line in lines["envoy"] if line["event"] == "request"]
    traced = {line["traceparent"].split("-")[1] for line in requests if "traceparent" in line}
    sent = set(TRACES[: len(planted.answers)])
    assert sent <= traced
    for name in SERVICES:
        for line in lines[name]:
            assert "trace_id" in line or "request_id" not in line, line
