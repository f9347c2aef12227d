"""When a refusal counts as the answer to a revocation, and when a trial is void."""

import asyncio
import itertools
import time

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from .ledger import Void
from .records import Place
from .revocation import Trial, refused_after, require_refusal, was_accepted

PLACE = Place("lot_1", "1", "1", 1)


@pytest.fixture
def trial() -> Trial:
    return Trial("trial", PLACE, itertools.count())


def accept(trial: Trial, count: int = 3) -> None:
    for _ in range(count):
        trial.answered(time.monotonic(), accepted=True)


def test_a_refusal_before_the_right_is_known_counts_for_nothing(trial: Trial) -> None:
    trial.answered(time.monotonic(), accepted=False)
    sent_s = time.monotonic()
    accept(trial)
    trial.answered(sent_s, accepted=False)
    assert not trial.refused.is_set()
    trial.answered(time.monotonic(), accepted=False)
    assert trial.refused.is_set()


def test_what_was_sent_before_the_first_refusal_may_still_be_accepted(trial: Trial) -> None:
    accept(trial)
    sent_s = time.monotonic()
    trial.answered(time.monotonic(), accepted=False)
    trial.answered(sent_s, accepted=True)
    assert trial.accepted == 4


def test_what_is_sent_after_a_refusal_and_accepted_makes_a_trial_void(trial: Trial) -> None:
    accept(trial)
    trial.answered(time.monotonic(), accepted=False)
    with pytest.raises(Void):
        trial.answered(time.monotonic(), accepted=True)


async def test_a_refusal_before_the_revocation_is_answered_took_no_time(trial: Trial) -> None:
    revoked = asyncio.Event()

    async def sending() -> None:
        accept(trial)
        await revoked.wait()
        trial.answered(time.monotonic(), accepted=False)
        await trial.over.wait()

    async def revoke() -> None:
        revoked.set()
        await trial.refused.wait()

    assert await refused_after(revoke, trial, sending()) == 0


async def test_a_vendor_that_stops_makes_a_trial_void(trial: Trial) -> None:
    async def sending() -> None:
        accept(trial)

    async def revoke() -> None:
        await asyncio.sleep(0)

    with pytest.raises(Void):
        await refused_after(revoke, trial, sending())


def test_only_a_lot_that_is_not_found_is_the_refusal_of_a_grant() -> None:
    def refused(reason: reasons.ErrorReason.ValueType) -> messages.UploadRecordsResponse:
        return messages.UploadRecordsResponse(rejected=1, items=[messages.ItemResult(reason=reason)])

    assert was_accepted(messages.UploadRecordsResponse(accepted=1))
    assert not was_accepted(refused(reasons.ERROR_REASON_LOT_NOT_FOUND))
    with pytest.raises(Void):
        was_accepted(refused(reasons.ERROR_REASON_INVALID_FIELD))


def test_only_unauthenticated_is_the_refusal_of_a_credential() -> None:
    require_refusal(AioRpcError(grpc.StatusCode.UNAUTHENTICATED, Metadata(), Metadata()))
    with pytest.raises(Void):
        require_refusal(AioRpcError(grpc.StatusCode.UNAVAILABLE, Metadata(), Metadata()))
