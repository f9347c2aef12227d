"""What the services ask of the history: one reviewed SQL file for each question, its parameters as `{name:Type}`."""

import importlib.resources
from functools import cache


@cache
def query(name: str) -> str:
    """The text of `name.sql`, which begins with a `--` comment that says what it answers. FileNotFoundError."""
    return importlib.resources.files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
