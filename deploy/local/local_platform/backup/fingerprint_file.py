"""The fingerprints of every lot-day in a backup's folder: one line each, for people and programs."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from access_records.fingerprints import Fingerprint, LotDay

NAME: Final = "fingerprints.csv"
_HEAD: Final = ("lot_id", "day", "records", "digest_sum")


def write(folder: Path, found: Mapping[LotDay, Fingerprint]) -> None:
    """Writes them into the folder."""
    with (folder / NAME).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(_HEAD)
        for (lot_id, day), (records, digest_sum) in sorted(found.items()):
            rows.writerow((lot_id, day, records, f"{digest_sum:064x}"))


def read(folder: Path) -> dict[LotDay, Fingerprint]:
    """What `write` wrote. OSError, ValueError."""
    with (folder / NAME).open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return {LotDay(lot_id, day): Fingerprint(int(records), int(total, 16)) for lot_id, day, records, total in rows}
