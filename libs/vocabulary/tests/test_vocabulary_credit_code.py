"""Credit codes: the shared vectors, the pilot codes, and every slip that the check catches."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vocabulary.credit_code import ALPHABET, CreditCode, CreditCodeRule, check_character, parse
from vocabulary.refusal import Refusal

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "vectors" / "uscc-valid.txt"
PILOTS = ["91350100M0001TGQXM", "91350211M0000XUF46", "91350203M0001FUE2P", "91350203M0001QAY9B"]
GOOD = "91350200MA2YJ1XR9G"


def refused(text: str) -> CreditCodeRule:
    with pytest.raises(Refusal) as found:
        parse(text)
    rule = found.value.rule
    assert isinstance(rule, CreditCodeRule)
    assert found.value.english
    assert found.value.chinese
    return rule


def slips(code: str) -> list[str]:
    """Every wrong character and every swap of two unequal neighbours."""
    wrong = [code[:at] + other + code[at + 1 :] for at in range(len(code)) for other in ALPHABET if other != code[at]]
    pairs = [at for at in range(len(code) - 1) if code[at] != code[at + 1]]
    return wrong + [code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in pairs]


@pytest.mark.shared
def test_the_shared_vectors_hold() -> None:
    codes = VECTORS.read_text(encoding="utf-8").split()
    assert codes
    for code in codes:
        assert parse(code) == CreditCode(code, legacy_pilot=False)


@pytest.mark.shared
def test_every_slip_in_a_shared_vector_is_refused() -> None:
    for code in VECTORS.read_text(encoding="utf-8").split():
        for slip in slips(code):
            refused(slip)


BODIES = st.from_regex(r"\A[1-9AN][1-9][0-9]{6}[0-9A-HJ-NP-RTUWXY]{9}\Z").filter(lambda body: body[8:10] != "M0")


@settings(deadline=None)
@given(BODIES)
def test_every_body_has_one_check_character(body: str) -> None:
    code = body + check_character(body)
    assert parse(code) == CreditCode(code, legacy_pilot=False)
    for other in set(ALPHABET) - {code[-1]}:
        assert refused(body + other) in {CreditCodeRule.CHECK, CreditCodeRule.ORGANISATION}


@pytest.mark.parametrize("code", PILOTS)
def test_pilot_codes_are_flagged(code: str) -> None:
    assert parse(code) == CreditCode(code, legacy_pilot=True)


def test_a_code_of_the_pilot_shape_that_keeps_the_standard_is_not_flagged() -> None:
    assert parse("91350100M000100Y43") == CreditCode("91350100M000100Y43", legacy_pilot=False)


@pytest.mark.parametrize("code", PILOTS)
def test_what_a_pilot_code_cannot_catch_is_what_is_documented(code: str) -> None:
    def counts(text: str) -> int:
        return int(text, 36) % 11

    for at in range(len(code)):
        for other in ALPHABET:
            slip = code[:at] + other + code[at + 1 :]
            lawful = (
                at in {0, 1, 17}
                or (at in range(4, 8) and other.isdigit())
                or (at in range(10, 16) and counts(other) == counts(code[at]))
                or slip == code
            )
            # Once in 31 a slip meets the standard's own check; it is then no pilot code at all.
            if lawful or (slip[2:8].isdigit() and slip[-1] == check_character(slip[:-1])):
                assert parse(slip).text == slip
            else:
                refused(slip)


@pytest.mark.parametrize(
    "code",
    [
        "91440100M0001TGQXM",  # not of Fujian
        "91350200MA2YJ1XR9H",  # nationwide pool: the wrong check character is an error
        "91350100M0001TGQ1M",  # the organisation code is wrong too
    ],
)
def test_the_pilot_door_is_narrow(code: str) -> None:
    assert refused(code) in {CreditCodeRule.CHECK, CreditCodeRule.ORGANISATION}


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("", CreditCodeRule.LENGTH),
        (GOOD[:-1], CreditCodeRule.LENGTH),
        (GOOD + "0", CreditCodeRule.LENGTH),
        (GOOD * 1000, CreditCodeRule.LENGTH),
        ("9135O200MA2YJ1XR9G", CreditCodeRule.ALPHABET),
        ("91350200MA2YJ1XR-G", CreditCodeRule.ALPHABET),
        ("91350200MA2YJ1XR莆G", CreditCodeRule.ALPHABET),
        ("9135A200MA2YJ1XR9G", CreditCodeRule.DIVISION),
        ("91350200MA2YJ1XR8G", CreditCodeRule.ORGANISATION),
        ("91350300MA2YJ1XR9G", CreditCodeRule.CHECK),
        ("91350200MA2YJ1XR9T", CreditCodeRule.CHECK),
    ],
)
def test_what_is_wrong(code: str, rule: CreditCodeRule) -> None:
    assert refused(code) is rule


def test_a_wrong_character_is_told_by_its_place_and_never_shown() -> None:
    with pytest.raises(Refusal) as found:
        parse("9135O200MA2YJ1XR9G")
    assert found.value.facts == {"position": 5}
    assert "position 5" in found.value.english
    assert "第5位" in found.value.chinese


@pytest.mark.parametrize(
    "raw", [" 91350200 MA2YJ1XR9G\n", "91350200ma2yj1xr9g", "９１３５０２００ＭＡ２ＹＪ１ＸＲ９Ｇ"]
)
def test_normalisation(raw: str) -> None:
    assert parse(raw).text == GOOD


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_refused(raw: str) -> None:
    try:
        code = parse(raw)
    except Refusal:
        return
    assert parse(code.text) == code
