"""How tests are dealt to pytest's workers, and which of them are slow by nature."""

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever needs the whole platform is slow."""
    for item in items:
        if "platform" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
