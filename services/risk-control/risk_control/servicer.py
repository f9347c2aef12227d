"""The face that Envoy asks: `envoy.service.auth.v3.Authorization/Check`, on our own subset of its messages."""

import asyncio
from typing import Any, Final

import grpc
from mesh.caller import Caller, Signer
from mesh.clock import Clock
from mesh.errors import MeshError
from parkmesh.edge.v1 import ext_authz_pb2

from risk_control import answers
from risk_control.admission import Admission
from risk_control.signatures import is_signed, require_body

SERVICE: Final = "envoy.service.auth.v3.Authorization"
_BODY: Final = "body"
"""What the edge says with every question about a signed request: the body comes LATER, or is HERE; nothing where it
would never come.
"""
_LATER: Final = "later"
_HERE: Final = "here"
_LARGE: Final = 256 * 1024
"""From this many bytes on a body is hashed beside the other decisions, which would else wait for milliseconds."""


class AuthorizationServicer:
    """Answers for every request that reaches the edge."""

    def __init__(self, admission: Admission, signer: Signer, clock: Clock) -> None:
        self._admission = admission
        self._signer = signer
        self._clock = clock

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler to add to a server."""
        check = grpc.unary_unary_rpc_method_handler(
            self.check,
            request_deserializer=ext_authz_pb2.CheckRequest.FromString,
            response_serializer=ext_authz_pb2.CheckResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Check": check})

    async def check(self, request: ext_authz_pb2.CheckRequest, _: Any) -> ext_authz_pb2.CheckResponse:
        """One decision. Any failure here reaches Envoy as an error, and Envoy then refuses."""
        http = request.attributes.request.http
        grpc_caller = http.headers.get("content-type", "").startswith("application/grpc")
        try:
            if is_signed(http.headers):
                return await self._signed(request)
            caller = self._admission.decide(
                http.method,
                http.path,
                http.headers.get("authorization", ""),
                grpc=grpc_caller,
                address=request.attributes.source.address.socket_address.address,
            )
        except MeshError as error:
            return answers.refused(error, http.headers.get("x-request-id", ""), grpc=grpc_caller)
        return answers.admitted(self._assertion(caller) if caller else None)

    async def _signed(self, request: ext_authz_pb2.CheckRequest) -> ext_authz_pb2.CheckResponse:
        """First whether the signature is right, then, once the edge has it, whether the body is the one that was
        signed: whoever cannot sign makes nobody hold a body.
        """
        http, body = request.attributes.request.http, request.attributes.context_extensions.get(_BODY)
        if body == _HERE:
            headers, raw_body = dict(http.headers), http.raw_body
            if len(raw_body) < _LARGE:
                require_body(headers, raw_body)
            else:
                await asyncio.to_thread(require_body, headers, raw_body)
            return answers.confirmed()
        caller = await self._admission.decide_signed(http.method, http.path, http.headers, body_follows=body == _LATER)
        return answers.admitted(self._assertion(caller))

    def _assertion(self, caller: Caller) -> str:
        return self._signer.assertion(caller, self._clock.now_ms())
