"""Money as whole fen (分) that fit an int32, which JSON keeps a number; a float never takes part."""

import re
from typing import Final

MIN_FEN: Final = -(2**31)
MAX_FEN: Final = 2**31 - 1

_YUAN: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,7})(?:\.([0-9]{1,2}))?")


def checked(fen: int) -> int:
    """The same amount; raises ValueError when it does not fit an int32 and TypeError when it is not a whole number."""
    if type(fen) is not int:
        raise TypeError("an amount of money is a whole number of fen")
    if not MIN_FEN <= fen <= MAX_FEN:
        raise ValueError("the amount does not fit an int32 of fen")
    return fen


def yuan_text(fen: int) -> str:
    """The amount in yuan with two decimals, such as 12.05 or -0.30; raises as `checked` does."""
    yuan, rest = divmod(abs(checked(fen)), 100)
    return f"{'-' if fen < 0 else ''}{yuan}.{rest:02}"


def parse_yuan(text: str) -> int:
    """The fen of an amount in yuan written with up to two decimals, such as 12, 12.5 or -0.30.

    Raises ValueError for anything else: no sign +, no blanks, no separators, no leading zeros, no third decimal.
    """
    match = _YUAN.fullmatch(text)
    if match is None:
        raise ValueError("not an amount in yuan with up to two decimals")
    sign, yuan, rest = match.groups()
    fen = int(yuan) * 100 + int((rest or "").ljust(2, "0"))
    return checked(-fen if sign else fen)
