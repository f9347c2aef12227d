"""Money: fen and yuan text are two spellings of one whole number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary import money


@given(st.integers(money.MIN_FEN, money.MAX_FEN))
def test_round_trip(fen: int) -> None:
    assert money.parse_yuan(money.yuan_text(fen)) == fen


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (-30, "-0.30"), (1205, "12.05"), (2**31 - 1, "21474836.47"), (-(2**31), "-21474836.48")],
)
def test_text(fen: int, text: str) -> None:
    assert money.yuan_text(fen) == text


@pytest.mark.parametrize(("text", "fen"), [("12", 1200), ("12.5", 1250), ("-0.3", -30), ("-0", 0)])
def test_short_text(text: str, fen: int) -> None:
    assert money.parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text", ["", ".5", "5.", "05", "+1", "1.005", "1,000", " 1", "1\n", "1e2", "１", "21474836.48", "999999999"]
)
def test_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"fen|yuan"):
        money.parse_yuan(text)


def test_bounds_and_whole_numbers() -> None:
    for fen in (money.MAX_FEN + 1, money.MIN_FEN - 1):
        with pytest.raises(ValueError, match="int32"):
            money.checked(fen)
    for value in (1.0, True, "1"):
        with pytest.raises(TypeError, match="whole number"):
            money.checked(value)  # type: ignore[arg-type]
