"""The platform's own canonical code of an on-street or lot berth (泊位编码): nineteen digits with a check digit.

County (6, GB/T 2260), street (3, GB/T 10114), category (1), road or lot serial (4), berth serial (4), check digit
(ISO 7064 MOD 11,10). The check digit catches every single wrong digit and 98 of 100 swaps of two neighbours. The
police's code is another thing: see `code_rule`.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from vocabulary import division
from vocabulary.refusal import Refusal, Rule

LENGTH: Final = 19


class BerthCategory(IntEnum):
    """Where the berth is."""

    PUBLIC = 1  # 公共停车场
    DEDICATED = 2  # 专用停车场
    TEMPORARY = 3  # 临时停车场
    ROAD = 4  # 道路停车泊位


class BerthCodeRule(Rule):
    """What can be wrong with a canonical berth code."""

    FORM = ("berth_code.form", "has 19 digits", "应为19位数字")
    COUNTY = (
        "berth_code.county",
        "positions 1 to 6 are the code of a district or county (GB/T 2260), such as 350302",
        "第1至6位为县级行政区划代码（GB/T 2260），如350302",
    )
    STREET = (
        "berth_code.street",
        "positions 7 to 9 are a street or town of GB/T 10114, 000 when it is not stated",
        "第7至9位为街道或乡镇代码（GB/T 10114），未注明为000",
    )
    CATEGORY = (
        "berth_code.category",
        "position 10 is 1 public, 2 dedicated, 3 temporary or 4 road",
        "第10位为类别：1公共、2专用、3临时、4道路",
    )
    PLACE = ("berth_code.place", "positions 11 to 14 are the serial of the road or lot", "第11至14位为道路或停车场序号")
    BERTH = ("berth_code.berth", "positions 15 to 18 are the serial of the berth", "第15至18位为泊位序号")
    CHECK = (
        "berth_code.check",
        "the last digit is the check digit of the others (ISO 7064 MOD 11,10)",
        "第19位校验码不符（ISO 7064 MOD 11,10）",
    )


_CODE: Final = re.compile("[0-9]{19}")
_DIGITS: Final = re.compile("[0-9]+")
_STREET: Final = re.compile("[0-9]{3}")


@dataclass(frozen=True, slots=True)
class BerthCode:
    """The parts of a code; raises `Refusal` with a `BerthCodeRule` when one does not fit its place."""

    county: str
    """Six digits of a district or county, never of a whole city."""
    street: str
    """Three digits; 000 when it is not stated."""
    category: BerthCategory
    place: int
    """The road's or the lot's serial in its street, 0 to 9999."""
    berth: int
    """The berth's serial on its road or in its lot, 0 to 9999."""

    def __post_init__(self) -> None:
        if not division.is_code(self.county) or self.county.endswith("00"):
            raise Refusal(BerthCodeRule.COUNTY)
        if not _STREET.fullmatch(self.street):
            raise Refusal(BerthCodeRule.STREET)
        if not 0 <= self.place <= 9999:
            raise Refusal(BerthCodeRule.PLACE)
        if not 0 <= self.berth <= 9999:
            raise Refusal(BerthCodeRule.BERTH)

    @property
    def text(self) -> str:
        """The nineteen digits."""
        body = f"{self.county}{self.street}{self.category:d}{self.place:04}{self.berth:04}"
        return body + check_digit(body)


def parse(text: str) -> BerthCode:
    """The parts of a canonical code; raises `Refusal` with a `BerthCodeRule`. Nothing is normalised."""
    if not _CODE.fullmatch(text):
        raise Refusal(BerthCodeRule.FORM)
    if text[-1] != check_digit(text[:-1]):
        raise Refusal(BerthCodeRule.CHECK)
    if text[9] not in "1234":
        raise Refusal(BerthCodeRule.CATEGORY)
    return BerthCode(text[:6], text[6:9], BerthCategory(int(text[9])), int(text[10:14]), int(text[14:18]))


def check_digit(body: str) -> str:
    """The ISO 7064 MOD 11,10 check digit of some digits; raises ValueError when there are none or others."""
    if not _DIGITS.fullmatch(body):
        raise ValueError("a check digit is computed over digits")
    product = 10
    for digit in body:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
