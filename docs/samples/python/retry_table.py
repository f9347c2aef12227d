"""Status → retry: what follows from a refusal, see docs/errors.md. 状态码与重试对照"""

from __future__ import annotations

import random
from enum import Enum, auto

from platform_api import Answer

ATTEMPTS = 10
"""How often one batch is sent at most. 最多发送次数"""

_FIRST_S = 0.2
_LONGEST_S = 10.0
_LATER = frozenset({408, 429, 500, 502, 503, 504})
_RENEW = frozenset({"UNAUTHENTICATED", "NONCE_REUSED", "BODY_DIGEST_MISMATCH"})


class Verdict(Enum):
    """What to do next."""

    RENEW = auto()
    """Once more, with a new token or a new signature. 更新凭证后重试一次"""
    LATER = auto()
    """Not stored, or nobody knows: wait, then send the same ids again. 等待后以相同标识重发"""
    NEVER = auto()
    """Nothing was stored, and the same request cannot succeed: correct it. 须改正，重试无效"""


def verdict(answer: Answer) -> Verdict:
    """What follows from an answer whose status is not 200."""
    if answer.reason in _RENEW:
        return Verdict.RENEW
    return Verdict.LATER if answer.status in _LATER else Verdict.NEVER


def delay_s(failures: int, asked_s: float) -> float:
    """How long to wait after that many failures, from 1: never less than asked for, and never all at once."""
    backoff = min(_LONGEST_S, _FIRST_S * 2.0 ** (failures - 1))
    return asked_s + backoff * (1 + random.random()) / 2  # noqa: S311
