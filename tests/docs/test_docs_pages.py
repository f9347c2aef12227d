"""The documents agree with the code and with each other."""

import ast
import dataclasses
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest
from access_records.settings import Settings as AccessRecords
from access_records.settings import WriterSettings as HistoryWriter
from local_platform.settings import Settings as LocalPlatform
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason

from tests.docs.pages import (
    ONBOARDING,
    READMES,
    RECONCILIATION,
    REQUIREMENTS,
    ROOT,
    blocks,
    code,
    headings,
    links,
    prose,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # envoy-data-plane uses pydantic in a deprecated way
    from edge.openapi.bindings import bindings
    from edge.openapi.document import served
    from edge.refusals import REFUSALS

PAGES = [*READMES, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "deploy").glob("*/README.md"))]
ENGLISH, CHINESE = READMES
PAIRS = (READMES, ONBOARDING)
Pair = tuple[Path, Path]
VARIABLE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair[0].name))
class TestBothLanguages:
    def test_have_the_same_sections(self, pair: Pair) -> None:
        levels = [[heading.partition(" ")[0] for heading in headings(page)] for page in pair]
        assert levels[0] == levels[1]

    def test_show_the_same_code(self, pair: Pair) -> None:
        english, chinese = pair
        assert blocks(english) == blocks(chinese)
        assert set(code(english)) == set(code(chinese))

    def test_lead_to_the_same_pages(self, pair: Pair) -> None:
        found = [{link.replace(".zh-CN", "") for link in links(page)} - {page.name for page in pair} for page in pair]
        assert found[0] == found[1]

    def test_give_the_same_figures(self, pair: Pair) -> None:
        digits = [set(re.findall(r"\d[\d,.]*\d|\d", prose(page))) for page in pair]
        assert digits[0] == digits[1]


@pytest.mark.parametrize(
    "page", [*(page for pair in PAIRS for page in pair), RECONCILIATION], ids=lambda page: str(page.name)
)
def test_every_call_that_is_named_exists(page: Path) -> None:
    calls = {f"{each.verb.upper()} {each.path}" for method in served() for each in bindings(method)}
    named = [word for word in code(page) if re.fullmatch(r"(GET|POST|PATCH|PUT|DELETE) /v1/\S+", word)]
    assert [call for call in named if call not in calls] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_of_make_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = [*code(page), *(line for block in blocks(page) for line in block.text.splitlines())]
    named = {command.split()[1] for command in commands if re.match(r"make [a-z]", command)}
    assert named <= targets


def test_the_settings_of_the_platform_are_all_there() -> None:
    asked: set[str] = set()

    class Environment(dict[str, str]):
        def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
            asked.add(name)
            return default

    environment: Mapping[str, str] = Environment()
    LocalPlatform.from_env(environment)
    of_services = {
        f"{service}_{field.name.upper()}"
        for service, settings in (("ACCESS_RECORDS", AccessRecords), ("HISTORY_WRITER", HistoryWriter))
        for field in dataclasses.fields(settings)
    }
    named = {word for word in code(ENGLISH) if VARIABLE.fullmatch(word)}
    assert asked <= named
    assert named <= asked | of_services


def test_every_path_of_the_readme_exists() -> None:
    paths = [word for word in code(ENGLISH) if re.fullmatch(r"(protos|services|libs|deploy|tests|docs)/[\w./-]*", word)]
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_readme_names_every_view_that_analysts_read() -> None:
    views = set(re.findall(r"^### ([a-z_]+)$", (ROOT / "docs" / "analysts.md").read_text(), re.MULTILINE))
    assert len(views) > 10
    assert views - set(code(ENGLISH)) == set()


def test_requirements_name_code_and_tests_that_exist() -> None:
    named = [word for word in code(REQUIREMENTS) if "/" in word and " " not in word]
    assert len(named) > 40
    assert [word for word in named if not (ROOT / word.partition("::")[0]).exists()] == []
    lacking = [
        word
        for word in named
        if "::" in word and word.partition("::")[2] not in functions(ROOT / word.partition("::")[0])
    ]
    assert lacking == []


def test_each_requirement_has_one_state() -> None:
    met, _, missing = REQUIREMENTS.read_text().partition("\n## Not yet")
    rows = re.findall(r"^\| ((?:R|A)\d+(?:\.\d+)?[a-z]?) \|", met, re.MULTILINE)
    listed = re.findall(r"^- ((?:R|A)\d+(?:\.\d+)?[a-z]?) ", missing, re.MULTILINE)
    assert rows
    assert listed
    assert len({*rows, *listed}) == len(rows) + len(listed)


def test_every_status_of_the_edge_stands_in_the_page_of_errors() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| \w+ \| ([\d, ]+) \|", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)
    )
    for http, refusal in REFUSALS.items():
        reason = ErrorReason.Name(refusal.reason).removeprefix("ERROR_REASON_")
        assert str(http) in rows[reason].split(", "), reason


def functions(module: Path) -> set[str]:
    """The names of a module's functions, those of classes among them."""
    tree = ast.parse(module.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
