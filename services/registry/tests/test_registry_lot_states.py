"""The states of a lot, and who may take it from one to the next."""

import pytest
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
    LotState,
)
from registry.errors import InvalidField, StateNotAllowed
from registry.static import lot_states
from registry.testing import ADMINISTRATOR, department, operator_caller, vendor_caller

STATES = [state for state in LotState.values() if state != LOT_STATE_UNSPECIFIED]
REVIEWS = {
    (LOT_STATE_PENDING, LOT_STATE_ACTIVE),
    (LOT_STATE_PENDING, LOT_STATE_DRAFT),
    (LOT_STATE_PENDING, LOT_STATE_CLOSED),
    (LOT_STATE_ACTIVE, LOT_STATE_SUSPENDED),
    (LOT_STATE_ACTIVE, LOT_STATE_CLOSED),
    (LOT_STATE_SUSPENDED, LOT_STATE_ACTIVE),
    (LOT_STATE_SUSPENDED, LOT_STATE_CLOSED),
    (LOT_STATE_DRAFT, LOT_STATE_CLOSED),
}
NOW_MS = 4_102_444_800_007


@pytest.mark.parametrize("state", STATES, ids=LotState.Name)
@pytest.mark.parametrize("to", STATES, ids=LotState.Name)
def test_reviews_lead_exactly_where_the_table_says(state: LotState.ValueType, to: LotState.ValueType) -> None:
    lot = Lot(state=state)
    if (state, to) not in REVIEWS:
        with pytest.raises(StateNotAllowed) as refused:
            lot_states.review(department("police"), lot, to, "因故", NOW_MS)
        assert refused.value.metadata == {"state": LotState.Name(state).removeprefix("LOT_STATE_")}
        assert lot == Lot(state=state)
        return
    lot_states.review(department("police"), lot, to, "因故", NOW_MS)
    assert lot.state == lot.review.state == to
    assert (lot.review.comment, lot.review.reviewer) == ("因故", "account-police")
    assert lot.review.review_time == time_of(NOW_MS)


@pytest.mark.parametrize(("state", "to"), sorted(REVIEWS))
@pytest.mark.parametrize("comment", ["", " \u3000"])
def test_everything_but_active_needs_a_word_on_why(
    state: LotState.ValueType, to: LotState.ValueType, comment: str
) -> None:
    lot = Lot(state=state)
    if to == LOT_STATE_ACTIVE:
        lot_states.review(ADMINISTRATOR, lot, to, comment, NOW_MS)
        assert lot.state == LOT_STATE_ACTIVE
        return
    with pytest.raises(InvalidField) as refused:
        lot_states.review(ADMINISTRATOR, lot, to, comment, NOW_MS)
    assert [(violation.field, violation.rule) for violation in refused.value.fields] == [("comment", "required")]
    assert lot == Lot(state=state)


def test_a_reviewer_without_an_account_is_named_by_the_credential() -> None:
    lot = Lot(state=LOT_STATE_PENDING)
    lot_states.review(Caller(CallerKind.SUPERVISOR, "police", "client-1"), lot, LOT_STATE_ACTIVE, "", NOW_MS)
    assert lot.review.reviewer == "client-1"


@pytest.mark.parametrize("state", STATES, ids=LotState.Name)
def test_only_a_draft_is_submitted(state: LotState.ValueType) -> None:
    lot = Lot(state=state)
    if state == LOT_STATE_DRAFT:
        lot_states.submit(lot)
        assert lot.state == LOT_STATE_PENDING
    else:
        with pytest.raises(StateNotAllowed):
            lot_states.submit(lot)
        assert lot.state == state


@pytest.mark.parametrize("state", LotState.values(), ids=LotState.Name)
@pytest.mark.parametrize(
    ("caller", "may_decide"),
    [
        (vendor_caller(1), False),
        (operator_caller("operator-1"), False),
        (department("police"), True),
        (ADMINISTRATOR, True),
    ],
    ids=lambda value: value.kind.name if isinstance(value, Caller) else "",
)
def test_who_may_begin_in_which_state(caller: Caller, may_decide: bool, state: LotState.ValueType) -> None:
    lot = Lot(state=state)
    if not may_decide and state not in (LOT_STATE_UNSPECIFIED, LOT_STATE_DRAFT, LOT_STATE_PENDING):
        with pytest.raises(InvalidField) as refused:
            lot_states.begin(caller, lot)
        assert [violation.rule for violation in refused.value.fields] == ["lot.state_by_review"]
        return
    lot_states.begin(caller, lot)
    assert lot.state == (state or LOT_STATE_PENDING)
