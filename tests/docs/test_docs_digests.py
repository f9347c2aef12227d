"""The samples compute the published digests and fingerprints, in every language, and see where one is wrong."""

import shutil
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.samples import DIGEST_LANGUAGES, digest_checker, run

pytestmark = pytest.mark.slow

VECTORS = ROOT / "docs" / "vectors"
FILES = ("records.csv", "fingerprints.csv")


@pytest.fixture(scope="module", params=DIGEST_LANGUAGES)
def checker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return digest_checker(request.param, tmp_path_factory.mktemp("digests"))


def damaged(folder: Path, file: str, wrong: tuple[str, str]) -> Path:
    """A copy of the vectors with one text changed wherever it stands in one file."""
    for name in FILES:
        shutil.copy(VECTORS / name, folder / name)
    text = (folder / file).read_text(encoding="utf-8")
    assert wrong[0] in text
    (folder / file).write_text(text.replace(*wrong), encoding="utf-8")
    return folder


def test_all_vectors_agree(checker: list[str]) -> None:
    digests, sets = (len((VECTORS / name).read_text(encoding="utf-8").splitlines()) - 1 for name in FILES)
    assert run([*checker, str(VECTORS)]) == (0, [f"{digests} digests and {sets} fingerprints agree"])


@pytest.mark.parametrize(
    ("file", "wrong", "named"),
    [
        ("records.csv", (",bdfcccd4", ",bdfcccd5"), "20240314-000001"),
        ("records.csv", ("29: 🚒", "27: 🚒"), "e1"),
        ("records.csv", ("gate_id=1:0", "gate_id=0:"), "1"),
        ("fingerprints.csv", ("AAAAE=", "AAAAI="), "a sum with leading zeros"),
        ("fingerprints.csv", (",2,", ",3,"), "a sum that wraps to nothing"),
    ],
)
def test_a_wrong_one_is_named(
    checker: list[str], tmp_path: Path, file: str, wrong: tuple[str, str], named: str
) -> None:
    assert run([*checker, str(damaged(tmp_path, file, wrong))]) == (1, [f"wrong: {named}"])
