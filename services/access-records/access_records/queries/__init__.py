"""What the services ask of the history: one reviewed SQL file for each question, its parameters as `{name:Type}`."""

import importlib.resources
from functools import cache


@cache
def query(name: str) -> str:
    """The text of `name.sql`, which begins with a `--` comment that says what it answers. FileNotFoundError."""
    return importlib.resources.files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


@cache
def worked() -> tuple[str, ...]:
    """The names of the worked queries for analysts, `analysts/NN_what_it_asks`, in order: docs/analysts.md."""
    folder = importlib.resources.files(__name__).joinpath("analysts")
    return tuple(sorted(f"analysts/{file.name.removesuffix('.sql')}" for file in folder.iterdir()))
