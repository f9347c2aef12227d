"""How tests are dealt to pytest's workers, and which of them are slow by nature."""

import os
import pathlib

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

PLATFORM = "tests/platform/"


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is untyped
    """The tests of a file share what they have set up; all tests of PLATFORM share one running platform."""

    def _split_scope(self, nodeid: str) -> str:
        return PLATFORM if nodeid.startswith(PLATFORM) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """Takes the place of --dist."""
    return ByFile(config, log)


SHARED = pathlib.Path(__file__).parent.parent / "shared"
"""Real data for tests, beside the checkout; an automated run must have it."""


def lacks_shared() -> bool:
    """Whether the tests that read SHARED cannot run and need not."""
    return not SHARED.is_dir() and not os.environ.get("CI")


def pytest_report_header() -> str | None:
    """Says what is left out."""
    return (
        "without ../shared: the tests that read its real day and its vectors are left out" if lacks_shared() else None
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever needs the whole platform is slow; whoever reads SHARED is left out where there is none."""
    for item in items:
        if "platform" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    if lacks_shared():
        without = [item for item in items if item.get_closest_marker("shared")]
        items[:] = [item for item in items if item not in without]
        config.hook.pytest_deselected(items=without)
