"""The values of the contract's enums as one types and reads them: `NOT_CONNECTED` is `not-connected`."""

from typing import Any, Final

import typer
from google.protobuf.descriptor import EnumDescriptor

from parkmesh_cli.admin.moments import ABSENT

_UNSPECIFIED: Final = "UNSPECIFIED"


class Words:
    """The words of one enum; its zero has none."""

    def __init__(self, enum: EnumDescriptor) -> None:
        first = enum.values_by_number[0].name
        prefix = first.removesuffix(_UNSPECIFIED)
        self._numbers = {
            value.name.removeprefix(prefix).lower().replace("_", "-"): value.number
            for value in enum.values
            if value.name != first
        }
        self._words = {number: word for word, number in self._numbers.items()}

    def number(self, given: str) -> Any:
        """The value that the word stands for; BadParameter, naming all words, when it is none."""
        found = self._numbers.get(given)
        if found is None:
            raise typer.BadParameter(f"must be one of 须为以下之一: {', '.join(self._numbers)}")
        return found

    def word(self, number: int) -> str:
        """The word for a value; a dash for zero, and the number itself when this command is older than the value."""
        return self._words.get(number, str(number) if number else ABSENT)

    def option(self, *names: str, help: str) -> Any:  # noqa: A002 - Typer's own word
        """An option that takes one of the words."""
        return typer.Option(*names, help=help, parser=self.number, metavar="|".join(self._numbers))

    def argument(self, *, help: str) -> Any:  # noqa: A002 - Typer's own word
        """An argument that takes one of the words."""
        return typer.Argument(help=f"{help} {', '.join(self._numbers)}", parser=self.number, metavar="WORD")
