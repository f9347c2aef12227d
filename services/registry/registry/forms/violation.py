"""What a form says about a field that breaks a rule."""

from google.protobuf.message import Message
from mesh.errors import FieldViolation
from vocabulary.refusal import Refusal, Rule


def broken(field: str, rule: Rule, **facts: str | int) -> FieldViolation:
    """The violation of a rule; `facts` fill the places that its texts have, and never hold what was sent."""
    return FieldViolation(field, rule.id, rule.english.format(**facts), rule.chinese.format(**facts))


def refused(field: str, refusal: Refusal) -> FieldViolation:
    """The violation that a word of the vocabulary was refused for."""
    return FieldViolation(field, refusal.rule.id, refusal.english, refusal.chinese)


def json_path(path: str, message: Message, name: str) -> str:
    """The path of a message's field, as JSON names it."""
    return f"{path}.{message.DESCRIPTOR.fields_by_name[name].json_name}"
