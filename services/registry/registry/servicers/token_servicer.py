"""Access tokens, and credentials for one-time codes."""

from mesh import wording
from mesh.boundary import Context
from mesh.errors import FieldViolation
from mesh.instants import time_of
from parkmesh.registry.v1 import token_service_pb2 as messages
from parkmesh.registry.v1 import token_service_pb2_grpc

from registry.errors import InvalidField, InvalidFields
from registry.identity.credentials import Method
from registry.identity.onboarding import Onboarding
from registry.identity.tokens import Tokens


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, tokens: Tokens, onboarding: Onboarding) -> None:
        self._tokens = tokens
        self._onboarding = onboarding

    async def IssueToken(self, request: messages.IssueTokenRequest, context: Context) -> messages.IssueTokenResponse:
        """See the proto."""
        if request.client_assertion:
            if request.client_secret:
                raise InvalidField(
                    "clientSecret",
                    "token.one_proof",
                    "must be left out where an assertion is sent",
                    "已提交私钥断言时请不要填写",
                )
            token = await self._tokens.for_assertion(request.client_assertion, request.client_id)
        else:
            _require(client_id=request.client_id, client_secret=request.client_secret)
            token = await self._tokens.for_secret(request.client_id, request.client_secret)
        return messages.IssueTokenResponse(
            access_token=token.text.reveal(),
            token_type="Bearer",  # noqa: S106 - a kind, not a secret
            expires_in=token.expires_in,
            expire_time=time_of(token.expire_ms),
        )

    async def ExchangeOnboardingCode(
        self, request: messages.ExchangeOnboardingCodeRequest, context: Context
    ) -> messages.ExchangeOnboardingCodeResponse:
        """See the proto."""
        joined = await self._onboarding.join(request.code, Method.asked_for(request.method, request.public_key_pem))
        return messages.ExchangeOnboardingCodeResponse(
            credential=joined.issued.credential,
            client_secret=joined.issued.secret.reveal(),
            vendor=joined.vendor,
        )


def _require(**texts: str) -> None:
    fields = messages.IssueTokenRequest.DESCRIPTOR.fields_by_name
    found = [
        FieldViolation(str(fields[name].json_name), "required", *wording.REQUIRED)
        for name, text in texts.items()
        if not text
    ]
    if found:
        raise InvalidFields(found)
