"""A vendor is onboarded, granted, rotated and revoked by following docs/onboarding.md."""

from pathlib import Path

from local_platform.testing import RunningPlatform

from tests.docs.pages import ONBOARDING
from tests.docs.typed import as_told


def test_a_vendor_comes_and_goes_by_following_the_page(platform: RunningPlatform, tmp_path: Path) -> None:
    assert as_told(ONBOARDING[0], tmp_path, platform) > 15
