"""How facts of the register are shown: for programs as JSON, for people as a table of many or a card of one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from parkmesh_cli.admin import moments

_TIME: Final = Timestamp.DESCRIPTOR.full_name


class Column(NamedTuple):
    """A column of a table."""

    title: str
    cell: Callable[[Any], object]
    """What it shows of a message."""
    whole: bool = False
    """Whether it is never broken over lines: ids, which are copied."""


def time(title: str, field: str) -> Column:
    """A column for the time in that field."""
    return Column(f"{title}\n+08:00", lambda message: moments.shown(message, field), whole=True)


def content(message: Message) -> dict[str, Any]:
    """The message as the platform's own JSON, but with its times at +08:00."""
    fields: dict[str, Any] = MessageToDict(message, always_print_fields_with_no_presence=True)
    return _in_beijing(type(message).DESCRIPTOR, fields)


def table(messages: Iterable[Message], columns: Sequence[Column]) -> Table:
    """The messages, a row each."""
    drawn = Table()
    for column in columns:
        least = max(map(cell_len, column.title.split()))
        drawn.add_column(column.title, no_wrap=column.whole, overflow="fold", min_width=least)
    for message in messages:
        drawn.add_row(*(Text(str(column.cell(message))) for column in columns))
    return drawn


def card(message: Message) -> Table:
    """What is set in one message, a row for each field."""
    drawn = Table(show_header=False)
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for path, value in _leaves("", _in_beijing(type(message).DESCRIPTOR, MessageToDict(message))):
        drawn.add_row(Text(path), Text(str(value)))
    return drawn


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(f"{path}[{place}]", inner)
    else:
        yield path, value


def _in_beijing(descriptor: Any, fields: dict[str, Any]) -> dict[str, Any]:
    for field in descriptor.fields:
        inner = fields.get(field.json_name)
        if field.message_type is None or inner is None:
            continue
        change = _at_beijing if field.message_type.full_name == _TIME else _within(field.message_type)
        fields[field.json_name] = [change(each) for each in inner] if field.is_repeated else change(inner)
    return fields


def _within(descriptor: Any) -> Callable[[Any], Any]:
    return lambda fields: _in_beijing(descriptor, fields)


def _at_beijing(utc: str) -> str:
    time = Timestamp()
    time.FromJsonString(utc)
    return moments.rfc3339(time)
