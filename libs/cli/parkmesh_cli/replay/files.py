"""The two files of a recorded day: its lots, and the readings of their free spaces."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from vocabulary import beijing

from parkmesh_cli.errors import CliError

T = TypeVar("T")

_LOTS = ("lot", "name", "capacity")
_READINGS = ("time", "lot", "free")


@dataclass(frozen=True, slots=True)
class RecordedLot:
    """A lot as the file gives it."""

    lot: str
    """The file's own id; it becomes the registration number."""
    name: str
    capacity: int
    address: str
    """Empty when the file states none."""
    position: tuple[float, float] | None
    """Latitude and longitude in degrees, WGS-84; None when the file states none."""


class Reading(NamedTuple):
    """How many spaces a lot reported free."""

    time_ms: int
    free: int
    """As reported: real systems report fewer than none, and more than there are."""


def read_lots(path: Path) -> dict[str, RecordedLot]:
    """The lots by id, in the file's order. CliError, with file and line, for what is unreadable or there twice."""
    lots: dict[str, RecordedLot] = {}
    for place, row in _rows(path, _LOTS):
        lot = RecordedLot(
            lot=row["lot"].strip(),
            name=row["name"].strip(),
            capacity=_parsed(place, "capacity", row["capacity"], int, "a whole number"),
            address=(row.get("address") or "").strip(),
            position=_position(place, row.get("latitude") or "", row.get("longitude") or ""),
        )
        if not lot.lot or not lot.name or lot.capacity < 0:
            raise CliError(f"{place}: a lot has an id, a name and a capacity that is not negative")
        if lot.lot in lots:
            raise CliError(f"{place}: this lot stands in the file already")
        lots[lot.lot] = lot
    if not lots:
        raise CliError(f"{path}: the file holds no lot")
    return lots


def read_free_spaces(path: Path, lots: dict[str, RecordedLot]) -> dict[str, list[Reading]]:
    """The readings of each lot, in order of time, the lots in the order in which they first appear.

    CliError, with file and line, for what cannot be read, for a lot that is not among `lots`, and for a time that does
    not lie after the lot's last one.
    """
    readings: dict[str, list[Reading]] = {}
    for place, row in _rows(path, _READINGS):
        lot = row["lot"].strip()
        if lot not in lots:
            raise CliError(f"{place}: the file of lots does not hold this lot")
        time_ms = _parsed(place, "time", row["time"], beijing.parse, "a time with an offset, as 2024-03-14T08:00:00Z")
        free = _parsed(place, "free", row["free"], int, "a whole number")
        known = readings.setdefault(lot, [])
        if known and time_ms <= known[-1].time_ms:
            raise CliError(f"{place}: the time does not lie after this lot's reading before")
        known.append(Reading(time_ms, free))
    return readings


def _rows(path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, strict=True)
            missing = [name for name in wanted if name not in (table.fieldnames or ())]
            if missing:
                raise CliError(f"{path}, line 1: the header lacks {', '.join(missing)}")
            for row in table:
                place = f"{path}, line {table.line_num}"
                if None in row or None in row.values():
                    raise CliError(f"{place}: the row has not as many fields as the header")
                yield place, row
    except OSError as error:
        raise CliError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    except UnicodeDecodeError as error:
        raise CliError(f"{path}: the file is not UTF-8") from error
    except csv.Error as error:
        raise CliError(f"{path}: not a CSV file: {error}") from error


def _parsed(place: str, name: str, text: str, parse: Callable[[str], T], expected: str) -> T:
    try:
        return parse(text.strip())
    except ValueError as error:
        raise CliError(f"{place}: {name} must be {expected}") from error


def _position(place: str, latitude: str, longitude: str) -> tuple[float, float] | None:
    if not latitude.strip() and not longitude.strip():
        return None
    found = (
        _parsed(place, "latitude", latitude, float, "a number of degrees"),
        _parsed(place, "longitude", longitude, float, "a number of degrees"),
    )
    if not (-90 <= found[0] <= 90 and -180 <= found[1] <= 180):
        raise CliError(f"{place}: the position lies outside the globe")
    return found
