"""A telephone number of mainland China in canonical form: E.164 where one exists, else the short number as it is.

Before a number is read, full-width characters become plain ones, and blanks, hyphens and brackets are dropped; a
leading 0086 or +86 is the country. Nothing else is corrected.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vocabulary.refusal import Refusal, Rule

MAX_LENGTH: Final = 40
"""How long a text may be that is read as a number, in characters."""


class PhoneKind(StrEnum):
    """What a number's digits say it is."""

    MOBILE = "MOBILE"  # 手机
    LANDLINE = "LANDLINE"  # 固定电话, with its area code
    SERVICE_400 = "SERVICE_400"  # 400电话
    FREE_800 = "FREE_800"  # 800被叫付费电话
    SHORT = "SHORT"  # 短号码: 110, 12345, 10086, 95xxx, 96xxx


class PhoneRule(Rule):
    """What `parse` can find wrong; the first digits decide which shape is expected."""

    SHAPE = (
        "phone.shape",
        "is a mobile number, a landline with its area code (0594-XXXXXXX), a 400 or 800 number, or a short number such"
        " as 12345 or 95XXX",
        "应为手机号、带区号的固定电话（0594-XXXXXXX）、400或800电话，或12345、95XXX等短号码",
    )
    COUNTRY = (
        "phone.country",
        "is a number of mainland China: the only country code is +86, and a short number goes without it",
        "应为中国内地号码：国家代码仅限+86，短号码前不加国家代码",
    )
    MOBILE = (
        "phone.mobile",
        "a mobile number has 11 digits and begins with 13 to 19",
        "手机号为11位数字，以13至19开头",
    )
    AREA_CODE = (
        "phone.area_code",
        "a landline begins with its area code, as in 0594-XXXXXXX",
        "固定电话须带区号，如0594-XXXXXXX",
    )
    LANDLINE = (
        "phone.landline",
        "a landline is an area code (0XX or 0XXX) and 7 or 8 digits that begin with 2 to 8; in Putian 0594 and 7"
        " digits, in three-digit areas 8",
        "固定电话为区号（0XX或0XXX）加以2至8开头的7或8位号码；莆田为0594加7位，三位区号加8位",
    )
    SERVICE = (
        "phone.service",
        "a 400 or 800 number has 10 digits: 400 or 800 and 7 more",
        "400、800电话为10位数字：400或800加7位",
    )
    SHORT = (
        "phone.short",
        "a short number is 110, 12345 or alike (3, 5 or 6 digits), or 95 or 96 with 3 or 4 more (95 also with 6)",
        "短号码为110、12345等（3、5或6位），或95、96加3或4位（95亦可加6位）",
    )
    EXTENSION = (
        "phone.extension",
        "only a landline or a 400 or 800 number has an extension, of 1 to 6 digits",
        "仅固定电话和400、800电话可带分机号，分机号为1至6位数字",
    )


@dataclass(frozen=True, slots=True)
class Phone:
    """A number as `parse` gives it."""

    number: str
    """E.164 with +86 for every kind but `SHORT`, which has its digits alone."""
    kind: PhoneKind
    extension: str = ""
    """分机号, up to six digits; empty when there is none."""

    @property
    def text(self) -> str:
        """The canonical text, which `parse` reads back: the number, and `;ext=` with the extension (RFC 3966)."""
        return f"{self.number};ext={self.extension}" if self.extension else self.number


