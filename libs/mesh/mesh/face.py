"""A service's face: the rings around every method. Outermost first: telemetry, error boundary, caller, validation.

The rings are put around a method when it is registered, not looked up per call: that is several times cheaper than gRPC
interceptors.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from mesh.boundary import Context, as_refusal, refuse
from mesh.call import Call, running_call
from mesh.caller import HEADER, Caller, CallerKind, NotAsserted, Verifier
from mesh.clock import Clock, Ids
from mesh.errors import MeshError
from mesh.reasons import name_of
from mesh.telemetry import Observation, Telemetry
from mesh.validation import Check

if TYPE_CHECKING:
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:  # grpc's classes are generic in the stubs only
    Handler = grpc.RpcMethodHandler

REQUEST_ID_HEADER = "x-request-id"
TRACE_HEADER = "traceparent"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}").fullmatch


class Admission:
    """Who may call a method."""

    def __init__(self, kinds: frozenset[CallerKind], *, public: bool = False, known: bool = True) -> None:
        self.kinds = kinds
        self.public = public
        self.known = known


OPEN = Admission(frozenset(), public=True)
"""Anybody may call it; for what the edge itself calls."""
UNKNOWN = Admission(frozenset(), known=False)
"""There is no such method; only somebody who could call one is told so."""


class Face:
    """Puts the rings around methods."""

    def __init__(self, telemetry: Telemetry, verifier: Verifier, clock: Clock, ids: Ids) -> None:
        self._telemetry = telemetry
        self._verifier = verifier
        self._clock = clock
        self._ids = ids

    def around(self, path: str, handler: Handler, admission: Admission, check: Check | None) -> Handler:
        """The handler with the rings around it. `check` is applied to every message that comes in; None: to none."""
        rings = _Rings(self, path, handler.request_deserializer, admission, check)
        many = rings.answering_many if handler.response_streaming else rings.answering_one
        opened = rings.messages if handler.request_streaming else rings.message
        streaming = (handler.request_streaming, handler.response_streaming)
        # Requests come as bytes and are parsed inside the rings: gRPC would answer UNKNOWN, with the parser's text.
        return _MAKERS[streaming](many(_behavior(handler), opened), None, handler.response_serializer)

    def enter(self, path: str, context: Context) -> tuple[Call, Observation, list[str]]:
        """Begins a call: its id, its trace, and the assertions that came with it."""
        assertions: list[str] = []
        request_id = traceparent = ""
        for name, value in context.invocation_metadata() or ():
            if name == HEADER:
                assertions.append(str(value))
            elif name == REQUEST_ID_HEADER:
                request_id = str(value)
            elif name == TRACE_HEADER:
                traceparent = str(value)
        if not _REQUEST_ID(request_id):
            request_id = self._ids.new("req")
        observation = self._telemetry.begin(path, traceparent)
        call = Call(path, request_id, context.time_remaining)
        running_call.set(call)
        return call, observation, assertions

    def admit(self, assertions: list[str], admission: Admission) -> Caller | None:
        """Who calls, if they may; MeshError otherwise."""
        if not assertions and admission.public:
            return None
        try:
            (assertion,) = assertions
            caller = self._verifier.verify(assertion, self._clock.now_ms())
        except (ValueError, NotAsserted):
            raise MeshError(
                reasons.ERROR_REASON_CALLER_NOT_ASSERTED,
                "No caller assertion that this service trusts: call through the edge.",
            ) from None
        if not admission.known:
            raise MeshError(reasons.ERROR_REASON_UNKNOWN_METHOD, "There is no such method.")
        if caller.kind not in admission.kinds and not admission.public:
            raise MeshError(reasons.ERROR_REASON_METHOD_NOT_ALLOWED, "This kind of caller may not call this method.")
        return caller


class _Rings:
    """The rings around one method."""

    def __init__(
        self,
        face: Face,
        path: str,
        parse: Callable[[bytes], Any] | None,
        admission: Admission,
        check: Check | None,
    ) -> None:
        self._face = face
        self._path = path
        self._observed = path.removeprefix("/") if admission.known else "unknown"
        self._parse = parse
        self._admission = admission
        self._check = check

    def message(self, raw: bytes) -> Any:
        """The message of some bytes, checked; MeshError when it cannot be read or breaks a rule."""
        if self._parse is None:
            return raw
        try:
            message = self._parse(raw)
        except DecodeError:
            raise MeshError(reasons.ERROR_REASON_MALFORMED_REQUEST, "The body cannot be read as the request.") from None
        if self._check is not None:
            self._check(message)
        return message

    def messages(self, raw: AsyncIterator[bytes]) -> "_Messages":
        """The messages of a stream, each as `message` gives it."""
        return _Messages(raw, self.message)

    def answering_one(
        self, behavior: Callable[..., Awaitable[Any]], opened: Callable[[Any], Any]
    ) -> Callable[[Any, Context], Awaitable[Any]]:
        """Rings around a method with one answer."""

        async def answer(raw: Any, context: Context) -> Any:
            call, observation, assertions = self._face.enter(self._observed, context)
            try:
                call.caller = self._face.admit(assertions, self._admission)
                response = await behavior(opened(raw), context)
            except BaseException as error:
                _observe_end(observation, error, context)
                await refuse(error, call, context)
            observation.end(_code(context))
            return response

        return answer

    def answering_many(
        self, behavior: Callable[..., Any], opened: Callable[[Any], Any]
    ) -> Callable[[Any, Context], AsyncIterator[Any]]:
        """Rings around a method with a stream of answers, whether it yields them or writes them."""

        async def answer(raw: Any, context: Context) -> AsyncIterator[Any]:
            call, observation, assertions = self._face.enter(self._observed, context)
            try:
                call.caller = self._face.admit(assertions, self._admission)
                answers = behavior(opened(raw), context)
                if hasattr(answers, "__aiter__"):
                    async with aclosing(answers):
                        async for response in answers:
                            yield response
                else:
                    await answers
            except BaseException as error:
                _observe_end(observation, error, context)
                await refuse(error, call, context)
            observation.end(_code(context))

        return answer


class _Messages:
    """The messages of a request stream."""

    def __init__(self, raw: AsyncIterator[bytes], opened: Callable[[bytes], Message]) -> None:
        self._raw = raw
        self._opened = opened
        self._begun: AsyncIterator[bytes] | None = None

    def __aiter__(self) -> "_Messages":
        return self

    async def __anext__(self) -> Message:
        # Not begun before it is read: grpc.aio complains of a stream that was begun and left.
        if self._begun is None:
            self._begun = aiter(self._raw)
        return self._opened(await anext(self._begun))


def _observe_end(observation: Observation, error: BaseException, context: Context) -> None:
    if isinstance(error, grpc.aio.AbortError):
        observation.end(_code(context))
    elif isinstance(error, Exception):
        refusal = as_refusal(error)
        observation.end(refusal.code, name_of(refusal.reason))
    else:
        observation.end(grpc.StatusCode.CANCELLED)


def _code(context: Context) -> grpc.StatusCode:
    """The status that the servicer itself has set, OK when none."""
    return _CODES.get(context.code(), grpc.StatusCode.OK)


def _behavior(handler: Handler) -> Any:
    return handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream


# grpc.aio gives the code as a number, though its interface says otherwise.
_CODES: dict[Any, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_MAKERS: dict[tuple[bool, bool], Callable[..., Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
