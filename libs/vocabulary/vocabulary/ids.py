"""The grammar of the ids that vendors choose for their records, visits and images."""

import re
from typing import Final

PATTERN: Final = "^[A-Za-z0-9_-]{1,64}$"
"""What a record, visit or image id looks like; RE2 and Python alike. It is unique within its lot only."""

_ID: Final = re.compile(PATTERN.removeprefix("^").removesuffix("$"))


def is_vendor_id(text: str) -> bool:
    """Whether the text is well-formed as a record, visit or image id."""
    return _ID.fullmatch(text) is not None
