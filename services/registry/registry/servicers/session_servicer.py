"""The sessions of people."""

from mesh.boundary import Context
from mesh.caller import current
from parkmesh.registry.v1 import session_service_pb2 as messages
from parkmesh.registry.v1 import session_service_pb2_grpc

from registry.identity.sessions import Sessions


class SessionServicer(session_service_pb2_grpc.SessionServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def ActivateAccount(
        self, request: messages.ActivateAccountRequest, context: Context
    ) -> messages.ActivateAccountResponse:
        """See the proto."""
        activated = await self._sessions.activate(request.activation_code, request.password)
        return messages.ActivateAccountResponse(
            login=activated.login,
            totp_secret=activated.totp_secret.reveal(),
            totp_uri=activated.totp_uri.reveal(),
        )

    async def Login(self, request: messages.LoginRequest, context: Context) -> messages.LoginResponse:
        """See the proto."""
        opened = await self._sessions.login(request.login, request.password, request.totp)
        return messages.LoginResponse(
            credential=opened.issued.credential,
            client_secret=opened.issued.secret.reveal(),
            access_token=opened.token.text.reveal(),
            expires_in=opened.token.expires_in,
        )

    async def Logout(self, request: messages.LogoutRequest, context: Context) -> messages.LogoutResponse:
        """See the proto."""
        await self._sessions.logout(current())
        return messages.LogoutResponse()

    async def ChangePassword(
        self, request: messages.ChangePasswordRequest, context: Context
    ) -> messages.ChangePasswordResponse:
        """See the proto."""
        await self._sessions.change_password(current(), request.password, request.new_password, request.totp)
        return messages.ChangePasswordResponse()