_HYPHENS: Final = re.compile("[\u2010-\u2015\u2212-]")
_BRACKETS: Final = re.compile("[()]")
_MARK: Final = re.compile("转|;?EXT[.=]?|[X#,]")
_HYPHENED: Final = re.compile(
    r"(0[0-9]{2,3}-?[2-8][0-9]{6,7}|(?:\+86|0086)-?0?[1-9][0-9]{1,2}-?[2-8][0-9]{6,7}"
    r"|(?:(?:\+86|0086)-?)?[48]00(?:-?[0-9]){7})-([0-9]+)"
)
_NATIONAL: Final = (
    (PhoneKind.MOBILE, re.compile("1[3-9][0-9]{9}")),
    (PhoneKind.SERVICE_400, re.compile("400[0-9]{7}")),
    (PhoneKind.FREE_800, re.compile("800[0-9]{7}")),
    (
        PhoneKind.LANDLINE,
        re.compile("(?:10|2[0-9])[2-8][0-9]{7}|594[2-8][0-9]{6}|(?!400|594|800)[3-9][0-9]{2}[2-8][0-9]{6,7}"),
    ),
)
_SHORT: Final = re.compile("1[0-2][0-9]|1[0-2][0-9]{3}|11[68][0-9]{3}|95[0-9]{3,4}|95[0-9]{6}|96[0-9]{3,4}")
_EXTENSION: Final = re.compile("[0-9]{1,6}")
_SHAPES: Final = (
    (re.compile("1[3-9]"), PhoneRule.MOBILE),
    (re.compile("00"), PhoneRule.COUNTRY),
    (re.compile("0"), PhoneRule.LANDLINE),
    (re.compile("[48]00"), PhoneRule.SERVICE),
    (re.compile("[2-8][0-9]{6,7}"), PhoneRule.AREA_CODE),
    (re.compile("1[0-2]|9[56]"), PhoneRule.SHORT),
)


def parse(raw: str) -> Phone:
    """The number that a text names; raises `Refusal` with a `PhoneRule` when it names none.

    An extension follows 转, `ext`, `x`, `#`, a comma, or a hyphen behind a full landline, 400 or 800 number. A landline
    keeps its area code, without which it cannot be called from elsewhere; only after the country code may the area
    code's 0 be missing.
    """
    whole, extension = _split(raw)
    abroad = whole.startswith("+86")
    digits = whole.removeprefix("+86")
    if not digits.isdigit():
        raise Refusal(PhoneRule.COUNTRY if digits.startswith("+") else PhoneRule.SHAPE)
    kind = PhoneKind.SHORT if _SHORT.fullmatch(digits) else _national_kind(digits, abroad=abroad)
    if kind is None:
        raise Refusal(_expected(digits))
    if kind is PhoneKind.SHORT and abroad:
        raise Refusal(PhoneRule.COUNTRY)
    if extension is not None and (kind in {PhoneKind.SHORT, PhoneKind.MOBILE} or not _EXTENSION.fullmatch(extension)):
        raise Refusal(PhoneRule.EXTENSION)
    return Phone(digits if kind is PhoneKind.SHORT else f"+86{digits.removeprefix('0')}", kind, extension or "")


def _split(raw: str) -> tuple[str, str | None]:
    """The number without what normalisation drops, 0086 as +86; and what stands for its extension, if anything does."""
    if len(raw) > MAX_LENGTH:
        raise Refusal(PhoneRule.SHAPE)
    text = "".join(unicodedata.normalize("NFKC", raw).upper().split())
    text = _BRACKETS.sub("", _HYPHENS.sub("-", text))
    marked, hyphened = _MARK.search(text), _HYPHENED.fullmatch(text)
    extension = None
    if marked:
        text, extension = text[: marked.start()], text[marked.end() :]
    elif hyphened:
        text, extension = hyphened[1], hyphened[2]
    number = text.replace("-", "")
    return ("+86" + number[4:] if number.startswith("0086") else number), extension


def _national_kind(digits: str, *, abroad: bool) -> PhoneKind | None:
    """The kind of a number in full; a landline's area code begins with 0 unless the country code stands before it."""
    landline = digits.startswith("0")
    national = digits.removeprefix("0")
    for kind, form in _NATIONAL:
        if form.fullmatch(national):
            fits = landline or abroad if kind is PhoneKind.LANDLINE else not landline
            return kind if fits else None
    return None


def _expected(digits: str) -> PhoneRule:
    """The rule for the kind of number that the first digits promise."""
    return next((rule for form, rule in _SHAPES if form.match(digits)), PhoneRule.SHAPE)
