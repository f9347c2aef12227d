"""The unified social credit code (统一社会信用代码) of GB 32100-2015 that names an operator.

Eighteen characters: registering department, class, six digits of division, nine of organisation code (GB 11714) and a
check character. The check character catches every single wrong character and every swap of two neighbours.

Early pilot codes (早期试点代码) of Fuzhou and Xiamen are lawful though their check character is not the standard's.
They are known by a division of Fujian (35) and an organisation code that begins with M0 and is right in itself;
nationwide codes begin with MA or a digit. In a code of that shape these errors cannot be caught: in positions 1, 2, 5
to 8 and 18 any, in positions 11 to 16 one that keeps the organisation code's own sum modulo 11 (0, B, M and X, say,
count the same). That is why they are flagged and a person looks at them.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from vocabulary.refusal import Refusal, Rule

LENGTH: Final = 18
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The standard's 31 characters, each counting its place: no I, O, S, V, Z."""

_WEIGHTS: Final = tuple(pow(3, at, 31) for at in range(LENGTH - 1))
_ORGANISATION: Final = slice(8, 17)
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


class CreditCodeRule(Rule):
    """What `parse` can find wrong, in the order in which it looks."""

    LENGTH = ("credit_code.length", "has 18 characters", "应为18位")
    ALPHABET = (
        "credit_code.alphabet",
        "has only digits and capital letters without I, O, S, V and Z; position {position} has another character",
        "只含数字和除I、O、S、V、Z以外的大写字母，第{position}位不符",
    )
    DIVISION = (
        "credit_code.division",
        "positions 3 to 8 are the digits of the registering authority's division",
        "第3至8位为登记管理机关行政区划码，应为数字",
    )
    ORGANISATION = (
        "credit_code.organisation",
        "positions 9 to 17 are an organisation code whose own check character fits (GB 11714); look for the slip there",
        "第9至17位主体标识码（组织机构代码）校验不符（GB 11714），请核对该段",
    )
    CHECK = (
        "credit_code.check",
        "the last character is the check character of the others (GB 32100-2015); look at positions 1 to 8 and 18",
        "第18位校验码不符（GB 32100-2015），请核对第1至8位和第18位",
    )


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A code in canonical form."""

    text: str
    """Eighteen capital characters."""
    legacy_pilot: bool
    """Whether it is lawful only as an early pilot code of Fujian, and a person should look at it."""


def parse(raw: str) -> CreditCode:
    """The code that a text names; raises `Refusal` with a `CreditCodeRule` when it names none.

    Full-width characters are read as plain ones, small letters as capitals, and blanks are dropped; nothing else is
    corrected. When the check character fails, the organisation code inside tells in which half to look. When it fits,
    the organisation code is not held against the text: the standard's own check has the last word.
    """
    text = "".join(unicodedata.normalize("NFKC", raw).upper().split()) if len(raw) <= 2 * LENGTH else raw
    if len(text) != LENGTH:
        raise Refusal(CreditCodeRule.LENGTH)
    for position, character in enumerate(text, start=1):
        if character not in ALPHABET:
            raise Refusal(CreditCodeRule.ALPHABET, position=position)
    if not text[2:8].isdigit():
        raise Refusal(CreditCodeRule.DIVISION)
    if text[-1] == check_character(text[:-1]):
        return CreditCode(text, legacy_pilot=False)
    if not _organisation_fits(text[_ORGANISATION]):
        raise Refusal(CreditCodeRule.ORGANISATION)
    if text[2:4] == "35" and text[8:10] == "M0":
        return CreditCode(text, legacy_pilot=True)
    raise Refusal(CreditCodeRule.CHECK)


def check_character(body: str) -> str:
    """The check character of the first seventeen; raises ValueError unless they are seventeen of `ALPHABET`."""
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def _organisation_fits(code: str) -> bool:
    total = sum(int(character, 36) * weight for character, weight in zip(code[:-1], _ORGANISATION_WEIGHTS, strict=True))
    return code[-1] == "0123456789X"[-total % 11]
