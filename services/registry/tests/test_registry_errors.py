"""Fields that break a rule are all named at once, in English and Chinese."""

from google.rpc import error_details_pb2 as details  # type: ignore[import-untyped]
from mesh.errors import FieldViolation, status_of
from registry.errors import InvalidField, InvalidFields


def test_all_fields_at_fault_are_named_in_both_languages() -> None:
    error = InvalidFields(
        [
            FieldViolation("lot.name", "lot.name.road", "must begin with the road", "须以道路名称开头"),
            FieldViolation("lot.phone", "phone.form", "must be a telephone number", "须为电话号码"),
        ]
    )
    bad = details.BadRequest()
    assert status_of(error, "request-1").details[1].Unpack(bad)
    assert [(found.field, found.localized_message.message) for found in bad.field_violations] == [
        ("lot.name", "须以道路名称开头"),
        ("lot.phone", "须为电话号码"),
    ]


def test_one_field_is_the_short_form() -> None:
    assert InvalidField("lotId", "lot.same", "must be the lot", "须为同一停车场").fields == (
        ("lotId", "lot.same", "must be the lot", "须为同一停车场"),
    )
