"""When a refused call is sent again, and when it is not: the platform's promise to vendors, as a table."""

from dataclasses import dataclass
from enum import Enum, auto

from grpc import StatusCode

from parkmesh_sdk.errors import CertificateError, PlatformError

_UNANSWERED = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.CANCELLED,
        StatusCode.UNKNOWN,
        StatusCode.INTERNAL,
    }
)


class Verdict(Enum):
    """What follows from a refusal."""

    NEVER = auto()
    """Nothing was stored, and the same call cannot succeed: correct it."""
    NEW_TOKEN = auto()
    """Nothing was stored: once more with a new access token."""
    LATER = auto()
    """Not stored, or nobody knows: wait, then send the same ids again."""


def verdict(error: PlatformError) -> Verdict:
    """What follows from this refusal.

    - UNAUTHENTICATED: once more with a new token, unless it is the credential itself that is wrong. A signed request
      whose nonce was used arrived twice; whether it was stored is unknown, so later, with the same ids, signed anew.
    - RESOURCE_EXHAUSTED: nothing was stored; later.
    - UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL: whether it was stored is unknown; later, with the
      same ids.
    - Every other status, and a certificate that is not trusted: never.
    """
    if isinstance(error, CertificateError) or error.reason == "BAD_CREDENTIAL":
        return Verdict.NEVER
    if error.reason == "NONCE_REUSED":
        return Verdict.LATER
    if error.code is StatusCode.UNAUTHENTICATED:
        return Verdict.NEW_TOKEN
    if error.code is StatusCode.RESOURCE_EXHAUSTED or error.code in _UNANSWERED:
        return Verdict.LATER
    return Verdict.NEVER


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how far apart the same call is sent again."""

    attempts: int = 10
    """How often it is sent at most, the first time included."""
    first_delay_s: float = 0.2
    """The longest wait before the second attempt; it doubles with each further one."""
    longest_delay_s: float = 10.0
    """The longest wait of all, unless the platform asks for more."""

    def delay_s(self, failures: int, retry_after_s: float | None, chance: float) -> float:
        """How long to wait after that many failures, from 1; `chance` is a random number from 0 to 1.

        Never less than what the platform asked for. Callers that failed together must not come back together: up to
        half of the wait, or half as much again as asked for, is left to chance.
        """
        backoff = min(self.longest_delay_s, self.first_delay_s * 2.0 ** min(failures - 1, 32))
        if retry_after_s is None:
            return backoff * (1 + chance) / 2
        return retry_after_s + max(backoff, retry_after_s) * chance / 2
