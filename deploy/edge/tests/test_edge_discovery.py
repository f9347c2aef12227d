"""The discovery service: what is sent, when, and what is not sent again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from edge import ads
from edge.ads import Discovery
from edge.resources import CLUSTER, LISTENER, SECRET, Resources, resources
from envoy_data_plane.envoy.config.cluster import v3 as cluster
from envoy_data_plane.envoy.service.discovery import v3 as discovery
from envoy_data_plane.google import rpc

Call = grpc.aio.StreamStreamCall[discovery.DiscoveryRequest, discovery.DiscoveryResponse]
Open = Callable[..., Any]
METHOD = f"/{ads.SERVICE}/{ads.METHOD}"


def clusters(*names: str) -> Resources:
    return resources({name: cluster.Cluster(name=name) for name in names})


@pytest.fixture
def refused() -> list[str]:
    """The types that were refused."""
    return []


@pytest.fixture
def plane(refused: list[str]) -> Discovery:
    """A discovery service that holds nothing yet."""
    return Discovery(refused.append)


@pytest.fixture
async def open_stream(plane: Discovery) -> AsyncIterator[Open]:
    """Opens streams to it."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((plane.handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel.stream_stream(
            METHOD, discovery.DiscoveryRequest.SerializeToString, discovery.DiscoveryResponse.FromString
        )
    await server.stop(0)


async def read(call: Call) -> discovery.DiscoveryResponse:
    answer = await asyncio.wait_for(call.read(), 5)
    assert isinstance(answer, discovery.DiscoveryResponse)
    return answer


def request(kind: str, answer: discovery.DiscoveryResponse | None = None, *names: str) -> discovery.DiscoveryRequest:
    nonce, version = (answer.nonce, answer.version_info) if answer else ("", "")
    return discovery.DiscoveryRequest(
        type_url=kind, response_nonce=nonce, version_info=version, resource_names=list(names)
    )


async def test_a_subscription_is_answered_once_and_again_on_change(plane: Discovery, open_stream: Open) -> None:
    plane.publish({CLUSTER: clusters("a")})
    call = open_stream()
    await call.write(request(CLUSTER))
    first = await read(call)
    assert [cluster.Cluster.FromString(packed.value).name for packed in first.resources] == ["a"]
    await call.write(request(CLUSTER, first))
    plane.publish({CLUSTER: clusters("a"), LISTENER: clusters("unasked")})
    plane.publish({CLUSTER: clusters("a", "b")})
    second = await read(call)
    assert len(second.resources) == 2
    assert (second.nonce, second.version_info) != (first.nonce, first.version_info)


async def test_what_does_not_exist_yet_is_sent_when_it_does(plane: Discovery, open_stream: Open) -> None:
    call = open_stream()
    await call.write(request(SECRET, None, "server"))
    plane.publish({CLUSTER: clusters("a")})
    await call.write(request(CLUSTER))
    assert (await read(call)).type_url == CLUSTER
    plane.publish({CLUSTER: clusters("a"), SECRET: clusters("other", "server")})
    answer = await read(call)
    assert (answer.type_url, len(answer.resources)) == (SECRET, 1)


async def test_a_changed_subscription_is_answered(plane: Discovery, open_stream: Open) -> None:
    plane.publish({CLUSTER: clusters("a", "b")})
    call = open_stream()
    await call.write(request(CLUSTER, None, "a"))
    first = await read(call)
    assert len(first.resources) == 1
    await call.write(request(CLUSTER, first, "a", "b"))
    assert len((await read(call)).resources) == 2


async def test_a_refusal_is_reported_and_not_sent_again_until_it_differs(
    plane: Discovery, refused: list[str], open_stream: Open
) -> None:
    plane.publish({CLUSTER: clusters("a")})
    call = open_stream()
    await call.write(request(CLUSTER))
    first = await read(call)
    refusal = request(CLUSTER, first)
    refusal.error_detail = rpc.Status(code=3, message="no")
    refusal.version_info = ""
    await call.write(refusal)
    async with asyncio.timeout(5):
        while not refused:  # noqa: ASYNC110 - the server notices when it does
            await asyncio.sleep(0.01)
    assert refused == [CLUSTER]
    plane.publish({CLUSTER: clusters("b")})
    assert (await read(call)).version_info != first.version_info


async def test_an_answer_to_an_older_response_says_nothing(
    plane: Discovery, refused: list[str], open_stream: Open
) -> None:
    plane.publish({CLUSTER: clusters("a")})
    call = open_stream()
    await call.write(request(CLUSTER))
    first = await read(call)
    plane.publish({CLUSTER: clusters("b")})
    second = await read(call)
    late = request(CLUSTER, first)
    late.error_detail = rpc.Status(code=3, message="no")
    await call.write(late)
    await call.write(request(CLUSTER, second))
    plane.publish({CLUSTER: clusters("c")})
    await read(call)
    assert refused == []


async def test_every_envoy_is_told_and_one_that_leaves_is_forgotten(plane: Discovery, open_stream: Open) -> None:
    plane.publish({CLUSTER: clusters("a")})
    calls = [open_stream() for _ in range(3)]
    for call in calls:
        await call.write(request(CLUSTER))
        await read(call)
    calls[0].cancel()
    plane.publish({CLUSTER: clusters("b")})
    for call in calls[1:]:
        assert len((await read(call)).resources) == 1
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
    async with asyncio.timeout(5):
        while plane._streams:  # noqa: ASYNC110 - the server notices when it does
            await asyncio.sleep(0.01)


def test_versions_follow_from_the_content_alone() -> None:
    assert clusters("a", "b").version == clusters("b", "a").version
    assert clusters("a").version != clusters("b").version
    assert clusters("a", "b").version != clusters("ab").version
