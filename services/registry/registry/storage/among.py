"""Membership in a list of any length, as one parameter: databases bound how many a statement may have."""

import json
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Texts(FunctionElement[str]):
    """The texts of a JSON array, one row each."""

    name = "texts"
    inherit_cache = True


@compiles(_Texts, "sqlite")
def _on_sqlite(texts: _Texts, compiler: SQLCompiler, **named: Any) -> str:
    return f"json_each({compiler.process(texts.clauses, **named)})"


@compiles(_Texts, "postgresql")
def _on_postgresql(texts: _Texts, compiler: SQLCompiler, **named: Any) -> str:
    return f"jsonb_array_elements_text(CAST({compiler.process(texts.clauses, **named)} AS JSONB))"


def among(column: sa.ColumnClause[Any], texts: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether the column's value is one of these texts."""
    rows = _Texts(sa.literal(json.dumps(sorted(texts)))).table_valued("value")
    return column.in_(sa.select(rows.c.value))
