"""The accounts of people."""

from typing import TypeVar

from mesh.boundary import Context
from mesh.caller import current
from mesh.instants import time_of
from parkmesh.registry.v1 import account_pb2, account_service_pb2_grpc
from parkmesh.registry.v1 import account_service_pb2 as messages

from registry.identity.accounts import Accounts, Invited
from registry.servicers.requests import next_token, place


class AccountServicer(account_service_pb2_grpc.AccountServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def CreateAccount(
        self, request: messages.CreateAccountRequest, context: Context
    ) -> messages.CreateAccountResponse:
        """See the proto."""
        invited = await self._accounts.create(current(), request.account, request.reason)
        return _with_code(messages.CreateAccountResponse(account=invited.account), invited)

    async def GetAccount(self, request: messages.GetAccountRequest, context: Context) -> account_pb2.Account:
        """See the proto."""
        return await self._accounts.account(request.account_id)

    async def ListAccounts(
        self, request: messages.ListAccountsRequest, context: Context
    ) -> messages.ListAccountsResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._accounts.list(after, size + 1)
        return messages.ListAccountsResponse(
            accounts=found[:size], next_page_token=next_token(request, size, [each.account_id for each in found])
        )

    async def UpdateAccount(self, request: messages.UpdateAccountRequest, context: Context) -> account_pb2.Account:
        """See the proto."""
        return await self._accounts.update(
            current(), request.account_id, request.account, request.update_mask, request.reason
        )

    async def LockAccount(self, request: messages.LockAccountRequest, context: Context) -> account_pb2.Account:
        """See the proto."""
        return await self._accounts.lock(current(), request.account_id, request.reason)

    async def UnlockAccount(self, request: messages.UnlockAccountRequest, context: Context) -> account_pb2.Account:
        """See the proto."""
        return await self._accounts.unlock(current(), request.account_id, request.reason)

    async def CloseAccount(self, request: messages.CloseAccountRequest, context: Context) -> account_pb2.Account:
        """See the proto."""
        return await self._accounts.close(current(), request.account_id, request.reason)

    async def ResetAccount(
        self, request: messages.ResetAccountRequest, context: Context
    ) -> messages.ResetAccountResponse:
        """See the proto."""
        invited = await self._accounts.reset(current(), request.account_id, request.reason)
        return _with_code(messages.ResetAccountResponse(account=invited.account), invited)

    async def ConfirmAccount(
        self, request: messages.ConfirmAccountRequest, context: Context
    ) -> messages.ConfirmAccountResponse:
        """See the proto."""
        invited = await self._accounts.confirm(current(), request.account_id, request.reason)
        return _with_code(messages.ConfirmAccountResponse(account=invited.account), invited)


A = TypeVar("A", messages.CreateAccountResponse, messages.ResetAccountResponse, messages.ConfirmAccountResponse)


def _with_code(answer: A, invited: Invited) -> A:
    if invited.code is not None:
        answer.activation_code = invited.code.text.reveal()
        answer.expire_time.CopyFrom(time_of(invited.code.expire_ms))
    return answer
