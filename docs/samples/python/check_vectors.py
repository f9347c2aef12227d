"""Signs every request of docs/vectors/request-signing.json and compares. 用公布的测试向量核对签名"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from credentials import RequestSignature


def main(path: str) -> str:
    """What to say about the vectors of that file."""
    vectors = json.loads(Path(path).read_text(encoding="utf-8"))["vectors"]
    for each in vectors:
        headers = RequestSignature(each["clientId"], each["key"]).signed(
            each["method"],
            each["path"],
            each["query"],
            each["timestamp"],
            each["nonce"],
            base64.b64decode(each["body"]),
        )
        if headers["X-Parkmesh-Signature"] != each["signature"]:
            sys.exit(f"wrong: {each['name']}")
    return f"{len(vectors)} vectors agree"


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1]) + "\n")
