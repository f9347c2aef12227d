"""One running platform for all tests of this folder."""

from collections.abc import Iterator

import pytest
from local_platform.testing import RunningPlatform, running


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """The whole platform, ready. A test that stops or kills something brings it back before it ends."""
    with running(tmp_path_factory.mktemp("platform")) as platform:
        yield platform
