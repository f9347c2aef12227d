"""One running platform for the tests of this folder that need nothing special of it."""

from collections.abc import Iterator

import pytest
from local_platform.testing import RunningPlatform, running


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """The whole platform, ready. A test that stops something brings it back before it ends."""
    with running(tmp_path_factory.mktemp("scenarios")) as platform:
        yield platform
