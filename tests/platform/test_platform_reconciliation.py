"""A day is reconciled and closed by following docs/reconciliation.md, with plain REST."""

from pathlib import Path

from local_platform.testing import RunningPlatform

from tests.docs.pages import RECONCILIATION
from tests.docs.typed import as_told


def test_the_books_agree_by_following_the_page(platform: RunningPlatform, tmp_path: Path) -> None:
    assert as_told(RECONCILIATION, tmp_path, platform) > 10
