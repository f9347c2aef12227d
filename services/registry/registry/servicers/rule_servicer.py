"""Rules whose values change with the law."""

from mesh.boundary import Context
from mesh.caller import current
from parkmesh.registry.v1 import rule_service_pb2 as messages
from parkmesh.registry.v1 import rule_service_pb2_grpc
from parkmesh.registry.v1.rule_pb2 import Rule

from registry.servicers.requests import instant, next_token, place
from registry.static.rules import Rules


class RuleServicer(rule_service_pb2_grpc.RuleServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def CreateRule(self, request: messages.CreateRuleRequest, context: Context) -> Rule:
        """See the proto."""
        return await self._rules.create(current(), request.rule, request.reason)

    async def EndRule(self, request: messages.EndRuleRequest, context: Context) -> Rule:
        """See the proto."""
        return await self._rules.end(current(), request.rule_id, instant(request, "end_time"), request.reason)

    async def ListRules(self, request: messages.ListRulesRequest, context: Context) -> messages.ListRulesResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._rules.list(after, size + 1)
        return messages.ListRulesResponse(
            rules=[rule for _, rule in found[:size]],
            next_page_token=next_token(request, size, [key for key, _ in found]),
        )
