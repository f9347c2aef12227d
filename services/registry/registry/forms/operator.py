"""Operators: a lawful credit code, and people who can be reached."""

from collections.abc import Iterator

from mesh.errors import FieldViolation
from parkmesh.registry.v1.operator_pb2 import Operator
from vocabulary import credit_code
from vocabulary.refusal import Refusal

from registry.forms import contact, phone
from registry.forms.facts import Facts
from registry.forms.violation import refused


async def examine(operator: Operator, facts: Facts, path: str) -> list[FieldViolation]:
    """Puts code and phones into canonical form and sets the flag of the early pilot codes (GB 32100-2015, R5.1)."""
    return [
        *_credit_code(operator, path),
        *contact.examine(operator.contacts, f"{path}.contacts"),
        *phone.examine(operator, "complaint_phone", path),
    ]


def _credit_code(operator: Operator, path: str) -> Iterator[FieldViolation]:
    operator.credit_code_legacy_pilot = False
    try:
        code = credit_code.parse(operator.credit_code)
    except Refusal as refusal:
        yield refused(f"{path}.creditCode", refusal)
        return
    operator.credit_code = code.text
    operator.credit_code_legacy_pilot = code.legacy_pilot
