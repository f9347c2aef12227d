"""The edge's checklist, asserted where it counts: in the configuration that Envoy says it runs."""

import asyncio
import json
import re
import ssl
from typing import Any

import pytest
from edge import resources
from edge.envoy import EnvoySettings, envoy_command

LOOPBACK = {"127.0.0.1", "[::1]"}


async def dump(edge: Any, kind: str) -> Any:
    answer = await edge.admin("/config_dump")
    (section,) = [section for section in answer["configs"] if section["@type"].endswith("." + kind)]
    return section


@pytest.fixture(scope="session")
async def listener(edge: Any) -> Any:
    """The one listener."""
    (only,) = (await dump(edge, "ListenersConfigDump"))["dynamic_listeners"]
    return only["active_state"]["listener"]


@pytest.fixture(scope="session")
def chain(listener: Any) -> Any:
    """Its one filter chain."""
    (only,) = listener["filter_chains"]
    return only


@pytest.fixture(scope="session")
def manager(chain: Any) -> Any:
    """Its HTTP connection manager."""
    return chain["filters"][-1]["typed_config"]


@pytest.fixture(scope="session")
async def clusters(edge: Any) -> Any:
    """The clusters behind it."""
    return [cluster["cluster"] for cluster in (await dump(edge, "ClustersConfigDump"))["dynamic_active_clusters"]]


@pytest.fixture(scope="session")
async def routes(edge: Any) -> Any:
    """The routes of the one virtual host."""
    (configuration,) = (await dump(edge, "RoutesConfigDump"))["dynamic_route_configs"]
    (host,) = configuration["route_config"]["virtual_hosts"]
    assert host["domains"] == ["*"]
    assert host["request_body_buffer_limit"] == str(4 * 1024 * 1024)
    assert "retry_policy" not in host
    return host["routes"]


