"""What the protos' comments say, by the full name of what they stand on."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2

_CJK = "\u4e00-\u9fff"
# The English ends with a sentence, the Chinese term is what follows it and holds no full stop of the English kind.
_BOTH = re.compile(rf"(?P<english>.*[.:;!?)`])\s+(?P<chinese>[^.\n]*[{_CJK}][^.\n]*)", re.DOTALL)

# Field numbers of descriptor.proto: what a path of source information is made of.
_FILE = (("message_type", 4), ("enum_type", 5), ("service", 6), ("extension", 7))
_MESSAGE = (("field", 2), ("nested_type", 3), ("enum_type", 4), ("oneof_decl", 8))
_MEMBERS = {
    "message_type": _MESSAGE,
    "nested_type": _MESSAGE,
    "enum_type": (("value", 2),),
    "service": (("method", 2),),
}


class Comment(NamedTuple):
    """A comment in its two languages; either may be empty."""

    english: str
    chinese: str

    @property
    def text(self) -> str:
        """Both, the English first."""
        return " ".join(filter(None, self))

    @property
    def summary(self) -> str:
        """The first sentence of the English, without its full stop, and the Chinese."""
        first = re.split(r"(?<!e\.g)(?<!i\.e)[.;:] |\.$", self.english, maxsplit=1)[0]
        return " ".join(filter(None, (first, self.chinese)))


NOTHING = Comment("", "")


class Comments:
    """The comments of a descriptor set with source information.

    Names are protobuf's full names; a value of an enum is named `package.Enum.VALUE`.
    """

    def __init__(self, image: bytes) -> None:
        self._texts: dict[str, str] = {}
        for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:
            found = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
            for name, path in _named(file, file.package, (), _FILE):
                if text := found.get(path):
                    self._texts[name] = text

    def of(self, name: str) -> Comment:
        """The comment on the thing of this name; an empty one when there is none."""
        text = " ".join(self.lines(name).split())
        both = _BOTH.fullmatch(text)
        if both:
            return Comment(both["english"], both["chinese"])
        return Comment("", text) if re.match(rf"[{_CJK}]", text) else Comment(text, "")

    def lines(self, name: str) -> str:
        """The comment as it is written, line by line, without the blanks around them."""
        return "\n".join(line.strip() for line in self._texts.get(name, "").strip().split("\n"))


def _named(
    owner: Any, prefix: str, path: tuple[int, ...], members: tuple[tuple[str, int], ...]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Full name and path of everything in a file, message, enum or service."""
    for attribute, number in members:
        for place, member in enumerate(getattr(owner, attribute)):
            name, at = f"{prefix}.{member.name}", (*path, number, place)
            yield name, at
            yield from _named(member, name, at, _MEMBERS.get(attribute, ()))


def described(comment: Comment, notes: Sequence[str] = ()) -> dict[str, str]:
    """A schema's description: the comment, and below it what else there is to say; nothing when there is nothing."""
    text = "\n\n".join(filter(None, (comment.text, " · ".join(notes))))
    return {"description": text} if text else {}
