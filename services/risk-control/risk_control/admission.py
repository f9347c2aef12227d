"""The decision about one request: who calls, and may they now."""

from typing import Final, Protocol

from directory import Change, CredentialFacts, VendorFacts
from mesh.caller import Caller, CallerKind
from mesh.clock import Clock
from mesh.errors import MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import vendor_pb2

from risk_control.buckets import Buckets
from risk_control.methods import PublicMethods
from risk_control.tokens import Tokens

_BEARER: Final = "bearer "


class Facts(Protocol):
    """What is asked of the directory."""

    def credential(self, client_id: str) -> CredentialFacts | None:
        """None when there is none."""
        ...

    def vendor(self, vendor_id: str) -> VendorFacts | None:
        """None when there is none."""
        ...

    def require_fresh(self, now_ms: int) -> None:
        """MeshError(DIRECTORY_UNAVAILABLE) when the facts are too old to decide by."""
        ...


class Admission:
    """Lets requests in. Forget tokens with `changed`, called for every change of the directory."""

    def __init__(
        self,
        methods: PublicMethods,
        tokens: Tokens,
        facts: Facts,
        clock: Clock,
        *,
        vendors: Buckets,
        public: Buckets,
        requests_per_second: float,
        public_requests_per_second: float,
    ) -> None:
        self._methods = methods
        self._tokens = tokens
        self._facts = facts
        self._clock = clock
        self._vendors = vendors
        self._public = public
        self._requests_per_second = requests_per_second
        self._public_requests_per_second = public_requests_per_second

    def decide(self, verb: str, path: str, authorization: str, *, grpc: bool) -> Caller | None:
        """Who calls; None for a public method. MeshError when the request is refused.

        A path that no method has is treated as one that needs a token, so that without one nothing is learnt.
        """
        public = self._methods.find(verb, path, grpc=grpc)
        if public is not None:
            self._limit(self._public, public, self._public_requests_per_second)
            return None
        return self._known(authorization)

    def changed(self, change: Change) -> None:
        """Forgets what was concluded from the facts of before."""
        for fact in (change.before, change.after):
            if isinstance(fact, CredentialFacts):
                self._tokens.drop(fact.client_id)

    def _known(self, authorization: str) -> Caller:
        now_ms = self._clock.now_ms()
        self._facts.require_fresh(now_ms)
        scheme, token = authorization[: len(_BEARER)], None
        if scheme.lower() == _BEARER:
            token = self._tokens.read(authorization[len(_BEARER) :].strip(), now_ms)
        credential = self._facts.credential(token.client_id) if token else None
        vendor = self._facts.vendor(credential.vendor_id) if credential else None
        if token is None or credential is None or vendor is None or not credential.good_at(now_ms):
            raise _unauthenticated()
        if credential.vendor_id != token.vendor_id:
            raise _unauthenticated()
        self._limit(self._vendors, vendor.vendor_id, vendor.requests_per_second or self._requests_per_second)
        administrator = vendor.role == vendor_pb2.ROLE_ADMINISTRATOR
        kind = CallerKind.ADMINISTRATOR if administrator else CallerKind.VENDOR
        return Caller(kind, vendor.vendor_id, credential.client_id)

    def _limit(self, buckets: Buckets, name: str, per_second: float) -> None:
        wait_ms = buckets.take(name, per_second, self._clock.monotonic())
        if wait_ms:
            raise MeshError(
                reasons.ERROR_REASON_RATE_LIMITED,
                "More requests than may be sent now. Wait, then send the same again.",
                retry_after_ms=wait_ms,
            )


def _unauthenticated() -> MeshError:
    return MeshError(
        reasons.ERROR_REASON_UNAUTHENTICATED,
        "The request needs a valid access token. Get one from POST /v1/token.",
    )
