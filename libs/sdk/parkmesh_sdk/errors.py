"""What the SDK raises: why the platform, or the way to it, refused a call."""

from typing import NamedTuple, Self

from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode

_CODES = {code.value[0]: code for code in StatusCode}


class FieldViolation(NamedTuple):
    """A field of the request that breaks a rule."""

    field: str
    """Its path, such as `records[3].plateNumber`."""
    rule: str
    """The rule's id, such as `required` or `string.pattern`; empty when the platform gave none."""
    description: str
    """What would be right, in English."""
    chinese: str
    """The same in Chinese; empty when the platform gave none."""


class PlatformError(Exception):
    """A call that was not carried out, or whose outcome is unknown: see `parkmesh_sdk.retry` for which is which."""

    def __init__(
        self,
        code: StatusCode,
        message: str,
        *,
        chinese: str = "",
        reason: str = "",
        violations: tuple[FieldViolation, ...] = (),
        retry_after_s: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        """The gRPC status, for REST too."""
        self.message = message
        """An English sentence for people."""
        self.chinese = chinese
        """The same in Chinese; empty when the platform gave none."""
        self.reason = reason
        """The name of an ErrorReason without its prefix, such as `RATE_LIMITED`; empty when the platform gave none."""
        self.violations = violations
        """The fields at fault."""
        self.retry_after_s = retry_after_s
        """How long the platform asks to wait before the next attempt, in seconds; None when it does not say."""
        self.request_id = request_id
        """What to tell the hotline; empty when the platform was not reached."""

    def __str__(self) -> str:
        fields = "".join(f"; {each.field}: {_both(each.description, each.chinese)}" for each in self.violations)
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.reason or self.code.name}: {_both(self.message, self.chinese)}{fields}{request}"

    @classmethod
    def of(cls, status: status_pb2.Status) -> Self:
        """The error that a google.rpc.Status describes; details that the SDK does not know are passed over."""
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        request = error_details_pb2.RequestInfo()
        localized = error_details_pb2.LocalizedMessage()
        asked_to_wait = False
        for detail in status.details:
            asked_to_wait |= detail.Unpack(retry)
            for known in (info, bad, request, localized):
                detail.Unpack(known)
        return cls(
            _CODES.get(status.code, StatusCode.UNKNOWN),
            status.message,
            chinese=localized.message,
            reason=info.reason,
            violations=tuple(
                FieldViolation(each.field, each.reason, each.description, each.localized_message.message)
                for each in bad.field_violations
            ),
            retry_after_s=retry.retry_delay.ToMilliseconds() / 1000 if asked_to_wait else None,
            request_id=request.request_id,
        )


def _both(english: str, chinese: str) -> str:
    return f"{english} {chinese}".rstrip()


class CertificateError(PlatformError):
    """The platform's certificate does not belong to the authority that is trusted, or not to this host."""

    def __init__(self) -> None:
        super().__init__(
            StatusCode.UNAVAILABLE,
            "the platform's certificate is not trusted: is the CA file the right one?",
            chinese="平台证书不受信任",
        )
