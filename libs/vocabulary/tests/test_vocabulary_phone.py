"""Telephone numbers: every kind in many spellings, one canonical form, and errors that say which shape is expected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary.phone import Phone, PhoneKind, PhoneRule, parse
from vocabulary.refusal import Refusal

NUMBERS = {
    PhoneKind.MOBILE: r"\A1[3-9][0-9]{9}\Z",
    PhoneKind.LANDLINE: r"\A0(594[2-8][0-9]{6}|10[2-8][0-9]{7}|2[0-9][2-8][0-9]{7}|[35679][0-9]0[2-8][0-9]{6,7})\Z",
    PhoneKind.SERVICE_400: r"\A400[0-9]{7}\Z",
    PhoneKind.FREE_800: r"\A800[0-9]{7}\Z",
}
FULL_WIDTH = str.maketrans("0123456789+-", "０１２３４５６７８９＋－")


def refused(raw: str) -> PhoneRule:
    with pytest.raises(Refusal) as found:
        parse(raw)
    rule = found.value.rule
    assert isinstance(rule, PhoneRule)
    return rule


@pytest.mark.parametrize("kind", NUMBERS)
def test_every_number_of_a_kind_in_every_spelling(kind: PhoneKind) -> None:
    @given(st.from_regex(NUMBERS[kind]), st.sampled_from(["", "+86", "+86 ", "+86-", "0086", "0086-"]), st.booleans())
    def check(digits: str, country: str, wide: bool) -> None:
        expected = Phone(f"+86{digits.removeprefix('0')}", kind)
        spelled = country + digits
        assert parse(spelled.translate(FULL_WIDTH) if wide else spelled) == expected
        assert parse(" ".join(spelled)) == expected
        assert parse(expected.text) == expected
        if country:
            assert parse(country + digits.removeprefix("0")) == expected

    check()


@pytest.mark.parametrize(
    ("raw", "text", "kind"),
    [
        ("0594-2692000", "+865942692000", PhoneKind.LANDLINE),
        ("(0594) 2692000", "+865942692000", PhoneKind.LANDLINE),
        ("（0594）2692000", "+865942692000", PhoneKind.LANDLINE),
        ("0594–269–2000", "+865942692000", PhoneKind.LANDLINE),
        ("+86 (0)594 2692000", "+865942692000", PhoneKind.LANDLINE),
        ("010-65432100", "+861065432100", PhoneKind.LANDLINE),
        ("138-0013-8000", "+8613800138000", PhoneKind.MOBILE),
        ("400-123-4567", "+864001234567", PhoneKind.SERVICE_400),
        ("800 810 8888", "+868008108888", PhoneKind.FREE_800),
        ("0594-2692000转801", "+865942692000;ext=801", PhoneKind.LANDLINE),
        ("0594-2692000 转 801", "+865942692000;ext=801", PhoneKind.LANDLINE),
        ("0594-2692000-801", "+865942692000;ext=801", PhoneKind.LANDLINE),
        ("+86-594-2692000-8", "+865942692000;ext=8", PhoneKind.LANDLINE),
        ("0594-2692000 ext. 801", "+865942692000;ext=801", PhoneKind.LANDLINE),
        ("0594-2692000x801", "+865942692000;ext=801", PhoneKind.LANDLINE),
        ("0594-2692000#801", "+865942692000;ext=801", PhoneKind.LANDLINE),
        ("0594-2692000，801", "+865942692000;ext=801", PhoneKind.LANDLINE),
        ("400-123-4567-2", "+864001234567;ext=2", PhoneKind.SERVICE_400),
    ],
)
def test_spellings(raw: str, text: str, kind: PhoneKind) -> None:
    phone = parse(raw)
    assert (phone.text, phone.kind) == (text, kind)
    assert parse(phone.text) == phone


SHORT = """
    110 114 119 120 122 12345 12315 12328 12319 10086 116114 118114 95598 95188 950718 95105888 96968 968111
"""


@pytest.mark.parametrize("digits", SHORT.split())
def test_short_numbers_stay_as_they_are(digits: str) -> None:
    assert parse(f" {digits[:3]}-{digits[3:]}") == Phone(digits, PhoneKind.SHORT)
    assert refused("+86" + digits) is PhoneRule.COUNTRY
    assert refused(digits + "转1") is PhoneRule.EXTENSION


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("", PhoneRule.SHAPE),
        ("电话", PhoneRule.SHAPE),
        ("0594/2692000", PhoneRule.SHAPE),
        ("0594-2692000;0594-2692001", PhoneRule.SHAPE),
        ("++8613800138000", PhoneRule.COUNTRY),
        ("7", PhoneRule.SHAPE),
        ("٠٥٩٤٢٦٩٢٠٠٠", PhoneRule.SHAPE),
        ("0" * 41, PhoneRule.SHAPE),
        ("+1 212 555 0100", PhoneRule.COUNTRY),
        ("+85221234567", PhoneRule.COUNTRY),
        ("0085221234567", PhoneRule.COUNTRY),
        ("1380013800", PhoneRule.MOBILE),
        ("138001380000", PhoneRule.MOBILE),
        ("+861380013800", PhoneRule.MOBILE),
        ("013800138000", PhoneRule.LANDLINE),
        ("0594-269200", PhoneRule.LANDLINE),
        ("0594-26920000", PhoneRule.LANDLINE),
        ("0594-1692000", PhoneRule.LANDLINE),
        ("010-6543210", PhoneRule.LANDLINE),
        ("0400-2345678", PhoneRule.LANDLINE),
        ("0800-2345678", PhoneRule.LANDLINE),
        ("0400-23456789", PhoneRule.LANDLINE),
        ("+8680023456789", PhoneRule.SERVICE),
        ("2692000", PhoneRule.AREA_CODE),
        ("87654321", PhoneRule.AREA_CODE),
        ("5942692000", PhoneRule.AREA_CODE),
        ("400-123-456", PhoneRule.SERVICE),
        ("800-123-45678", PhoneRule.SERVICE),
        ("11", PhoneRule.SHORT),
        ("1100", PhoneRule.SHORT),
        ("9", PhoneRule.SHAPE),
        ("9512", PhoneRule.SHORT),
        ("9512345", PhoneRule.SHORT),
        ("96123456", PhoneRule.SHORT),
        ("0594-2692000转", PhoneRule.EXTENSION),
        ("0594-2692000转1234567", PhoneRule.EXTENSION),
        ("0594-2692000转a", PhoneRule.EXTENSION),
        ("13800138000转1", PhoneRule.EXTENSION),
    ],
)
def test_what_is_expected(raw: str, rule: PhoneRule) -> None:
    assert refused(raw) is rule


@given(st.text(alphabet="0123456789+-()转X#, 594", max_size=24) | st.text(max_size=24))
def test_any_text_is_a_number_or_refused_and_what_is_read_is_canonical(raw: str) -> None:
    try:
        phone = parse(raw)
    except Refusal:
        return
    assert parse(phone.text) == phone
    assert phone.text.isascii()
