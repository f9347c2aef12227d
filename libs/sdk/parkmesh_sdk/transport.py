"""What gRPC and REST have in common: one request, one answer, one deadline."""

from typing import Protocol, TypeVar

from google.protobuf.message import Message

from parkmesh_sdk.method import Method

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


class Transport(Protocol):
    """A way to call the platform, usable by many tasks at once; it neither retries nor knows about tokens' lives."""

    async def call(self, method: Method[Q, A], request: Q, token: str, deadline_s: float) -> A:
        """Calls once, without a token when it is empty. PlatformError when it is refused or not answered in time."""

    async def close(self) -> None:
        """Ends its connections; calls under way are given up."""
