"""The decision about one request: who calls, and may they now."""

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from directory import Change, CredentialFacts, VendorFacts
from mesh.caller import Caller, CallerKind
from mesh.clock import Clock
from mesh.errors import MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import vendor_pb2

from risk_control.buckets import Buckets
from risk_control.methods import PublicMethods
from risk_control.nonces import Nonces
from risk_control.signatures import Signatures, require_current
from risk_control.tokens import Tokens

_BEARER: Final = "bearer "


class Facts(Protocol):
    """What is asked of the directory."""

    def good_credential(self, client_id: str, now_ms: int) -> CredentialFacts | None:
        """None when there is none that holds at that time, with its account, if it has one, in use."""
        ...

    def vendor(self, vendor_id: str) -> VendorFacts | None:
        """None when there is none."""
        ...

    def require_fresh(self, now_ms: int) -> None:
        """MeshError(DIRECTORY_UNAVAILABLE) when the facts are too old to decide by."""
        ...


class Signing(NamedTuple):
    """What it takes to admit signed requests."""

    signatures: Signatures
    nonces: Nonces


class Admission:
    """Lets requests in. Forget tokens with `changed`, called for every change of the directory."""

    def __init__(
        self,
        methods: PublicMethods,
        tokens: Tokens,
        facts: Facts,
        clock: Clock,
        *,
        signing: Signing | None,
        clients: Buckets,
        public: Buckets,
        requests_per_second: float,
        public_requests_per_second: float,
        public_requests_per_address: float,
    ) -> None:
        self._methods = methods
        self._tokens = tokens
        self._facts = facts
        self._clock = clock
        self._signing = signing
        self._clients = clients
        self._public = public
        self._requests_per_second = requests_per_second
        self._public_requests_per_second = public_requests_per_second
        self._public_requests_per_address = public_requests_per_address

    def decide(self, verb: str, path: str, authorization: str, *, grpc: bool, address: str = "") -> Caller | None:
        """Who calls, from that address; None for a public method. MeshError when the request is refused.

        A path that no method has is treated as one that needs a token, so that without one nothing is learnt.
        """
        public = self._methods.find(verb, path, grpc=grpc)
        if public is not None:
            # One address first: what it sends too much takes nothing from everybody else.
            self._limit(self._public, f"{public} {address}", self._public_requests_per_address)
            self._limit(self._public, public, self._public_requests_per_second)
            return None
        return self._known(authorization)

    async def decide_signed(self, verb: str, path: str, headers: Mapping[str, str], *, body_follows: bool) -> Caller:
        """Who calls with a signed request. MeshError when it is refused: nothing precise is told before the signature
        has proved right, and nothing of the client's own, a nonce or a place in its bucket, is spent before.

        What can be tried without a key costs two HMACs over at most the headers that the edge takes, less than a forged
        token. `body_follows`: the edge will show the body to `require_body` before it passes the request on.
        """
        now_ms = self._clock.now_ms()
        self._facts.require_fresh(now_ms)
        if self._signing is None or not body_follows or "authorization" in headers:
            raise _unsignable()
        proof = self._signing.signatures.proof(verb, path, headers)
        credential = self._facts.good_credential(proof.client_id, now_ms) if proof else None
        if proof is None or credential is None or not _signs(credential):
            raise _unproven()
        require_current(proof, now_ms)
        caller = self._admitted(credential)
        await self._signing.nonces.use(proof.client_id, proof.nonce)
        return caller

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
        credential = self._facts.good_credential(token.client_id, now_ms) if token else None
        if token is None or credential is None or credential.subject != token.subject or _signs(credential):
            raise _unauthenticated()
        return self._admitted(credential)

    def _admitted(self, credential: CredentialFacts) -> Caller:
        caller = Caller(credential.kind, credential.subject, credential.client_id, credential.account)
        per_second: float = 0
        if caller.kind is CallerKind.VENDOR:
            vendor = self._facts.vendor(caller.subject)
            if vendor is None:
                raise _unauthenticated()
            per_second = vendor.requests_per_second
        # Subjects of different kinds may have the same name.
        bucket = f"{caller.kind.value} {caller.account or caller.subject}"
        self._limit(self._clients, bucket, per_second or self._requests_per_second)
        return caller

    def _limit(self, buckets: Buckets, name: str, per_second: float) -> None:
        wait_ms = buckets.take(name, per_second, self._clock.monotonic())
        if wait_ms:
            raise MeshError(
                reasons.ERROR_REASON_RATE_LIMITED,
                "More requests than may be sent now. Wait, then send the same again.",
                retry_after_ms=wait_ms,
            )


def _signs(credential: CredentialFacts) -> bool:
    """Whether its holder signs every request; else it gets tokens."""
    return credential.method == vendor_pb2.CREDENTIAL_METHOD_SIGNATURE


def _unauthenticated() -> MeshError:
    return MeshError(
        reasons.ERROR_REASON_UNAUTHENTICATED,
        "The request needs a valid access token. Get one from POST /v1/token.",
    )


def _unproven() -> MeshError:
    return MeshError(
        reasons.ERROR_REASON_UNAUTHENTICATED,
        "The signature is not that of a client that may sign. docs/request-signing.md says how to sign.",
    )


def _unsignable() -> MeshError:
    return MeshError(
        reasons.ERROR_REASON_UNAUTHENTICATED,
        "This request cannot be signed. Either sign a REST request, without Authorization, or send an access token.",
    )
