"""Our subset of Envoy's authorization messages is Envoy's own on the wire."""

import warnings

from google.rpc import status_pb2  # type: ignore[import-untyped]
from parkmesh.edge.v1 import ext_authz_pb2

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # envoy-data-plane is older than its pydantic
    from envoy_data_plane.envoy.config.core import v3 as core
    from envoy_data_plane.envoy.service.auth import v3 as auth
    from envoy_data_plane.google import rpc


def test_a_request_of_envoys_is_read() -> None:
    http = auth.AttributeContextHttpRequest(
        id="i", method="POST", headers={"a": "b"}, path="/p?q", host="h", size=7, protocol="HTTP/2"
    )
    theirs = auth.CheckRequest(
        attributes=auth.AttributeContext(
            source=auth.AttributeContextPeer(principal="p", certificate="c"),
            request=auth.AttributeContextRequest(http=http),
            context_extensions={"k": "v"},
        )
    )
    ours = ext_authz_pb2.CheckRequest.FromString(bytes(theirs))
    assert ours.SerializeToString(deterministic=True) == bytes(theirs)
    read = ours.attributes.request.http
    assert (read.id, read.method, dict(read.headers), read.path) == ("i", "POST", {"a": "b"}, "/p?q")
    assert (read.host, read.size, read.protocol) == ("h", 7, "HTTP/2")
    assert (ours.attributes.source.principal, ours.attributes.source.certificate) == ("p", "c")
    assert dict(ours.attributes.context_extensions) == {"k": "v"}


def test_an_admission_of_ours_is_read() -> None:
    header = ext_authz_pb2.HeaderValueOption(header=ext_authz_pb2.HeaderValue(key="x", value="y"), append_action=2)
    ours = ext_authz_pb2.CheckResponse(
        status=status_pb2.Status(code=0),
        ok_response=ext_authz_pb2.OkHttpResponse(headers=[header], headers_to_remove=["z"]),
    )
    theirs = auth.CheckResponse.FromString(ours.SerializeToString())
    assert theirs.ok_response is not None
    (option,) = theirs.ok_response.headers
    assert option.header == core.HeaderValue(key="x", value="y")
    assert option.append_action == core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    assert theirs.ok_response.headers_to_remove == ["z"]


def test_a_refusal_of_ours_is_read() -> None:
    header = ext_authz_pb2.HeaderValueOption(header=ext_authz_pb2.HeaderValue(key="x", value="y"), append_action=2)
    ours = ext_authz_pb2.CheckResponse(
        status=status_pb2.Status(code=16),
        denied_response=ext_authz_pb2.DeniedHttpResponse(
            status=ext_authz_pb2.HttpStatus(code=401), headers=[header], body="b"
        ),
    )
    theirs = auth.CheckResponse.FromString(ours.SerializeToString())
    assert theirs.status == rpc.Status(code=16)
    assert theirs.denied_response is not None
    assert theirs.denied_response.status is not None
    assert (theirs.denied_response.status.code, theirs.denied_response.body) == (401, "b")
    assert theirs.denied_response.headers[0].header == core.HeaderValue(key="x", value="y")
