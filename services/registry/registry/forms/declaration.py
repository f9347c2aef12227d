"""Declarations: what the operator says to have, how much of it the regulation asks for, and what proves it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from mesh.errors import FieldViolation
from parkmesh.registry.v1.lot_pb2 import (
    DECLARATION_TYPE_CAMERAS,
    DECLARATION_TYPE_EMERGENCY_PLAN,
    DECLARATION_TYPE_UPLINK,
    DECLARATION_TYPE_UPS,
    DECLARATION_TYPE_VIDEO_RETENTION,
    Declaration,
    DeclarationType,
    Evidence,
)
from vocabulary import refusal

from registry.forms.violation import broken

LEAST: Final[Mapping[DeclarationType.ValueType, int]] = MappingProxyType(
    {
        DECLARATION_TYPE_UPS: 60,  # A11, minutes
        DECLARATION_TYPE_UPLINK: 1000,  # A9, kbit/s
        DECLARATION_TYPE_CAMERAS: 2000,  # A2, thousands of pixels
        DECLARATION_TYPE_VIDEO_RETENTION: 30,  # A4, days
    }
)
"""What the annex asks for, in the unit that the proto gives the type."""

_NOTHING: Final = hashlib.sha256().hexdigest()


class DeclarationRule(refusal.Rule):
    """What can be wrong with a declaration or its evidence."""

    TYPE = ("declaration.type_unique", "each type of declaration stands once", "每种申报事项只列一次")
    AMOUNT = (
        "declaration.amount_unused",
        "must be left out: an emergency plan has no amount",
        "应急预案没有数值，请不要填写",
    )
    EVIDENCE = (
        "evidence.reference_required",
        "must say where the document is kept (`reference`), or which it is (`sha256`)",
        "须填写证明材料的存放位置或文号（reference）或文件摘要（sha256）",
    )
    EMPTY = (
        "evidence.empty_document",
        "must be the digest of the document; this is the digest of an empty file",
        "须为该文件的摘要，而非空文件的摘要",
    )
    TWICE = (
        "evidence.unique",
        "each document stands once in a declaration",
        "同一申报中每份证明材料只列一次",
    )


def examine(declarations: Iterable[Declaration], path: str) -> Iterator[FieldViolation]:
    """Each type once, each document once and to be found; `path` is the list's."""
    seen = set()
    for at, declaration in enumerate(declarations):
        if declaration.type in seen:
            yield broken(f"{path}[{at}].type", DeclarationRule.TYPE)
        seen.add(declaration.type)
        if declaration.type == DECLARATION_TYPE_EMERGENCY_PLAN and declaration.amount:
            yield broken(f"{path}[{at}].amount", DeclarationRule.AMOUNT)
        yield from _evidence(declaration.evidence, f"{path}[{at}].evidence")


def below_rule(declarations: Iterable[Declaration]) -> bool:
    """Whether one stays below what the regulation asks for; one without an amount does."""
    return any(declaration.amount < LEAST.get(declaration.type, 0) for declaration in declarations)


def _evidence(documents: Iterable[Evidence], path: str) -> Iterator[FieldViolation]:
    seen = set()
    for at, document in enumerate(documents):
        if not document.sha256:
            if not document.reference.strip():
                yield broken(f"{path}[{at}]", DeclarationRule.EVIDENCE)
        elif document.sha256 == _NOTHING:
            yield broken(f"{path}[{at}].sha256", DeclarationRule.EMPTY)
        elif document.sha256 in seen:
            yield broken(f"{path}[{at}].sha256", DeclarationRule.TWICE)
        seen.add(document.sha256)
