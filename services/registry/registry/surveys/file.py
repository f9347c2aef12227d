"""A census file: read by its format."""

from parkmesh.registry.v1.survey_service_pb2 import SURVEY_FORMAT_XLSX, SurveyFormat
from vocabulary.refusal import Refusal

from registry.errors import SurveyUnreadable
from registry.surveys import csv_sheet, xlsx_sheet
from registry.surveys.sheet import Sheet, gathered


def read(content: bytes, format: SurveyFormat.ValueType) -> Sheet:  # noqa: A002 - as the request names it
    """The sheet that the file holds. SurveyUnreadable. Takes its time: not for the event loop."""
    reader = xlsx_sheet if format == SURVEY_FORMAT_XLSX else csv_sheet
    try:
        return gathered(reader.lines(content))
    except Refusal as refusal:
        raise SurveyUnreadable(refusal) from refusal
