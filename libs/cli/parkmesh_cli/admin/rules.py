"""`parkmesh admin rules`: values that change with the law, each with its basis and validity (R10)."""

from typing import Annotated, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import rule_pb2
from parkmesh.registry.v1 import rule_service_pb2 as service
from parkmesh.registry.v1.rule_pb2 import RuleName
from parkmesh_sdk import Method

from parkmesh_cli.admin import moments
from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.changing import Reason
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words
from parkmesh_cli.errors import MisuseError

app = group("Rules with their legal basis and validity. 规则")

NAMES: Final = Words(RuleName.DESCRIPTOR)
RULES: Final = (
    Column("rule 规则标识", lambda rule: rule.rule_id, whole=True),
    Column("name 名称", lambda rule: NAMES.word(rule.name)),
    Column("value 取值", lambda rule: rule.text or rule.number),
    Column("basis 依据", lambda rule: rule.basis),
    Column("from, until\n有效期 +08:00", lambda rule: moments.span(rule, "start_time", "end_time"), whole=True),
)

_FILE: Final = service.DESCRIPTOR
_CREATE: Final = Method.of(_FILE, "RuleService", "CreateRule", service.CreateRuleRequest, rule_pb2.Rule)
_END: Final = Method.of(_FILE, "RuleService", "EndRule", service.EndRuleRequest, rule_pb2.Rule)
_LIST: Final = Method.of(_FILE, "RuleService", "ListRules", service.ListRulesRequest, service.ListRulesResponse)


@app.command()
@asks(Office.ADMINISTRATOR)
async def add(
    desk: Desk,
    name: Annotated[RuleName.ValueType, NAMES.argument(help="What it sets 规则名称:")],
    basis: Annotated[str, typer.Option(help="Its legal basis, e.g. 莆公规〔2024〕1号 第六条. 依据")],
    start: Annotated[Timestamp, moments.option("--from", help="From when on it holds. 生效时间")],
    end: Annotated[
        Timestamp | None, moments.option("--until", help="Until when; unset: until it is ended. 终止时间")
    ] = None,
    number: Annotated[
        int | None, typer.Option(min=0, max=1_000_000, help="Its value, for rules that are numbers. 数值")
    ] = None,
    text: Annotated[str, typer.Option(help="Its value, for rules that are texts. 文本")] = "",
    reason: Reason = "",
) -> None:
    """Adds a rule. Where several hold at once, the one that began last counts. 新增规则"""
    if (number is None) == (not text):
        raise MisuseError("a rule needs either --number or --text 请给出数值或文本之一")
    rule = rule_pb2.Rule(name=name, number=number or 0, text=text, basis=basis, start_time=start, end_time=end)
    desk.show(await desk.call(_CREATE, service.CreateRuleRequest(rule=rule, reason=reason)))


@app.command()
@asks(Office.ADMINISTRATOR)
async def end(
    desk: Desk,
    rule: Annotated[str, typer.Argument(help="The rule's id. 规则标识")],
    end: Annotated[Timestamp | None, moments.option("--at", help="When it ends; unset: now. 终止时间")] = None,
    reason: Reason = "",
) -> None:
    """Ends a rule. 终止规则"""
    desk.show(await desk.call(_END, service.EndRuleRequest(rule_id=rule, end_time=end, reason=reason)))


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(desk: Desk) -> None:
    """Lists all rules, those that are over too. 规则列表"""
    desk.show_all(await desk.every(_LIST, service.ListRulesRequest(), "rules"), RULES)
