"""Administrative division codes (行政区划代码) of GB/T 2260: six digits, of which the platform knows Putian's own.

Of the rest of the country it knows the provinces only: a code of an existing province is taken as it is.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vocabulary import coordinate
from vocabulary.coordinate import Box

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

ENGLISH_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        PUTIAN: "Putian City",
        "350302": "Chengxiang District",
        "350303": "Hanjiang District",
        "350304": "Licheng District",
        "350305": "Xiuyu District",
        "350322": "Xianyou County",
    }
)
"""The same in pinyin and English."""

DISTRICTS: Final = tuple(code for code in NAMES if code != PUTIAN)
"""The codes of Putian's five districts and counties; its other management areas (湄洲岛, 北岸) have no code."""

PROVINCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "11": "北京市",
        "12": "天津市",
        "13": "河北省",
        "14": "山西省",
        "15": "内蒙古自治区",
        "21": "辽宁省",
        "22": "吉林省",
        "23": "黑龙江省",
        "31": "上海市",
        "32": "江苏省",
        "33": "浙江省",
        "34": "安徽省",
        "35": "福建省",
        "36": "江西省",
        "37": "山东省",
        "41": "河南省",
        "42": "湖北省",
        "43": "湖南省",
        "44": "广东省",
        "45": "广西壮族自治区",
        "46": "海南省",
        "50": "重庆市",
        "51": "四川省",
        "52": "贵州省",
        "53": "云南省",
        "54": "西藏自治区",
        "61": "陕西省",
        "62": "甘肃省",
        "63": "青海省",
        "64": "宁夏回族自治区",
        "65": "新疆维吾尔自治区",
        "71": "台湾省",
        "81": "香港特别行政区",
        "82": "澳门特别行政区",
    }
)
"""Every division at the level of a province, by the first two digits of its codes."""

BOXES: Final[Mapping[str, Box]] = MappingProxyType(
    {
        PUTIAN: coordinate.PUTIAN,
        "350302": Box(south=25.22, west=118.79, north=25.62, east=119.08),
        "350303": Box(south=25.35, west=118.82, north=25.80, east=119.28),
        "350304": Box(south=25.25, west=118.94, north=25.60, east=119.28),
        "350305": Box(south=24.95, west=118.94, north=25.39, east=119.68),
        "350322": Box(south=25.12, west=118.42, north=25.76, east=118.98),
    }
)
"""Around the city and each district, its islands included; approximate, generous and overlapping.

The districts' are the extremes of public boundary data (in which the islands and the shifted system of some sources
differ by a kilometre) and at least 3 km more. A point outside is surely in the wrong place; one inside may be as well.
"""

PATTERN: Final = r"^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|81|82)[0-9]{4}$"
"""A well-formed code: a province in use, then four digits; RE2 and Python alike."""

_CODE: Final = re.compile(PATTERN.removeprefix("^").removesuffix("$"))


def is_code(code: str) -> bool:
    """Whether the text is a well-formed code; whether that division exists is not known here."""
    return _CODE.fullmatch(code) is not None


def name(code: str) -> str | None:
    """The Chinese name of Putian or one of its districts; None for every other code."""
    return NAMES.get(code)


def english_name(code: str) -> str | None:
    """The name of Putian or one of its districts in pinyin and English; None for every other code."""
    return ENGLISH_NAMES.get(code)


def province_name(code: str) -> str | None:
    """The Chinese name of the province that a well-formed code lies in; None when the code is not well-formed."""
    return PROVINCES[code[:2]] if is_code(code) else None


def bounding_box(code: str) -> Box | None:
    """The box around Putian or one of its districts, in WGS-84; None for every other code. See `BOXES`."""
    return BOXES.get(code)


def contains(code: str, latitude: float, longitude: float) -> bool | None:
    """Whether a point of WGS-84 lies in the division's box; None when the division has none: it is not known."""
    box = BOXES.get(code)
    return None if box is None else box.contains(latitude, longitude)


def in_putian(code: str) -> bool:
    """Whether the code is the city's or one of its five districts'."""
    return code in NAMES
