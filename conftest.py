"""How tests are dealt to pytest's workers: a file's tests stay together, and so do all that need the whole platform."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One platform serves them all, so they run in one worker; and they are slow."""
    for item in items:
        together = "platform" in getattr(item, "fixturenames", ())
        if together:
            item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group("platform" if together else item.path.stem))
