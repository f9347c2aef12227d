"""Every method × every field that names something × (one's own, another's, nobody's, malformed), for whoever may call.

The methods and fields come from the descriptors: a new method is in the matrix the moment it is in a proto,
and an id that does not say what it names fails it.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from local_platform.testing import RunningPlatform
from mesh import contract
from mesh.caller import CallerKind

from tests.platform.matrix import MALFORMED, UNKNOWN, Place, places, put, request, unnamed_ids
from tests.platform.parties import Parties, Party, settled

PARTISANS = (CallerKind.VENDOR, CallerKind.OPERATOR, CallerKind.DEVICE, CallerKind.COLLECTOR)
CITY = frozenset(CallerKind) - {*PARTISANS, CallerKind.SERVICE}
"""Who sees everybody's, or nothing that is anybody's."""

LAWFUL_REFUSALS = {
    "SubmitLot": {"STATE_NOT_ALLOWED"},
    "GetSurvey": {"RESOURCE_NOT_FOUND"},
    "DownloadExport": {"STATE_NOT_ALLOWED"},
}
"""What a method may answer to a lawful request about one's own: the lot is no draft, no survey was made, nobody has
approved the export."""
ENDS_THE_CALLER = {"RevokeCredential"}
"""Not called with one's own id here: `tests/scenarios` follows a credential to its end."""
CHOSEN = {
    ("UploadRecords", "record_id"),
    ("StreamRecords", "record_id"),
    ("UploadRevisions", "record_id"),
    ("CorrectRecord", "record_id"),
    ("VoidRecord", "record_id"),
    ("ImportSurvey", "survey_id"),
    ("CreateGate", "gate_id"),
    ("CreateDevice", "device_id"),
    ("CreateBerth", "berth_id"),
}
"""Ids that the sender chooses: those of others are free. A revision may come before its record."""
NEW = "(matrix-|[bdgm])[0-9]+"
"""What `matrix.request` makes up, anew for every request."""
VARIES = {
    "createTime",
    "updateTime",
    "etag",
    "serverTime",
    "asOfTime",
    "exportId",
    "acceptTime",
    "requestId",
    "position",
    "settledTime",
    "closeTime",
    "name",
    "nextPageToken",
}


@pytest.fixture(scope="module")
async def parties(platform: RunningPlatform) -> AsyncIterator[Parties]:
    async with settled(platform) as parties:
        yield parties


def test_every_id_says_what_it_names_and_every_method_who_may_call() -> None:
    assert unnamed_ids() == []
    for method in contract.methods():
        assert contract.is_public(method) or contract.kinds_of(method), method.full_name
    assert len(places(CallerKind.VENDOR)) >= 75


@pytest.mark.parametrize("kind", PARTISANS, ids=lambda kind: kind.value)
async def test_anothers_is_as_unknown_as_nobodys(parties: Parties, kind: CallerKind) -> None:
    for place in places(kind):
        if (place.method.name, place.path[-1]) in CHOSEN:
            continue
        others = await told(parties, kind, place, parties.other[kind].ids.get(place.resource, ""))
        nobodys = await told(parties, kind, place, UNKNOWN)
        assert others == nobodys, f"{place}: {others} is not {nobodys}"


@pytest.mark.parametrize("kind", PARTISANS, ids=lambda kind: kind.value)
async def test_ones_own_is_found(parties: Parties, kind: CallerKind) -> None:
    for place in places(kind):
        if place.method.name not in ENDS_THE_CALLER:
            reason, _ = await answer(
                parties, parties.own[kind], place.method, request(place.method, parties.own[kind].ids)
            )
            assert reason == "" or reason in LAWFUL_REFUSALS.get(place.method.name, ()), f"{place}: {reason}"


@pytest.mark.parametrize("kind", PARTISANS, ids=lambda kind: kind.value)
async def test_what_no_id_can_be_is_named(parties: Parties, kind: CallerKind) -> None:
    for place in places(kind):
        reason, body = await told(parties, kind, place, MALFORMED)
        field = "".join(part.capitalize() for part in place.path[-1].split("_"))
        assert reason == "INVALID_FIELD" or "INVALID_FIELD" in str(body), f"{place}: {reason}"
        assert field[0].lower() + field[1:] in str(body), f"{place}: {body}"


@pytest.mark.parametrize("kind", PARTISANS, ids=lambda kind: kind.value)
async def test_methods_for_others_are_refused(parties: Parties, kind: CallerKind) -> None:
    for method in contract.methods():
        kinds = contract.kinds_of(method)
        if kind not in kinds and kinds & CITY and not contract.is_public(method):
            reason, _ = await answer(parties, parties.own[kind], method, GetMessageClass(method.input_type)())
            assert reason == "METHOD_NOT_ALLOWED", f"{method.full_name}: {reason}"


async def told(parties: Parties, kind: CallerKind, place: Place, value: str) -> tuple[str, Any]:
    """The reason of a refusal, and all else that an answer says about this id, the id itself blotted out."""
    asked = request(place.method, parties.own[kind].ids)
    put(asked, place.path, value)
    reason, body = await answer(parties, parties.own[kind], place.method, asked)
    return reason, blotted(body, value)


async def answer(parties: Parties, party: Party, method: Any, asked: Any) -> tuple[str, Any]:
    """The reason of a refusal (empty: none) and the answer as JSON."""
    assert error_details_pb2.DESCRIPTOR  # loaded: the answer's details are of its kinds
    stream = method.client_streaming
    try:
        found = await parties.call(
            party, contract.path_of(method), asked, GetMessageClass(method.output_type), stream=stream
        )
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)
        said = json_format.MessageToDict(status) if status else {"details": [{"reason": f"bare {error.code().name}"}]}
        return said["details"][0]["reason"], said
    return "", json_format.MessageToDict(found)


def blotted(said: Any, value: str) -> Any:
    """What was said, without the id and what differs from call to call."""
    if isinstance(said, dict):
        return {key: blotted(each, value) for key, each in said.items() if key not in VARIES}
    if isinstance(said, list):
        return [blotted(each, value) for each in said]
    return "…" if said == value or (isinstance(said, str) and re.fullmatch(NEW, said)) else said


def test_the_matrix_would_notice() -> None:
    """An answer that tells another's from nobody's differs once the ids are blotted out."""
    assert blotted({"a": "x", "etag": "1"}, "x") == blotted({"a": "y", "etag": "2"}, "y")
    assert blotted({"a": "x", "b": 1}, "x") != blotted({"a": "y"}, "y")
