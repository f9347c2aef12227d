"""Updates: which fields are changed, and which are cleared."""

from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1.operator_pb2 import Contact

from parkmesh_cli.admin import moments
from parkmesh_cli.errors import MisuseError

_CONTACT = "must be name;duty;phone;email, all but the name may be left out 须为“姓名;职责;电话;邮箱”"


def contact(given: str) -> Contact:
    """The contact that `name;duty;phone;email` describes; BadParameter when it has more parts, or no name."""
    parts = [part.strip() for part in given.replace("；", ";").split(";")]
    if len(parts) > len(Contact.DESCRIPTOR.fields) or not parts[0]:
        raise typer.BadParameter(_CONTACT)
    return Contact(**dict(zip(("name", "duty", "phone", "email"), parts, strict=False)))


Contacts = Annotated[
    list[Contact] | None,
    typer.Option(
        "--contact",
        help="Whom to turn to: name;duty;phone;email. Repeat it for more. 联系人：姓名;职责;电话;邮箱",
        parser=contact,
        metavar="CONTACT",
    ),
]
Reason = Annotated[str, typer.Option(help="Why, for the history. 变更原因")]
Effective = Annotated[
    Timestamp | None,
    moments.option("--effective", help="When it became true; unset: now (R6.2: report it within 48 h). 实际生效时间"),
]
Etag = Annotated[str, typer.Option(help="Only when this is still the state: the etag you have seen. 版本标签")]
Clear = Annotated[list[str] | None, typer.Option(help="A field to clear, as --json names it; repeatable. 清空字段")]


def mask(changed: Message, clear: list[str] | None) -> FieldMask:
    """Names the fields that are set and those to be cleared; MisuseError when there is none, or no such field."""
    names = {field.json_name: field.name for field in changed.DESCRIPTOR.fields}
    unknown = [name for name in clear or () if name not in names]
    if unknown:
        raise MisuseError(f"--clear must be one of 须为以下之一: {', '.join(names)}")
    paths = [field.name for field, _ in changed.ListFields() if field.name != "etag"]
    paths += [names[name] for name in clear or ()]
    if not paths:
        raise MisuseError("nothing to change was named 未指定变更内容")
    return FieldMask(paths=paths)
