"""Plates: the shared vectors, round trips of every class, and how little of a number is ever shown."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary import plate
from vocabulary.plate import PROVINCES, Plate, PlateClass, PlateColour, PlateKind, PlateRule

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "vectors" / "plates.csv"
COLOURS = {
    "BLUE_OR_YELLOW": {PlateColour.BLUE, PlateColour.YELLOW, PlateColour.BLACK},
    "GREEN": {PlateColour.GREEN, PlateColour.GRADIENT_GREEN},
    "NONE": {PlateColour.UNSPECIFIED},
}
SERIAL = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
HEAD = f"[{PROVINCES}][A-Z]"
FORMS = {
    PlateClass.CIVIL: f"{HEAD}[{SERIAL}]{{5}}",
    PlateClass.NEW_ENERGY_SMALL: f"{HEAD}[ABCDEFGHJK][{SERIAL}][0-9]{{4}}",
    PlateClass.NEW_ENERGY_LARGE: f"{HEAD}[0-9]{{5}}[ABCDEFGHJK]",
    PlateClass.TRAILER: f"{HEAD}[{SERIAL}]{{4}}挂",
    PlateClass.LEARNER: f"{HEAD}[{SERIAL}]{{4}}学",
    PlateClass.POLICE: f"{HEAD}[{SERIAL}]{{4}}警",
    PlateClass.HONG_KONG: f"粤Z[{SERIAL}]{{4}}港",
    PlateClass.MACAO: f"粤Z[{SERIAL}]{{4}}澳",
    PlateClass.EMBASSY: "[0-9]{3}[1-9][0-9]{2}使|使[0-9]{6}",
    PlateClass.CONSULATE: f"[{PROVINCES}][0-9]{{4}}[{SERIAL}]领|{HEAD}[0-9]{{4}}领",
    PlateClass.ARMED_POLICE: f"WJ[{PROVINCES}]?[0-9]{{4}}[0-9A-Z]|WJ[0-9]{{2}}消[0-9]{{4}}",
    PlateClass.MILITARY: "[A-VX-Z][A-IK-Z][0-9]{5}",
    PlateClass.EMERGENCY: f"[{PROVINCES}][XS][0-9]{{4}}应急",
    PlateClass.TEMPORARY: f"{HEAD}[{SERIAL}]{{4,6}}临|临[{PROVINCES}]?[A-Z]?[{SERIAL}]{{4,6}}",
    PlateClass.TEMPORARY_ENTRY: "[A-Z0-9]{0,6}临时入境[A-Z0-9]{0,6}",
    PlateClass.CIVIL_AVIATION: f"民航[{SERIAL}]{{5}}",
    PlateClass.TRACTOR: f"[{PROVINCES}][0-9]{{2}}[{SERIAL}]{{5}}",
    PlateClass.TEST: f"{HEAD}[{SERIAL}]{{4}}试",
    PlateClass.SPECIAL: f"{HEAD}[{SERIAL}]{{4}}超",
}


def vectors() -> list[dict[str, str]]:
    with VECTORS.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.shared
def test_the_shared_vectors_hold() -> None:
    rows = vectors()
    assert rows
    for row in rows:
        found = plate.parse(row["raw"])
        if row["valid"] == "no":
            assert found is None, row
            continue
        assert found == Plate(row["normalised"], PlateClass[row["class"]]), row
        expected = COLOURS.get(row["colour"]) or {PlateColour[row["colour"]]}
        assert plate.expected_colours(found.plate_class) == expected, row


def test_every_class_has_a_form_here() -> None:
    assert set(FORMS) == set(PlateClass) - {PlateClass.UNPLATED}


@pytest.mark.parametrize("plate_class", FORMS)
def test_every_number_of_a_class_parses_to_it(plate_class: PlateClass) -> None:
    @given(st.from_regex(FORMS[plate_class], fullmatch=True), st.sampled_from(["", " ", "·", "•", ".", "-", "\u3000"]))
    def check(number: str, separator: str) -> None:
        found = plate.parse(number)
        assert found == Plate(number, plate_class)
        assert plate.parse(separator.join(number.lower())) == found
        assert plate.inconsistencies(number, PlateColour.UNSPECIFIED, PlateKind.UNSPECIFIED) in {
            (),
            (PlateRule.MANY_LETTERS,),
        }
        for colour in plate.expected_colours(plate_class):
            kind = plate.kind_of(plate_class, colour)
            assert set(plate.inconsistencies(number, colour, kind)) <= {PlateRule.MANY_LETTERS}

    check()


@given(st.text(max_size=20))
def test_what_parses_is_already_normalised(raw: str) -> None:
    found = plate.parse(raw)
    if found is not None and found.number:
        assert plate.normalise(found.number) == found.number
        assert plate.parse(found.number) == found


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("闽Ｂ１２３４５", "闽B12345"),
        ("闽bo1i0", "闽BO1I0"),
        ("闽Bß1234", "闽Bß1234"),
        ("闽B\t12\u00a0345\n", "闽B12345"),
        ("WJ31-消0010", "WJ31消0010"),
    ],
)
def test_normalise(raw: str, number: str) -> None:
    assert plate.normalise(raw) == number


def test_overlong_text_is_no_plate_and_is_not_remembered() -> None:
    before = plate._parse.cache_info().misses
    assert plate.parse("闽B12345" + " " * 1000) is None
    assert plate._parse.cache_info().misses == before


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("闽B12345", "闽B·1**45"),
        ("闽BD12345", "闽B·D***45"),
        ("WJ12345", "WJ1**45"),
        ("WJ闽1234X", "WJ闽***4X"),
        ("B12345", "******"),
        ("", ""),
    ],
)
def test_mask(number: str, shown: str) -> None:
    assert plate.mask(number) == shown


@given(st.text(alphabet="闽粤京ABXWJ0123456789警临", max_size=20))
def test_mask_shows_five_characters_at_most_and_hides_two_at_least(number: str) -> None:
    shown = plate.mask(number).replace("·", "")
    assert len(shown) == len(number)
    kept = [at for at, star in enumerate(shown) if star != "*"]
    assert kept == ([] if len(number) < 7 else [0, 1, 2, len(number) - 2, len(number) - 1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in-闽B12345-0001", True),
        ("进场 闽 B·12345", True),
        ("v_224578使", True),
        ("WJ闽1234X", True),
        ("一号入口", False),
        ("无牌车", False),
        ("荔城区KA12345", False),
        ("KA12345", False),
        ("20991231-000001", False),
        ("", False),
    ],
)
def test_contains_plate(text: str, found: bool) -> None:
    assert plate.contains_plate(text) is found


@pytest.mark.parametrize(
    ("identifier", "number", "reveals"),
    [
        ("in-B12345-1", "闽B12345", True),
        ("inb12345", "闽B12345", True),
        ("in_b1-23_45", "闽B12345", True),
        ("20991231B1234501", "闽·b12345", True),
        ("WJ1234X-1", "WJ闽1234X", True),
        ("x224578", "224578使", True),
        ("r-12345", "闽B12345", False),
        ("r-B12346", "闽B12345", False),
        ("r-22478", "沪22478领", False),
        ("r-B123", "B123", False),
        ("r-1", "", False),
        ("0b12345a-0000-4000-8000-000000000000", "闽B12345", False),
        ("0b12345a000040008000000000000000", "闽B12345", False),
        ("0b12345a-0000-4000-8000-00000000000g", "闽B12345", True),
    ],
)
def test_id_reveals_plate(identifier: str, number: str, reveals: bool) -> None:
    assert plate.id_reveals_plate(identifier, number) is reveals


@given(st.from_regex(FORMS[PlateClass.CIVIL], fullmatch=True), st.text("abcXYZ019-_", max_size=12), st.integers(0, 6))
def test_an_id_made_from_a_plate_reveals_it(number: str, around: str, at: int) -> None:
    tail = number[1:].lower()
    assert plate.id_reveals_plate(f"{around}{tail[:at]}-{tail[at:]}{around}", number)


@pytest.mark.parametrize(
    ("number", "colour", "kind", "rules"),
    [
        ("闽B12345", PlateColour.BLUE, PlateKind.SMALL_CAR, ()),
        ("闽B12345", PlateColour.BLACK, PlateKind.FOREIGN_CAR, ()),
        ("闽B12345", PlateColour.BLUE, PlateKind.MISAPPROPRIATED, ()),
        ("闽B12345", PlateColour.YELLOW, PlateKind.SMALL_CAR, (PlateRule.KIND_COLOUR,)),
        ("闽B12345", PlateColour.GREEN, PlateKind.NEW_ENERGY_SMALL, (PlateRule.COLOUR, PlateRule.KIND)),
        ("闽BABC12", PlateColour.UNSPECIFIED, PlateKind.UNSPECIFIED, (PlateRule.MANY_LETTERS,)),
        ("闽BD12345", PlateColour.BLUE, PlateKind.NEW_ENERGY_SMALL, (PlateRule.COLOUR,)),
        ("闽BD12345", PlateColour.GRADIENT_GREEN, PlateKind.NEW_ENERGY_SMALL, ()),
        ("闽B12345D", PlateColour.GREEN, PlateKind.NEW_ENERGY_LARGE, (PlateRule.COLOUR,)),
        ("民航12345", PlateColour.BLACK, PlateKind.OTHER, ()),
        ("全包国脚型", PlateColour.BLUE, PlateKind.SMALL_CAR, (PlateRule.MALFORMED,)),
        ("", PlateColour.BLUE, PlateKind.SMALL_CAR, ()),
    ],
)
def test_inconsistencies(number: str, colour: PlateColour, kind: PlateKind, rules: tuple[PlateRule, ...]) -> None:
    assert plate.inconsistencies(number, colour, kind) == rules


def test_the_colour_tells_the_kind_of_a_civil_plate() -> None:
    assert plate.kind_of(PlateClass.CIVIL, PlateColour.BLUE) is PlateKind.SMALL_CAR
    assert plate.kind_of(PlateClass.CIVIL, PlateColour.YELLOW) is PlateKind.LARGE_CAR
    assert plate.kind_of(PlateClass.CIVIL) is PlateKind.UNSPECIFIED
    assert plate.kind_of(PlateClass.TRAILER) is PlateKind.TRAILER
