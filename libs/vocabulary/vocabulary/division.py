"""Administrative division codes (行政区划代码) of GB/T 2260: six digits, of which the platform names Putian's own."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PUTIAN: Final = "350300"

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        PUTIAN: "莆田市",
        "350302": "城厢区",
        "350303": "涵江区",
        "350304": "荔城区",
        "350305": "秀屿区",
        "350322": "仙游县",
    }
)
"""The city and its five districts by code."""

DISTRICTS: Final = tuple(code for code in NAMES if code != PUTIAN)
"""The codes of Putian's five districts and counties; its other management areas (湄洲岛, 北岸) have no code."""

PATTERN: Final = r"^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|81|82)[0-9]{4}$"
"""A well-formed code: a province in use, then four digits; RE2 and Python alike."""

_CODE: Final = re.compile(PATTERN.removeprefix("^").removesuffix("$"))


def is_code(code: str) -> bool:
    """Whether the text is a well-formed code; whether that division exists is not known here."""
    return _CODE.fullmatch(code) is not None


def name(code: str) -> str | None:
    """The Chinese name of Putian or one of its districts; None for every other code."""
    return NAMES.get(code)


def in_putian(code: str) -> bool:
    """Whether the code is the city's or one of its five districts'."""
    return code in NAMES
