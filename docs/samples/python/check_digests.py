"""Computes every digest and fingerprint of docs/vectors and compares. 用公布的测试向量核对摘要与集合指纹"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from record_digest import canonical, digest, fingerprint


def main(folder: Path) -> str:
    """What to say about the vectors of that folder."""
    records, sets = rows(folder / "records.csv"), rows(folder / "fingerprints.csv")
    for each in records:
        if canonical(each) != each["canonical"].replace("\\n", "\n").encode() or digest(each).hex() != each["sha256"]:
            sys.exit(f"wrong: {each['record_id']}")
    for each in sets:
        made = fingerprint(bytes.fromhex(text) for text in each["digests"].split())
        if made != {"count": int(each["count"]), "digestSum": each["digest_sum_base64"]}:
            sys.exit(f"wrong: {each['case']}")
    return f"{len(records)} digests and {len(sets)} fingerprints agree"


def rows(file: Path) -> list[dict[str, str]]:
    """The lines of a file, by the names of its columns."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1])) + "\n")
