"""What a person at the terminal is told when something cannot be done: one sentence, and never a traceback."""

import asyncio
import ssl
import sys
from collections.abc import Coroutine
from typing import Any

import typer
from grpc import StatusCode
from parkmesh_sdk import CertificateError, PlatformError


class CliError(Exception):
    """One clear sentence for the person at the terminal; the command ends with it and exit code 1."""


def run(work: Coroutine[Any, Any, int]) -> None:
    """Does a command's work and ends with the exit code that it gives; 1, with one line on stderr, when it fails."""
    try:
        code = asyncio.run(work)
    except* CliError as group:
        code = _failed(str(_first(group)))
    except* PlatformError as group:
        code = _failed(explained(_first(group)))
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


def _failed(sentence: str) -> int:
    sys.stderr.write(f"parkmesh: {sentence}\n")
    return 1
