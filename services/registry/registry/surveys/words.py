"""The words that census files use for enum values: the Chinese ones, and the proto's names."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from parkmesh.registry.v1 import coordinate_pb2, gate_pb2, lot_pb2


def folded(text: str) -> str:
    """The text without what makes no difference in a heading or a word: width, case, blanks, `_` and `-`."""
    narrow = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in narrow if not (character.isspace() or character in "_-"))


class Words:
    """The words of one enum. The first Chinese word of a value is the one that templates and exports use."""

    def __init__(self, enum: Any, prefix: str, chinese: Mapping[str, tuple[str, ...]]) -> None:
        self._numbers: dict[str, int] = {}
        self._first: dict[int, str] = {}
        for name, number in enum.items():
            short = name.removeprefix(prefix)
            if number == 0:
                continue
            self._first[number] = chinese[short][0]
            for word in (name, short, *chinese[short]):
                self._numbers[folded(word)] = number

    def number(self, word: str) -> int | None:
        """The value that the word stands for; None when it is no word of this enum."""
        return self._numbers.get(folded(word))

    def word(self, number: int) -> str:
        """The Chinese word of a value. LookupError when there is none."""
        return self._first[number]

    @property
    def all(self) -> tuple[str, ...]:
        """One Chinese word for each value."""
        return tuple(self._first.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Every word, folded."""
        return tuple(self._numbers)


LOT_TYPES: Final = Words(
    lot_pb2.LotType,
    "LOT_TYPE_",
    {
        "PUBLIC": ("公共停车场", "公共"),
        "DEDICATED": ("专用停车场", "专用"),
        "TEMPORARY": ("临时停车场", "临时"),
        "ON_STREET": ("道路停车泊位", "道路泊位", "路内"),
    },
)
STRUCTURES: Final = Words(
    lot_pb2.LotStructure,
    "LOT_STRUCTURE_",
    {
        "SURFACE": ("地面",),
        "UNDERGROUND": ("地下",),
        "MULTI_STOREY": ("停车楼",),
        "MECHANICAL": ("机械式",),
        "ON_STREET": ("路内",),
        "MIXED": ("混合",),
    },
)
OWNERSHIPS: Final = Words(
    lot_pb2.LandOwnership,
    "LAND_OWNERSHIP_",
    {
        "OWNED": ("自有",),
        "LEASED": ("租赁",),
        "ENTRUSTED": ("委托经营",),
        "CO_OWNED": ("业主共有",),
        "PUBLIC": ("公共道路或国有土地", "公共道路", "国有土地"),
        "COLLECTIVE": ("集体土地",),
        "OTHER": ("其他",),
    },
)
BERTH_CLASSES: Final = Words(
    lot_pb2.BerthClass,
    "BERTH_CLASS_",
    {
        "SMALL": ("小型车", "小型"),
        "LARGE": ("大型车", "大型"),
        "CHARGING_FAST": ("快充",),
        "CHARGING_SLOW": ("慢充",),
        "ACCESSIBLE": ("无障碍",),
        "WOMEN_CHILDREN": ("女性母婴", "女性、母婴", "母婴"),
        "MOTORCYCLE": ("摩托车",),
        "MECHANICAL": ("机械车位",),
        "NON_MOTOR": ("非机动车",),
        "OTHER": ("其他",),
    },
)
RESTRICTIONS: Final = Words(
    lot_pb2.VehicleRestriction,
    "VEHICLE_RESTRICTION_",
    {
        "NO_LARGE": ("禁止大型车",),
        "NO_TRAILERS": ("禁止挂车",),
        "NO_DANGEROUS_GOODS": ("禁止危险品车辆",),
        "NO_MOTORCYCLES": ("禁止摩托车",),
        "NO_ELECTRIC": ("禁止新能源车",),
        "REGISTERED_ONLY": ("部分时段仅限登记车辆", "仅限登记车辆"),
    },
)
CHARGING_METHODS: Final = Words(
    lot_pb2.ChargingMethod,
    "CHARGING_METHOD_",
    {"FREE": ("免费",), "BY_TIME": ("按时", "计时"), "PER_VISIT": ("按次", "计次"), "MIXED": ("混合",)},
)
COORDINATE_SYSTEMS: Final = Words(
    coordinate_pb2.CoordinateSystem,
    "COORDINATE_SYSTEM_",
    {
        "GCJ02": ("GCJ-02", "国测局坐标", "火星坐标", "高德"),
        "WGS84": ("WGS-84", "GPS"),
        "BD09": ("BD-09", "百度坐标", "百度"),
        "CGCS2000": ("CGCS2000", "2000国家大地坐标系", "2000国家大地坐标"),
    },
)
DIRECTIONS: Final = Words(
    gate_pb2.LaneDirection,
    "LANE_DIRECTION_",
    {"ENTRY": ("入", "入口", "进", "in"), "EXIT": ("出", "出口", "out"), "BOTH": ("双向", "出入", "出入口")},
)
SERVICE_STATES: Final = Words(
    gate_pb2.ServiceState,
    "SERVICE_STATE_",
    {"IN_SERVICE": ("在用",), "OUT_OF_SERVICE": ("停用",), "RETIRED": ("拆除",)},
)
