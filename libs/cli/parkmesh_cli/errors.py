"""What a person at the terminal is told when something cannot be done: one sentence, and never a traceback."""

import asyncio
import ssl
import sys
from collections.abc import Coroutine
from typing import Any, Final

import typer
from grpc import StatusCode
from parkmesh_sdk import CertificateError, PlatformError

FAILED: Final = 1
"""The exit code of a command that was refused, or could not do all that it was asked to."""
MISUSED: Final = 2
"""The exit code of a command whose options do not go together, as of one that does not exist."""
AWAY: Final = 3
"""The exit code of a command to which the platform did not answer: what was asked for may be done or not."""


class CliError(Exception):
    """One clear sentence for the person at the terminal; the command ends with it and exit code 1."""

    code = FAILED


class MisuseError(CliError):
    """What was asked for makes no sense; the command ends with the sentence and exit code 2."""

    code = MISUSED


def run(work: Coroutine[Any, Any, int]) -> None:
    """Does a command's work and ends with the exit code that it gives.

    When it fails there is one line on stderr, and the exit code is 1; 2 for options that do not go together, and 3 when
    the platform does not answer.
    """
    try:
        code = asyncio.run(work)
    except* CliError as group:
        refused = _first(group)
        assert isinstance(refused, CliError)
        code = _failed(str(refused), refused.code)
    except* PlatformError as group:
        code = _failed(explained(_first(group)), AWAY if _away(_first(group)) else FAILED)
    except* ssl.SSLError:
        code = _failed("the CA file holds no certificate")
    except* OSError as group:
        error = _first(group)
        assert isinstance(error, OSError)
        code = _failed(f"{error.filename or 'a file'}: {(error.strerror or 'cannot be read').lower()}")
    raise typer.Exit(code)


def explained(error: BaseException) -> str:
    """A refusal of the platform in words that say what to do."""
    if isinstance(error, CertificateError):
        return f"{error.message} {error.chinese}"
    if not isinstance(error, PlatformError):
        return str(error)
    if error.reason == "BAD_CREDENTIAL":
        return "the platform does not know this client id with this secret 客户端标识或密钥错误"
    if error.code is StatusCode.UNAVAILABLE and not error.reason:
        return "the platform cannot be reached: is it running? `make up` starts it 平台不可达"
    return f"the platform refused 平台拒绝: {error}"


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _away(error: BaseException) -> bool:
    unanswered = (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED)
    return isinstance(error, PlatformError) and not isinstance(error, CertificateError) and error.code in unanswered


def _failed(sentence: str, code: int = FAILED) -> int:
    sys.stderr.write(f"parkmesh: {sentence}\n")
    return code
