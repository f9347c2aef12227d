"""A Chinese number plate (号牌): its grammar, its national codes, and how much of it may be shown.

The grammar is tolerant on purpose: what is lawful on the road must never be refused at a gate. What looks odd about a
plate is told by `inconsistencies` as a data-quality warning; nothing in this module rejects a record.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

PROVINCES: Final = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
"""The 31 province characters that start a civil plate."""


class PlateClass(StrEnum):
    """What a plate's characters alone say about it."""

    CIVIL = "CIVIL"  # 大型、小型汽车, motorcycles and low-speed vehicles too: seven characters, told apart by colour
    NEW_ENERGY_SMALL = "NEW_ENERGY_SMALL"  # 小型新能源汽车
    NEW_ENERGY_LARGE = "NEW_ENERGY_LARGE"  # 大型新能源汽车
    TRAILER = "TRAILER"  # 挂车
    LEARNER = "LEARNER"  # 教练车
    POLICE = "POLICE"  # 警车
    HONG_KONG = "HONG_KONG"  # 香港入出境车
    MACAO = "MACAO"  # 澳门入出境车
    EMBASSY = "EMBASSY"  # 使馆车
    CONSULATE = "CONSULATE"  # 领馆车
    ARMED_POLICE = "ARMED_POLICE"  # 武警车
    MILITARY = "MILITARY"  # 军车
    EMERGENCY = "EMERGENCY"  # 应急救援车
    TEMPORARY = "TEMPORARY"  # 临时行驶车
    TEMPORARY_ENTRY = "TEMPORARY_ENTRY"  # 临时入境车
    CIVIL_AVIATION = "CIVIL_AVIATION"  # 民航车
    TRACTOR = "TRACTOR"  # 拖拉机
    TEST = "TEST"  # 试验车 (试)
    SPECIAL = "SPECIAL"  # 特型车 (超)
    UNPLATED = "UNPLATED"  # 无牌车


class PlateColour(IntEnum):
    """Plate colour (号牌颜色), numbered as in JT/T 697.7.

    0 means that no colour was stated. The code's own meaning of 0, "not plated", needs no number here: an unplated
    vehicle is a `PlateState`, and states no colour. 93 and 94 are the code's later additions and were not checked
    against its text; a small new-energy plate may be given as 5 or as 94, and both are right.
    """

    UNSPECIFIED = 0
    BLUE = 1
    YELLOW = 2
    BLACK = 3
    WHITE = 4
    GREEN = 5
    OTHER = 9
    YELLOW_GREEN = 93  # 黄绿双拼色
    GRADIENT_GREEN = 94  # 渐变绿色


class PlateKind(IntEnum):
    """Plate kind (号牌种类), numbered as in GA 24.7; 0 means that no kind was stated."""

    UNSPECIFIED = 0
    LARGE_CAR = 1  # 大型汽车
    SMALL_CAR = 2  # 小型汽车
    EMBASSY_CAR = 3  # 使馆汽车
    CONSULATE_CAR = 4  # 领馆汽车
    OVERSEAS_CAR = 5  # 境外汽车
    FOREIGN_CAR = 6  # 外籍汽车
    MOTORCYCLE = 7  # 普通摩托车
    MOPED = 8  # 轻便摩托车
    EMBASSY_MOTORCYCLE = 9  # 使馆摩托车
    CONSULATE_MOTORCYCLE = 10  # 领馆摩托车
    OVERSEAS_MOTORCYCLE = 11  # 境外摩托车
    FOREIGN_MOTORCYCLE = 12  # 外籍摩托车
    LOW_SPEED = 13  # 低速车
    TRACTOR = 14  # 拖拉机
    TRAILER = 15  # 挂车
    LEARNER_CAR = 16  # 教练汽车
    LEARNER_MOTORCYCLE = 17  # 教练摩托车
    TEST_CAR = 18  # 试验汽车
    TEST_MOTORCYCLE = 19  # 试验摩托车
    TEMPORARY_ENTRY_CAR = 20  # 临时入境汽车
    TEMPORARY_ENTRY_MOTORCYCLE = 21  # 临时入境摩托车
    TEMPORARY = 22  # 临时行驶车
    POLICE_CAR = 23  # 警用汽车
    POLICE_MOTORCYCLE = 24  # 警用摩托车
    FARM_MACHINE = 25  # 原农机
    HONG_KONG = 26  # 香港入出境车
    MACAO = 27  # 澳门入出境车
    ARMED_POLICE = 31  # 武警
    MILITARY = 32  # 军队
    NO_PLATE = 41  # 无号牌
    FAKE = 42  # 假号牌
    MISAPPROPRIATED = 43  # 挪用号牌
    NEW_ENERGY_LARGE = 51  # 大型新能源汽车
    NEW_ENERGY_SMALL = 52  # 小型新能源汽车
    OTHER = 99  # 其他


