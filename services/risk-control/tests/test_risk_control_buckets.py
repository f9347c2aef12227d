"""Token buckets: bursts, refill, isolation, bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk_control.buckets import Buckets


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    buckets = Buckets(burst_seconds=2)
    assert [buckets.take("a", 5, 0.0) for _ in range(10)] == [0] * 10
    assert buckets.take("a", 5, 0.0) == 200
    assert buckets.take("a", 5, 0.1) == 100
    assert buckets.take("a", 5, 0.2) == 0
    assert buckets.take("a", 5, 0.2) > 0


def test_one_name_does_not_spend_for_another() -> None:
    buckets = Buckets(burst_seconds=1)
    assert buckets.take("a", 1, 0.0) == 0
    assert buckets.take("a", 1, 0.0) > 0
    assert buckets.take("b", 1, 0.0) == 0


def test_a_slow_rate_still_lets_one_request_through() -> None:
    buckets = Buckets(burst_seconds=1)
    assert buckets.take("a", 0.1, 0.0) == 0
    assert buckets.take("a", 0.1, 0.0) == 10_000


def test_the_name_that_was_silent_longest_is_forgotten() -> None:
    buckets = Buckets(burst_seconds=1, remembered=2)
    for name in ("a", "b", "c"):
        assert buckets.take(name, 1, 0.0) == 0
    assert buckets.take("c", 1, 0.0) > 0
    assert buckets.take("b", 1, 0.0) > 0
    assert buckets.take("a", 1, 0.0) == 0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.sampled_from([1.0, 3.0, 10.0]))
def test_never_more_than_burst_and_rate_allow(pauses: list[float], rate: float) -> None:
    buckets, now, taken = Buckets(burst_seconds=2), 0.0, 0
    for pause in pauses:
        now += pause
        wait_ms = buckets.take("a", rate, now)
        if wait_ms == 0:
            taken += 1
        else:
            assert buckets.take("a", rate, now + wait_ms / 1000) == 0
            now += wait_ms / 1000
            taken += 1
    assert taken <= rate * 2 + now * rate + 1


@pytest.mark.parametrize("per_second", [1, 2])
def test_a_changed_rate_applies_at_once(per_second: int) -> None:
    buckets = Buckets(burst_seconds=1)
    for _ in range(100):
        assert buckets.take("a", 100, 0.0) == 0
    assert buckets.take("a", per_second, 0.0) == 1000 // per_second
