"""The HTTP filters that every request passes, in order."""

import dataclasses
import datetime

from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.extensions.compression.gzip.decompressor import v3 as gzip
from envoy_data_plane.envoy.extensions.filters.http.buffer import v3 as buffer
from envoy_data_plane.envoy.extensions.filters.http.decompressor import v3 as decompressor
from envoy_data_plane.envoy.extensions.filters.http.ext_authz import v3 as ext_authz
from envoy_data_plane.envoy.extensions.filters.http.grpc_json_transcoder import v3 as transcoder
from envoy_data_plane.envoy.extensions.filters.http.lua import v3 as lua
from envoy_data_plane.envoy.extensions.filters.http.router import v3 as router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as manager
from envoy_data_plane.envoy.type import v3 as http
from envoy_data_plane.envoy.type.matcher import v3 as matcher
from envoy_data_plane.google.protobuf import Any
from vocabulary import request_signature

from edge import script
from edge.contract import Contract
from edge.forwarded import forwarding
from edge.settings import Settings

RISK_CONTROL = "risk-control"
AUTHORIZATION_TIMEOUT = datetime.timedelta(seconds=1)
INFLATE_RATIO = 100
RESPONSE_BYTES = 32 * 1024 * 1024
ASKED_HEADERS = ("authorization", "content-type", "x-request-id", *request_signature.FORMS)
AUTHORIZATION = "envoy.filters.http.ext_authz"
BODY_CHECK = "parkmesh.filters.http.signed_body"


def http_filters(contract: Contract, settings: Settings) -> list[manager.HttpFilter]:
    """Who is it, is this the body that was signed, unpack, look for what the transcoder would swallow, transcode, leave
    out what no service reads, send.

    Authorization is first, so that nobody without a token or a signature reaches a parser. The second question is put
    where a route turns it on (edge.signing).
    """
    return [
        http_filter(AUTHORIZATION, Any.pack(authorization())),
        http_filter(BODY_CHECK, Any.pack(body_check(settings)), disabled=True),
        http_filter("envoy.filters.http.decompressor", Any.pack(unpacking())),
        http_filter("envoy.filters.http.buffer", Any.pack(buffer.Buffer(max_request_bytes=settings.body_limit_bytes))),
        http_filter("envoy.filters.http.lua", Any.pack(scripted(contract, settings))),
        http_filter("envoy.filters.http.grpc_json_transcoder", Any.pack(transcoding(contract, settings))),
        http_filter("envoy.filters.http.header_mutation", Any.pack(forwarding())),
        http_filter("envoy.filters.http.router", Any.pack(router.Router(suppress_envoy_headers=True))),
    ]


def http_filter(name: str, config: Any, *, disabled: bool = False) -> manager.HttpFilter:
    """A filter by its well-known name, or by one of our own; disabled: only where a route turns it on."""
    return manager.HttpFilter(name=name, typed_config=config, disabled=disabled)


def authorization() -> ext_authz.ExtAuthz:
    """Asks risk-control about every request; without an answer the request is refused."""
    return ext_authz.ExtAuthz(
        transport_api_version=core.ApiVersion.V3,
        grpc_service=core.GrpcService(
            envoy_grpc=core.GrpcServiceEnvoyGrpc(cluster_name=RISK_CONTROL), timeout=AUTHORIZATION_TIMEOUT
        ),
        failure_mode_allow=False,
        status_on_error=http.HttpStatus(code=http.StatusCode.ServiceUnavailable),
        allowed_headers=matcher.ListStringMatcher(
            patterns=[matcher.StringMatcher(exact=name) for name in ASKED_HEADERS]
        ),
    )


def body_check(settings: Settings) -> ext_authz.ExtAuthz:
    """Asks risk-control once more, with the whole body as it arrived; one beyond the limit is refused unasked."""
    # Held as a route would say it, Envoy packs the body as text, whatever the route says of bytes.
    held = ext_authz.BufferSettings(max_request_bytes=settings.body_limit_bytes, pack_as_bytes=True)
    return dataclasses.replace(authorization(), with_request_body=held)


def unpacking() -> decompressor.Decompressor:
    """Takes gzip bodies; a body that grows more than a hundredfold is refused."""
    library = core.TypedExtensionConfig(
        name="gzip", typed_config=Any.pack(gzip.Gzip(window_bits=15, max_inflate_ratio=INFLATE_RATIO))
    )
    return decompressor.Decompressor(
        decompressor_library=library,
        request_direction_config=decompressor.DecompressorRequestDirectionConfig(advertise_accept_encoding=False),
        response_direction_config=decompressor.DecompressorResponseDirectionConfig(
            common_config=decompressor.DecompressorCommonDirectionConfig(
                enabled=core.RuntimeFeatureFlag(default_value=False, runtime_key="edge.unpack_responses")
            )
        ),
    )


def scripted(contract: Contract, settings: Settings) -> lua.Lua:
    """The script that names unknown fields and words the edge's own refusals."""
    code = script.source(contract, settings.unknown_fields_scan_bytes)
    return lua.Lua(default_source_code=core.DataSource(inline_string=code))


def transcoding(contract: Contract, settings: Settings) -> transcoder.GrpcJsonTranscoder:
    """REST and JSON to gRPC and back, for every service that the edge serves."""
    return transcoder.GrpcJsonTranscoder(
        proto_descriptor_bin=contract.descriptors,
        services=contract.services,
        convert_grpc_status=True,
        max_request_body_size=settings.body_limit_bytes,
        max_response_body_size=RESPONSE_BYTES,
        request_validation_options=transcoder.GrpcJsonTranscoderRequestValidationOptions(
            reject_unknown_query_parameters=True, reject_binding_body_field_collisions=True
        ),
        print_options=transcoder.GrpcJsonTranscoderPrintOptions(always_print_primitive_fields=True),
    )
