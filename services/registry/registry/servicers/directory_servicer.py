"""What the other services watch."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from google.protobuf.message import Message
from mesh.boundary import Context
from parkmesh.registry.v1 import directory_service_pb2 as messages
from parkmesh.registry.v1 import directory_service_pb2_grpc
from parkmesh.registry.v1.account_pb2 import ACCOUNT_STATE_ACTIVE, Account

from registry.history.feed import Feed
from registry.storage.kinds import BY_NAME, BY_NUMBER
from registry.storage.reader import Page


class DirectoryServicer(directory_service_pb2_grpc.DirectoryServiceServicer):
    """As the proto says."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def WatchDirectory(
        self, request: messages.WatchDirectoryRequest, context: Context
    ) -> AsyncIterator[messages.WatchDirectoryResponse]:
        """See the proto."""
        # A kind that this registry does not know has no facts; it must not read as "all kinds".
        kinds = [BY_NUMBER[number].name if number in BY_NUMBER else "" for number in request.kinds]
        async with aclosing(self._feed.watch(request.epoch, request.since_revision, kinds)) as pages:
            async for page in pages:
                yield _response(page)


def _response(page: Page) -> messages.WatchDirectoryResponse:
    return messages.WatchDirectoryResponse(
        epoch=page.epoch,
        revision=page.revision,
        snapshot=page.snapshot,
        synced=page.complete,
        changes=[_change(name, body) for name, body in page.facts],
    )


def _change(name: str, body: bytes) -> messages.DirectoryChange:
    change = messages.DirectoryChange()
    message = BY_NAME[name].message.FromString(body)
    fact: Message = getattr(change, name)
    fact.CopyFrom(_without_person(message) if isinstance(message, Account) else message)
    return change


def _without_person(account: Account) -> messages.DirectoryAccount:
    return messages.DirectoryAccount(
        account_id=account.account_id,
        role=account.role,
        active=account.state == ACCOUNT_STATE_ACTIVE,
        lot_ids=account.lot_ids,
    )
