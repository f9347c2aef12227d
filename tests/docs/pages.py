"""The documents as the tests read them: headings, links, code.

A comment before a code block says what a test does with it: `<!-- run -->` runs it, `<!-- file NAME -->` writes it
beside them, `<!-- prints -->` holds the JSON lines that the block run before it prints, `…` standing for anything.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
ONBOARDING = (ROOT / "docs" / "onboarding.md", ROOT / "docs" / "onboarding.zh-CN.md")
RECONCILIATION = ROOT / "docs" / "reconciliation.md"
REQUIREMENTS = ROOT / "docs" / "requirements.md"

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^>]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A fenced block of code."""

    mark: str
    """What the comment before it says; empty without one."""
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The code blocks in order."""
    found = _BLOCK.finditer(page.read_text())
    return [Block(block["mark"] or "", block["language"], block["text"]) for block in found]


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _BLOCK.sub("", page.read_text())


def headings(page: Path) -> list[str]:
    """The headings in order."""
    return re.findall(r"^#+ .+$", prose(page), re.MULTILINE)


def code(page: Path) -> list[str]:
    """What stands between single backticks, in order."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def links(page: Path) -> list[str]:
    """The links that lead to files, without their fragments."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [link.partition("#")[0] for link in found if not re.match(r"\w+:|#", link)]


def agrees(said: Any, printed: Any) -> bool:
    """Whether what was printed is what a page says, which may leave out members of objects."""
    if said == "…":
        return True
    if isinstance(said, dict):
        return isinstance(printed, dict) and all(
            key in printed and agrees(value, printed[key]) for key, value in said.items()
        )
    if isinstance(said, list):
        return isinstance(printed, list) and len(said) == len(printed) and all(map(agrees, said, printed))
    return bool(said == printed)