async def test_the_admin_interface_is_a_socket_of_the_owner(edge: Any) -> None:
    bootstrap = (await dump(edge, "BootstrapConfigDump"))["bootstrap"]
    assert bootstrap["admin"]["address"]["pipe"]["path"] == str(edge.folder / "admin.sock")
    assert (edge.folder / "admin.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("admin", ["0.0.0.0:9901", "10.0.0.1:9901", "localhost.example:1"])
def test_the_admin_interface_is_never_open_to_others(admin: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        envoy_command(EnvoySettings(control_plane="127.0.0.1:1", admin=admin))


async def test_overload_sheds_before_memory_ends(edge: Any) -> None:
    bootstrap = (await dump(edge, "BootstrapConfigDump"))["bootstrap"]
    heap, connections = bootstrap["overload_manager"]["resource_monitors"]
    assert int(heap["typed_config"]["max_heap_size_bytes"]) == 512 * 1024 * 1024
    assert int(connections["typed_config"]["max_active_downstream_connections"]) == 5000
    triggers = {
        action["name"]: action["triggers"][0]["threshold"]["value"]
        for action in bootstrap["overload_manager"]["actions"]
    }
    assert triggers == {
        "envoy.overload_actions.shrink_heap": 0.95,
        "envoy.overload_actions.stop_accepting_requests": 0.98,
    }
    (layer,) = bootstrap["layered_runtime"]["layers"]
    assert layer["static_layer"] == {
        "http.max_requests_per_io_cycle": 10,
        "overload.premature_reset_total_stream_count": 500,
        "overload.premature_reset_min_stream_lifetime_seconds": 1,
        "re2.max_program_size.error_level": 4000,
    }


def test_connections_and_buffers_are_bounded(listener: Any, chain: Any, clusters: Any) -> None:
    limit, _ = chain["filters"]
    assert limit["name"] == "envoy.filters.network.connection_limit"
    assert limit["typed_config"]["max_connections"] == "4000"
    assert listener["per_connection_buffer_limit_bytes"] == 64 * 1024
    assert {cluster["per_connection_buffer_limit_bytes"] for cluster in clusters} == {1024 * 1024}
    assert chain["transport_socket_connect_timeout"] == "10s"


def test_tls_is_modern(chain: Any) -> None:
    tls = chain["transport_socket"]["typed_config"]["common_tls_context"]
    assert tls["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_2"
    assert all(name.startswith("ECDHE-") for name in tls["tls_params"]["cipher_suites"])
    assert all("GCM" in name or "CHACHA20" in name for name in tls["tls_params"]["cipher_suites"])
    assert tls["alpn_protocols"] == ["h2", "http/1.1"]


async def test_the_private_key_never_travels(edge: Any) -> None:
    assert "PRIVATE KEY" not in json.dumps(await edge.admin("/config_dump"))
    chain = (edge.folder / "certificates" / "server.pem").read_bytes()
    sent = resources.certificate(chain, edge.folder / "certificates" / "server.key").packed["server"].value
    assert b"BEGIN CERTIFICATE" in sent
    assert b"PRIVATE" not in sent


def test_http_is_strict(manager: Any) -> None:
    assert manager["use_remote_address"] is True
    assert manager["normalize_path"] is True
    assert manager["merge_slashes"] is True
    assert manager["path_with_escaped_slashes_action"] == "REJECT_REQUEST"
    assert manager["max_request_headers_kb"] == 32
    assert "forward_client_cert_details" not in manager  # the default: SANITIZE
    assert manager["server_name"] == "parkmesh"
    common = manager["common_http_protocol_options"]
    assert common["headers_with_underscores_action"] == "REJECT_REQUEST"
    assert common["max_headers_count"] == 64


def test_http2_is_bounded(manager: Any) -> None:
    http2 = manager["http2_protocol_options"]
    assert http2["max_concurrent_streams"] == 100
    assert http2["initial_stream_window_size"] == 64 * 1024
    assert http2["initial_connection_window_size"] == 1024 * 1024


def test_everything_ends_some_time(manager: Any, clusters: Any) -> None:
    assert manager["request_headers_timeout"] == "10s"
    assert manager["stream_idle_timeout"] == "30s"
    common = manager["common_http_protocol_options"]
    assert common["idle_timeout"] == "600s"
    assert common["max_connection_duration"] == "86400s"
    assert common["max_stream_duration"] == "60s"
    assert {cluster["connect_timeout"] for cluster in clusters} == {"1s"}


def test_headers_of_ours_are_stripped_before_anything_reads_them(manager: Any) -> None:
    (extension,) = manager["early_header_mutation_extensions"]
    (mutation,) = extension["typed_config"]["mutations"]
    foreign = re.compile(mutation["remove_on_match"]["key_matcher"]["safe_regex"]["regex"])
    kept = ["client", "timestamp", "nonce", "content-sha256", "signature"]
    stripped = [
        "caller",
        "unknown-fields",
        "refused",
        "clients",
        "clien",
        "c",
        "",
        "content-sha25",
        "signature-",
        "Client",
    ]
    assert [name for name in kept + stripped if not foreign.fullmatch(f"x-parkmesh-{name}")] == kept
    assert not foreign.fullmatch("authorization")


def test_authorization_is_first_and_fails_closed(manager: Any) -> None:
    names = [entry["name"].removeprefix("envoy.filters.http.") for entry in manager["http_filters"]]
    held = "parkmesh.filters.http.signed_body"
    after = ["decompressor", "buffer", "lua", "grpc_json_transcoder", "header_mutation", "router"]
    assert names == ["ext_authz", held, *after]
    authorization = manager["http_filters"][0]["typed_config"]
    assert "failure_mode_allow" not in authorization
    assert authorization["status_on_error"]["code"] == "ServiceUnavailable"
    assert authorization["grpc_service"]["timeout"] == "1s"
    assert "disabled" not in manager["http_filters"][0]
    assert "with_request_body" not in authorization


def test_only_signed_requests_are_held_and_asked_about_twice(manager: Any, routes: Any) -> None:
    first, second, *_ = manager["http_filters"]
    assert second["disabled"] is True
    limit = {"max_request_bytes": 4 * 1024 * 1024, "pack_as_bytes": True}
    assert second["typed_config"] == first["typed_config"] | {"with_request_body": limit}
    (signed,) = [route for route in routes if second["name"] in route.get("typed_per_filter_config", {})]
    assert signed is routes[-2]
    assert signed["match"]["headers"] == [{"name": "x-parkmesh-signature", "present_match": True}]
    assert set(signed["typed_per_filter_config"]) == {first["name"], second["name"]}


def test_the_transcoder_is_strict(manager: Any) -> None:
    transcoder = manager["http_filters"][5]["typed_config"]
    assert transcoder["request_validation_options"]["reject_unknown_query_parameters"] is True
    assert transcoder["convert_grpc_status"] is True
    assert transcoder["max_request_body_size"] == 4 * 1024 * 1024
    assert "auto_mapping" not in transcoder
    assert manager["http_filters"][3]["typed_config"]["max_request_bytes"] == 4 * 1024 * 1024
    unpacking = manager["http_filters"][2]["typed_config"]["decompressor_library"]["typed_config"]
    assert unpacking["max_inflate_ratio"] == 100


def test_routes_name_methods_and_the_last_one_catches_all(routes: Any) -> None:
    *served, signed, last = routes
    methods = [route for route in served if "direct_response" not in route]
    pages = [route for route in served if "direct_response" in route]
    assert {page["match"]["path"] for page in pages} == {"/openapi.json", "/docs"}
    assert last["match"] == {"prefix": "/"}
    assert last["direct_response"]["status"] == signed["direct_response"]["status"] == 404
    for route in methods:
        assert route["match"] == {"path": route["name"], "grpc": {}}
        assert "retry_policy" not in route["route"]
        assert "Directory" not in route["name"]
        assert "reflection" not in route["name"]
    unlimited = [route["name"] for route in methods if route["route"]["timeout"] == "0s"]
    assert sorted(unlimited) == [
        "/parkmesh.access.v1.AccessRecordService/StreamRecords",
        "/parkmesh.access.v1.ExportService/DownloadExport",
    ]
    for stream in [route for route in methods if route["name"] in unlimited]:
        assert stream["route"]["idle_timeout"] == "3600s"
        assert stream["route"]["max_stream_duration"] == {"max_stream_duration": "0s"}


def test_load_is_shed_and_nothing_sent_twice(clusters: Any) -> None:
    contexts = {f"parkmesh.{name}.v1" for name in ("registry", "access", "guidance")}
    assert {cluster["name"] for cluster in clusters} == contexts | {"risk-control"}
    for cluster in clusters:
        (threshold,) = cluster["circuit_breakers"]["thresholds"]
        bounds = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
        assert [threshold[name] for name in bounds] == [64, 256, 1024, 0]
        assert cluster["outlier_detection"]["consecutive_local_origin_failure"] == 5


async def test_old_tls_is_refused(edge: Any) -> None:
    tls = ssl.create_default_context(cadata=edge.ca.decode())
    tls.set_ciphers("AES128-GCM-SHA256")
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection("localhost", edge.port, ssl=tls)


async def test_the_access_log_is_json_without_anything_personal(edge: Any) -> None:
    plate = "%E9%97%BDB99999"
    traced = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    status, _, headers = await edge.call("GET", f"/v1/lots/7/records/{plate}?x={plate}", traceparent=traced)
    assert status in {200, 400}
    _, _, other = await edge.call("GET", f"/v1/{plate}?x={plate}", token=None, user_agent=plate, traceparent=plate)
    ids = {headers["x-request-id"], other["x-request-id"]}
    lines: dict[str, Any] = {}
    async with asyncio.timeout(15):
        while not ids <= set(lines):
            await asyncio.sleep(0.1)
            entries = [json.loads(line) for line in edge.log.read_text().splitlines() if line.startswith("{")]
            lines = {entry["request_id"]: entry for entry in entries if "request_id" in entry}
    assert lines[headers["x-request-id"]]["service"] == "edge"
    assert lines[headers["x-request-id"]]["traceparent"] == traced
    assert not lines[other["x-request-id"]].get("traceparent")
    assert lines[other["x-request-id"]]["status"] == 401
    assert lines[other["x-request-id"]]["method"] == "unknown"
    log = edge.log.read_text()
    assert "B99999" not in log
    assert "127.0.0.1" not in "".join(json.dumps(line) for line in lines.values())
    assert edge.token not in log
