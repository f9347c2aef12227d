"""Uploads the records of a JSON file, {"records": [...]}, and prints what became of each. 上报记录并逐条输出结果

Needs Python 3.11 and nothing else. Exit code 0 only when every record is stored. 全部入库时退出码为 0。
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from credentials import AccessToken, Credential, RequestSignature
from platform_api import Platform, RefusedError
from uploader import Uploader

_BATCH = 500


def main() -> int:
    """Reads --url --ca --client-id, --client-secret or --signing-key, --records; or PARKMESH_URL and so on."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "ca", "client-id", "client-secret", "signing-key", "records"):
        parser.add_argument(f"--{name}", default=os.environ.get(f"PARKMESH_{name.upper().replace('-', '_')}", ""))
    told = parser.parse_args()
    platform = Platform(told.url, told.ca)
    credential: Credential = AccessToken(platform, told.client_id, told.client_secret)
    if told.signing_key:
        credential = RequestSignature(told.client_id, told.signing_key)
    uploader = Uploader(platform, credential)
    records = json.loads(Path(told.records).read_text(encoding="utf-8"))["records"]
    lost = 0
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        try:
            lost += show(batch, uploader.upload(batch))
        except RefusedError as refused:
            say(f"{refused}")
            lost += len(batch)
        except OSError as unanswered:
            say(f"no answer 未获应答: {unanswered}")
            lost += len(batch)
    say(f"{len(records) - lost} of {len(records)} stored 已入库")
    return 1 if lost else 0


def show(batch: list[dict[str, Any]], results: dict[int, dict[str, Any]]) -> int:
    """Prints the results and counts the records that are not stored."""
    lost = 0
    for place, record in enumerate(batch):
        item = results.get(place, {})
        outcome = item.get("outcome", "ACCEPTED").removeprefix("OUTCOME_")
        line = f"{record['recordId']}: {outcome}"
        if outcome not in ("ACCEPTED", "DUPLICATE"):
            lost += 1
            field = re.sub(r"^records\[\d+]\.?", "", item["field"])
            line += f" {item['reason'].removeprefix('ERROR_REASON_')} {field}: {item['message']} {item['messageZh']}"
        else:
            line = " ".join([line, *item.get("warnings", [])])
        say(line)
    return lost


def say(text: str) -> None:
    """One line in UTF-8, whatever the terminal's settings."""
    sys.stdout.buffer.write(f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
