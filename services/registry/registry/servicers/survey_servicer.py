"""Surveys: censuses of lots, gates and berths."""

from mesh.boundary import Context
from mesh.caller import current
from parkmesh.registry.v1 import survey_service_pb2 as messages
from parkmesh.registry.v1 import survey_service_pb2_grpc

from registry.servicers.requests import effective, next_token, place
from registry.surveys.surveys import Census, Surveys


class SurveyServicer(survey_service_pb2_grpc.SurveyServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, surveys: Surveys) -> None:
        self._surveys = surveys

    async def ImportSurvey(self, request: messages.ImportSurveyRequest, context: Context) -> messages.Survey:
        """See the proto."""
        census = Census(
            survey_id=request.survey_id,
            subject=request.subject,
            format=request.format,
            content=request.content,
            source=request.source,
            dry_run=request.dry_run,
            skip_invalid=request.skip_invalid,
            division_code=request.division_code,
            effective_ms=effective(request),
        )
        return await self._surveys.import_survey(current(), census)

    async def GetSurvey(self, request: messages.GetSurveyRequest, context: Context) -> messages.Survey:
        """See the proto."""
        return await self._surveys.survey(current(), request.survey_id, request.author)

    async def ListSurveys(self, request: messages.ListSurveysRequest, context: Context) -> messages.ListSurveysResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._surveys.surveys(current(), after, size + 1)
        return messages.ListSurveysResponse(
            surveys=[survey for _, survey in found[:size]],
            next_page_token=next_token(request, size, [key for key, _ in found]),
        )
