"""A lot's life: in which states it may begin, and which steps lead on, as pure functions."""

from typing import Final

from mesh.caller import Caller, CallerKind
from mesh.instants import time_of
from parkmesh.registry.v1.lot_pb2 import (
    LOT_STATE_ACTIVE,
    LOT_STATE_CLOSED,
    LOT_STATE_DRAFT,
    LOT_STATE_PENDING,
    LOT_STATE_SUSPENDED,
    LOT_STATE_UNSPECIFIED,
    Lot,
    LotReview,
    LotState,
)

from registry.errors import InvalidField, StateNotAllowed

_FILED: Final = (LOT_STATE_DRAFT, LOT_STATE_PENDING)
_REVIEWED: Final = {
    LOT_STATE_PENDING: (LOT_STATE_ACTIVE, LOT_STATE_DRAFT, LOT_STATE_CLOSED),
    LOT_STATE_ACTIVE: (LOT_STATE_SUSPENDED, LOT_STATE_CLOSED),
    LOT_STATE_SUSPENDED: (LOT_STATE_ACTIVE, LOT_STATE_CLOSED),
    LOT_STATE_DRAFT: (LOT_STATE_CLOSED,),
}


def begin(caller: Caller, lot: Lot) -> None:
    """Gives a new lot its state, PENDING when none is stated. Only the city's own people may state more than that."""
    if lot.state == LOT_STATE_UNSPECIFIED:
        lot.state = LOT_STATE_PENDING
    if caller.kind in (CallerKind.VENDOR, CallerKind.OPERATOR) and lot.state not in _FILED:
        raise InvalidField(
            "lot.state",
            "lot.state_by_review",
            "must be DRAFT or PENDING: the supervising department decides about the rest",
            "只能为 DRAFT 或 PENDING：其余状态由监管部门审核决定",
        )


def submit(lot: Lot) -> None:
    """Files a draft. StateNotAllowed when it is none."""
    if lot.state != LOT_STATE_DRAFT:
        raise _not_allowed(lot)
    lot.state = LOT_STATE_PENDING


def review(caller: Caller, lot: Lot, state: LotState.ValueType, comment: str, now_ms: int) -> None:
    """Records a decision. StateNotAllowed when no step leads there; InvalidField without a word on why."""
    if state not in _REVIEWED.get(lot.state, ()):
        raise _not_allowed(lot)
    if state != LOT_STATE_ACTIVE and not comment.strip():
        raise InvalidField(
            "comment", "required", "must say why, for everything but the state ACTIVE", "除启用外必须填写意见"
        )
    lot.state = state
    reviewer = caller.account or caller.credential
    lot.review.CopyFrom(LotReview(state=state, comment=comment, reviewer=reviewer, review_time=time_of(now_ms)))


def _not_allowed(lot: Lot) -> StateNotAllowed:
    return StateNotAllowed(LotState.Name(lot.state).removeprefix("LOT_STATE_"))
