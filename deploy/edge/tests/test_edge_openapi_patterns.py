"""RE2 and ECMA-262: where they differ."""

import pytest
from edge.openapi.patterns import ecma, literal


@pytest.mark.parametrize(
    ("re2", "expected"),
    [
        ("^[A-Za-z0-9_-]{1,64}$", "^[A-Za-z0-9_-]{1,64}$"),
        (r"\s", r"[\t\n\f\r ]"),
        (r"[^\s\p{Cc}]", r"[^\t\n\f\r \p{Cc}]"),
        (r"\S+", r"[^\t\n\f\r ]+"),
        (r"\pL\PN", r"\p{L}\P{N}"),
        (r"\A.*\z", r"^[^\n]*$"),
        (r"[.]", r"[.]"),
        (r"(?P<year>\d{4})-(?:x)", r"(?<year>\d{4})-(?:x)"),
        (r"\x{10FFFF}\x00\a", r"\u{10FFFF}\x00\x07"),
        (r"\_\-\.[\-\]]", r"_-\.[\-\]]"),
        (r"a\/b", r"a\/b"),
        ("[[]", r"[\[]"),
    ],
)
def test_a_pattern_is_translated(re2: str, expected: str) -> None:
    assert ecma(re2) == expected


@pytest.mark.parametrize("re2", ["(?i)a", "[[:alpha:]]", r"[\S]", r"\C", r"\Qa\E"])
def test_what_cannot_be_said_is_refused(re2: str) -> None:
    with pytest.raises(ValueError, match="ECMA-262"):
        ecma(re2)


def test_a_text_is_a_pattern_of_itself() -> None:
    assert literal("a.b(c)闽") == r"a\.b\(c\)闽"
