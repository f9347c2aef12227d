"""What the registry refuses, one class each."""

from collections.abc import Sequence

from mesh.errors import FieldViolation, MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary.refusal import Refusal


class LotNotFound(MeshError):  # noqa: N818 - named as the reason is, here and below
    """No such lot, or none that this caller may see: never told apart."""

    def __init__(self) -> None:
        super().__init__(reasons.ERROR_REASON_LOT_NOT_FOUND, "No such lot, or no grant for it.")


class NotRegistered(MeshError):  # noqa: N818
    """No such vendor, credential or grant."""

    def __init__(self, what: str) -> None:
        super().__init__(reasons.ERROR_REASON_RESOURCE_NOT_FOUND, f"No such {what}.", metadata={"resource": what})


class AlreadyRegistered(MeshError):  # noqa: N818
    """Another one has this number or name."""

    def __init__(self, field: str) -> None:
        super().__init__(
            reasons.ERROR_REASON_ALREADY_REGISTERED, f"The {field} is already registered.", metadata={"field": field}
        )


class InvalidFields(MeshError):  # noqa: N818
    """Fields break rules that the proto cannot state: all of a request's at once, never none of them."""

    def __init__(self, fields: Sequence[FieldViolation]) -> None:
        super().__init__(reasons.ERROR_REASON_INVALID_FIELD, "A field breaks a rule.", fields=fields)


class InvalidField(InvalidFields):
    """One field breaks a rule; `english` and `chinese` say what would be right and never what was sent."""

    def __init__(self, field: str, rule: str, english: str, chinese: str = "") -> None:
        super().__init__([FieldViolation(field, rule, english, chinese)])


class EffectiveTooEarly(InvalidField):
    """A change is said to have become true before the object was there."""

    def __init__(self) -> None:
        super().__init__(
            "effectiveTime",
            "effective_time.before_first",
            "must not lie before the time from which the object was registered",
            "不得早于该对象的首次生效时间",
        )


class EtagMismatch(MeshError):  # noqa: N818
    """The caller changes a state that it has not seen."""

    def __init__(self, etag: str) -> None:
        super().__init__(
            reasons.ERROR_REASON_ETAG_MISMATCH,
            "The object was changed since you read it.",
            metadata={"etag": etag},
        )


class StateNotAllowed(MeshError):  # noqa: N818
    """The object's present state does not allow the step."""

    def __init__(self, state: str) -> None:
        super().__init__(
            reasons.ERROR_REASON_STATE_NOT_ALLOWED,
            "The object's present state does not allow this.",
            metadata={"state": state},
        )


class BadCredential(MeshError):  # noqa: N818
    """Unknown, wrong, expired or revoked: never told apart."""

    def __init__(self) -> None:
        super().__init__(
            reasons.ERROR_REASON_BAD_CREDENTIAL,
            "The client id or the client secret is wrong, or the credential has ended.",
        )


class BadCode(MeshError):  # noqa: N818
    """A one-time code that is unknown, used or over: never told apart."""

    def __init__(self) -> None:
        super().__init__(reasons.ERROR_REASON_BAD_CODE, "The one-time code is unknown, used, or no longer good.")


class BadLogin(MeshError):  # noqa: N818
    """Login, password or second factor is wrong, or the account is not in use: never told apart."""

    def __init__(self) -> None:
        super().__init__(
            reasons.ERROR_REASON_BAD_LOGIN, "Login, password or second factor is wrong, or the account is locked."
        )


class TooManyLogins(MeshError):  # noqa: N818
    """More passwords wait to be checked than the registry can check."""

    def __init__(self) -> None:
        super().__init__(
            reasons.ERROR_REASON_RATE_LIMITED, "Too many logins at once: try again in a moment.", retry_after_ms=1000
        )


class RolesNotSeparate(MeshError):  # noqa: N818
    """One person would hold two roles that separate persons must hold, or decide about itself."""

    def __init__(self) -> None:
        super().__init__(
            reasons.ERROR_REASON_ROLES_NOT_SEPARATE,
            "One person would hold two roles that must be held by separate persons.",
        )


class SurveyConflict(MeshError):  # noqa: N818
    """The caller applied another census under this id."""

    def __init__(self) -> None:
        super().__init__(
            reasons.ERROR_REASON_SURVEY_CONFLICT,
            "A survey with this id was applied before with another file or other parameters.",
        )


class SurveyInvalid(MeshError):  # noqa: N818
    """Rows are wrong and were not to be passed over; `fields` names their cells as `content[line].heading`."""

    def __init__(self, invalid_rows: int, fields: Sequence[FieldViolation]) -> None:
        super().__init__(
            reasons.ERROR_REASON_SURVEY_INVALID,
            "Rows of the survey are wrong; a dry run reports every row.",
            fields=fields,
            metadata={"invalid_rows": str(invalid_rows)},
        )


class SurveyUnreadable(MeshError):  # noqa: N818
    """The file is not what its format says, or its heading does not name the columns that are needed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            reasons.ERROR_REASON_SURVEY_UNREADABLE,
            "The file cannot be read as the format named.",
            fields=[FieldViolation("content", refusal.rule.id, refusal.english, refusal.chinese)],
        )


class TooManySurveys(MeshError):  # noqa: N818
    """More censuses wait for their turn than the registry holds in memory."""

    def __init__(self) -> None:
        super().__init__(
            reasons.ERROR_REASON_RATE_LIMITED, "Too many surveys at once: try again in a while.", retry_after_ms=10_000
        )


class StoreUnavailable(MeshError):  # noqa: N818
    """The database cannot be reached; whether a change was made is unknown."""

    def __init__(self) -> None:
        super().__init__(
            reasons.ERROR_REASON_SERVICE_UNAVAILABLE, "The registry's database is not available.", retry_after_ms=1000
        )
