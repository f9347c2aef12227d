"""The face that Envoy asks: `envoy.service.auth.v3.Authorization/Check`, on our own subset of its messages."""

from typing import Any, Final

import grpc
from mesh.caller import Signer
from mesh.clock import Clock
from mesh.errors import MeshError
from parkmesh.edge.v1 import ext_authz_pb2

from risk_control import answers
from risk_control.admission import Admission

SERVICE: Final = "envoy.service.auth.v3.Authorization"


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
            caller = self._admission.decide(
                http.method, http.path, http.headers.get("authorization", ""), grpc=grpc_caller
            )
        except MeshError as error:
            return answers.refused(error, http.headers.get("x-request-id", ""), grpc=grpc_caller)
        return answers.admitted(self._signer.assertion(caller, self._clock.now_ms()) if caller else None)
