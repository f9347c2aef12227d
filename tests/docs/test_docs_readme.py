"""What the README tells a newcomer, a vendor and an analyst to type works, and prints what it says."""

import re
from collections.abc import Iterator

import clickhouse_connect
import pytest
from local_platform.testing import RunningPlatform, running

from tests.docs.pages import READMES, ROOT
from tests.docs.typed import as_told

pytestmark = pytest.mark.slow

PAGE = READMES[0]
ANALYSTS = ROOT / "docs" / "analysts.md"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with running(tmp_path_factory.mktemp("readme") / "var") as platform:
        yield platform


def test_what_is_to_be_typed_works(platform: RunningPlatform) -> None:
    assert as_told(PAGE, platform.folder.parent, platform) > 5


def test_the_published_views_have_the_columns_that_the_page_for_analysts_names(platform: RunningPlatform) -> None:
    account = platform.demo["clickhouse"]
    client = clickhouse_connect.get_client(dsn=account["url"], username=account["user"], password=account["password"])
    try:
        tables = {row[0] for row in client.query("SHOW TABLES FROM parkmesh").result_rows}
        columns = {name: [row[0] for row in client.query(f"DESCRIBE parkmesh.{name}").result_rows] for name in tables}
    finally:
        client.close()
    sections = re.findall(r"^### (\w+)\n\n\| Column .*\n.*\n((?:\|.*\n)+)", ANALYSTS.read_text(), re.MULTILINE)
    assert {name: re.findall(r"^\| `(\w+)`", rows, re.MULTILINE) for name, rows in sections} == columns