class PlateState(IntEnum):
    """Whether a plate was read: a vehicle without a plate and a plate nobody could read are two different things."""

    UNSPECIFIED = 0
    READ = 1  # 已识别
    UNREAD = 2  # 有牌未识别
    UNLICENSED = 3  # 无牌车


class PlateRule(StrEnum):
    """What `inconsistencies` can find; each is a data-quality warning, never a reason to reject."""

    MALFORMED = "PLATE_MALFORMED"  # the number has the form of no known class
    MANY_LETTERS = "PLATE_MANY_LETTERS"  # a civil serial with more than the two letters that GA 36 issues
    COLOUR = "PLATE_COLOUR_UNEXPECTED"  # the class is not issued in this colour
    KIND = "PLATE_KIND_UNEXPECTED"  # the class is not issued under this kind
    KIND_COLOUR = "PLATE_KIND_COLOUR_UNEXPECTED"  # the kind is not issued in this colour


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate that was understood.

    number: normalised; empty for an unplated vehicle, so that the words for "no plate" are never kept as a plate.
    """

    number: str
    plate_class: PlateClass


_P = f"[{PROVINCES}]"
_S = "[0-9A-HJ-NP-Z]"
_ENERGY = "[A-HJK]"

# The order matters where forms overlap: armed police before military.
_FORMS: Final[Mapping[PlateClass, str]] = {
    PlateClass.CIVIL: f"{_P}[A-Z]{_S}{{5}}",
    PlateClass.NEW_ENERGY_SMALL: f"{_P}[A-Z]{_ENERGY}{_S}[0-9]{{4}}",
    PlateClass.NEW_ENERGY_LARGE: f"{_P}[A-Z][0-9]{{5}}{_ENERGY}",
    PlateClass.TRAILER: f"{_P}[A-Z]{_S}{{4}}挂",
    PlateClass.LEARNER: f"{_P}[A-Z]{_S}{{4}}学",
    PlateClass.POLICE: f"{_P}[A-Z]{_S}{{4}}警",
    PlateClass.HONG_KONG: f"粤Z{_S}{{4}}港",
    PlateClass.MACAO: f"粤Z{_S}{{4}}澳",
    PlateClass.EMBASSY: "[0-9]{3}(?!000)[0-9]{3}使|使[0-9]{6}",
    PlateClass.CONSULATE: f"{_P}[0-9]{{4}}{_S}领|{_P}[A-Z][0-9]{{4}}领",
    PlateClass.ARMED_POLICE: f"WJ{_P}?(?:{_S}{{5}}|[0-9]{{4}}[A-Z])|WJ[0-9]{{2}}[0-9\u4e00-\u9fff][0-9]{{4}}",
    PlateClass.MILITARY: "[A-Z]{2}[0-9]{5}",
    PlateClass.EMERGENCY: f"{_P}[XS][0-9]{{4}}应急",
    PlateClass.TEMPORARY: f"{_P}[A-Z]{_S}{{4,6}}临|临{_P}?[A-Z]?{_S}{{4,6}}",
    PlateClass.TEMPORARY_ENTRY: f"[A-Z0-9{PROVINCES}]{{0,10}}临时入境[A-Z0-9{PROVINCES}]{{0,10}}",
    PlateClass.CIVIL_AVIATION: f"民航{_S}{{5}}",
    PlateClass.TRACTOR: f"{_P}[0-9]{{2}}{_S}{{5}}",
    PlateClass.TEST: f"{_P}[A-Z]{_S}{{4}}试",
    PlateClass.SPECIAL: f"{_P}[A-Z]{_S}{{4}}超",
    PlateClass.UNPLATED: "无牌车",
}
_CLASS_AT: Final = (None, *_FORMS)  # by the number of the group that matched
_WHOLE: Final = re.compile("|".join(f"({form})" for form in _FORMS.values()))
_NAMELESS: Final = {PlateClass.UNPLATED, PlateClass.TEMPORARY_ENTRY, PlateClass.MILITARY}
_WITHIN: Final = re.compile("|".join(form for name, form in _FORMS.items() if name not in _NAMELESS))

# ASCII letters only: str.upper would turn ß into SS and ı into I, a character that was not sent.
_FOLD: Final = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)} | dict.fromkeys(map(ord, "·•‧∙⋅・.-"))

_LONGEST_RAW: Final = 64
_REMEMBERED: Final = 1 << 16


def normalise(raw: str) -> str:
    """The one spelling of a plate: NFKC, A to Z in upper case, without white space and the separators `·•‧∙⋅・.-`.

    No character is replaced by one that merely looks like it: O, I, 0 and 1 stay what they were sent as.
    """
    return "".join(unicodedata.normalize("NFKC", raw).translate(_FOLD).split())


def parse(raw: str) -> Plate | None:
    """The plate that a text spells, in any case and with or without separators; None when it is the form of no class.

    The words 无牌车 give an UNPLATED plate with an empty number. Results are remembered: plates come back.
    """
    return _parse(raw) if len(raw) <= _LONGEST_RAW else None


@lru_cache(maxsize=_REMEMBERED)
def _parse(raw: str) -> Plate | None:
    number = normalise(raw)
    match = _WHOLE.fullmatch(number)
    plate_class = match and _CLASS_AT[match.lastindex or 0]
    if not plate_class:
        return None
    return Plate("" if plate_class is PlateClass.UNPLATED else number, plate_class)


def mask(number: str) -> str:
    """The form of a normalised number that may be shown: 闽B12345 as 闽B·1**45.

    The first three and the last two characters stay; all between is starred, which is at least two characters. A
    number of fewer than seven is starred whole, so a short one never gives away more than a long one.
    """
    if len(number) < 7:
        return "*" * len(number)
    dot = "·" if number[0] in PROVINCES and "A" <= number[1] <= "Z" else ""
    return f"{number[:2]}{dot}{number[2]}{'*' * (len(number) - 5)}{number[-2:]}"


def contains_plate(text: str) -> bool:
    """Whether something inside a free text reads as a plate.

    Pure ASCII is never taken for a plate: two letters and five digits are a military plate, but also any serial
    number. For ids, which are ASCII, see `id_reveals_plate`.
    """
    return not text.isascii() and _WITHIN.search(normalise(text)) is not None


def id_reveals_plate(identifier: str, number: str) -> bool:
    """Whether an id contains the letters and digits of a plate, whatever its case and its `-` and `_`.

    The Chinese characters are left out of the comparison, since ids cannot hold them. Letters and digits too few to
    tell (fewer than five, or five digits without a letter) reveal nothing. An id of nothing but 32 or more hexadecimal
    digits, a UUID or a hash, is chance: a city would otherwise refuse an innocent one every day.
    """
    tail = _tail(number)
    if not tail:
        return False
    folded = identifier.upper()
    if tail in folded:
        return not _RANDOM.fullmatch(folded)
    if "-" in folded or "_" in folded:
        return tail in folded.replace("-", "").replace("_", "") and not _RANDOM.fullmatch(folded)
    return False


_RANDOM: Final = re.compile("(?:[0-9A-F][-_]*){32,}")
_NOT_TAIL: Final = re.compile("[^0-9A-Z]+")


@lru_cache(maxsize=_REMEMBERED)
def _tail(number: str) -> str:
    tail = _NOT_TAIL.sub("", normalise(number))
    return tail if len(tail) > 5 or (len(tail) == 5 and not tail.isdigit()) else ""


_COLOURS: Final[Mapping[PlateClass, frozenset[PlateColour]]] = MappingProxyType(
    {
        # Black: vehicles of foreign owners, issued until 2007 and still lawful.
        PlateClass.CIVIL: frozenset({PlateColour.BLUE, PlateColour.YELLOW, PlateColour.BLACK}),
        PlateClass.NEW_ENERGY_SMALL: frozenset({PlateColour.GREEN, PlateColour.GRADIENT_GREEN}),
        PlateClass.NEW_ENERGY_LARGE: frozenset({PlateColour.YELLOW_GREEN}),
        PlateClass.TRAILER: frozenset({PlateColour.YELLOW}),
        PlateClass.LEARNER: frozenset({PlateColour.YELLOW}),
        PlateClass.POLICE: frozenset({PlateColour.WHITE}),
        PlateClass.HONG_KONG: frozenset({PlateColour.BLACK}),
        PlateClass.MACAO: frozenset({PlateColour.BLACK}),
        PlateClass.EMBASSY: frozenset({PlateColour.BLACK}),
        PlateClass.CONSULATE: frozenset({PlateColour.BLACK}),
        PlateClass.ARMED_POLICE: frozenset({PlateColour.WHITE}),
        PlateClass.MILITARY: frozenset({PlateColour.WHITE}),
        PlateClass.EMERGENCY: frozenset({PlateColour.WHITE}),
        PlateClass.TEMPORARY: frozenset({PlateColour.OTHER}),
        PlateClass.TEMPORARY_ENTRY: frozenset({PlateColour.WHITE, PlateColour.OTHER}),
        PlateClass.CIVIL_AVIATION: frozenset(),
        PlateClass.TRACTOR: frozenset({PlateColour.GREEN, PlateColour.YELLOW}),
        PlateClass.TEST: frozenset(),
        PlateClass.SPECIAL: frozenset(),
        PlateClass.UNPLATED: frozenset({PlateColour.UNSPECIFIED}),
    }
)

_KINDS: Final[Mapping[PlateClass, tuple[PlateKind, ...]]] = MappingProxyType(
    {
        PlateClass.CIVIL: (
            PlateKind.SMALL_CAR,
            PlateKind.LARGE_CAR,
            PlateKind.OVERSEAS_CAR,
            PlateKind.FOREIGN_CAR,
            PlateKind.MOTORCYCLE,
            PlateKind.MOPED,
            PlateKind.OVERSEAS_MOTORCYCLE,
            PlateKind.FOREIGN_MOTORCYCLE,
            PlateKind.LOW_SPEED,
        ),
        PlateClass.NEW_ENERGY_SMALL: (PlateKind.NEW_ENERGY_SMALL,),
        PlateClass.NEW_ENERGY_LARGE: (PlateKind.NEW_ENERGY_LARGE,),
        PlateClass.TRAILER: (PlateKind.TRAILER,),
        PlateClass.LEARNER: (PlateKind.LEARNER_CAR, PlateKind.LEARNER_MOTORCYCLE),
        PlateClass.POLICE: (PlateKind.POLICE_CAR, PlateKind.POLICE_MOTORCYCLE),
        PlateClass.HONG_KONG: (PlateKind.HONG_KONG, PlateKind.OVERSEAS_CAR),
        PlateClass.MACAO: (PlateKind.MACAO, PlateKind.OVERSEAS_CAR),
        PlateClass.EMBASSY: (PlateKind.EMBASSY_CAR, PlateKind.EMBASSY_MOTORCYCLE),
        PlateClass.CONSULATE: (PlateKind.CONSULATE_CAR, PlateKind.CONSULATE_MOTORCYCLE),
        PlateClass.ARMED_POLICE: (PlateKind.ARMED_POLICE,),
        PlateClass.MILITARY: (PlateKind.MILITARY,),
        PlateClass.EMERGENCY: (PlateKind.OTHER,),
        PlateClass.TEMPORARY: (PlateKind.TEMPORARY,),
        PlateClass.TEMPORARY_ENTRY: (PlateKind.TEMPORARY_ENTRY_CAR, PlateKind.TEMPORARY_ENTRY_MOTORCYCLE),
        PlateClass.CIVIL_AVIATION: (PlateKind.OTHER,),
        PlateClass.TRACTOR: (PlateKind.TRACTOR, PlateKind.FARM_MACHINE),
        PlateClass.TEST: (PlateKind.TEST_CAR, PlateKind.TEST_MOTORCYCLE),
        PlateClass.SPECIAL: (PlateKind.OTHER,),
        PlateClass.UNPLATED: (PlateKind.NO_PLATE,),
    }
)
_CIVIL_KIND: Final = {PlateColour.BLUE: PlateKind.SMALL_CAR, PlateColour.YELLOW: PlateKind.LARGE_CAR}
_CIVIL_COLOUR: Final[Mapping[int, int]] = {kind: colour for colour, kind in _CIVIL_KIND.items()}
# A finding about the plate on the vehicle, or no finding: neither contradicts the characters.
_KINDS_OF_ANY_CLASS: Final = frozenset(
    {PlateKind.UNSPECIFIED, PlateKind.FAKE, PlateKind.MISAPPROPRIATED, PlateKind.OTHER}
)


def expected_colours(plate_class: PlateClass) -> frozenset[PlateColour]:
    """The colours in which a class is issued; empty where sources disagree and any colour is taken."""
    return _COLOURS[plate_class]


def kind_of(plate_class: PlateClass, colour: PlateColour = PlateColour.UNSPECIFIED) -> PlateKind:
    """The usual kind of a class, that of a car where cars and motorcycles share the form.

    A civil plate's characters do not tell it: there the colour decides, and any but blue and yellow gives UNSPECIFIED.
    """
    if plate_class is PlateClass.CIVIL:
        return _CIVIL_KIND.get(colour, PlateKind.UNSPECIFIED)
    return _KINDS[plate_class][0]


def inconsistencies(number: str, colour: int, kind: int) -> tuple[PlateRule, ...]:
    """What does not fit together in a plate as it was reported, in the order of `PlateRule`; empty when all does.

    An empty number says that no plate was stated, and an unspecified colour or kind is not judged.
    """
    if not number:
        return ()
    plate = parse(number)
    if plate is None:
        return (PlateRule.MALFORMED,)
    found = []
    if plate.plate_class is PlateClass.CIVIL and sum(map(str.isalpha, plate.number[2:])) > 2:
        found.append(PlateRule.MANY_LETTERS)
    if colour and (colours := _COLOURS[plate.plate_class]) and colour not in colours:
        found.append(PlateRule.COLOUR)
    if kind not in _KINDS_OF_ANY_CLASS and kind not in _KINDS[plate.plate_class]:
        found.append(PlateRule.KIND)
    if colour and _CIVIL_COLOUR.get(kind, colour) != colour:
        found.append(PlateRule.KIND_COLOUR)
    return tuple(found)
