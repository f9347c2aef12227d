"""The table of reasons and the page of errors say what the enum's comments say."""

import importlib.util
import pathlib
import subprocess
import sys
from types import ModuleType

import pytest
from mesh.reasons import MEANINGS, chinese_of, name_of
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason

ROOT = pathlib.Path(__file__).parents[3]
SCRIPT = ROOT / "docs" / "generate_errors.py"


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_errors", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_reason_means_what_its_comment_says(docs: ModuleType) -> None:
    told = {reason.name: reason for reason in docs.reasons(docs.IMAGE.read_bytes())}
    assert set(MEANINGS) == set(ErrorReason.values())
    assert set(told) == {name_of(reason) for reason in MEANINGS}
    for reason, meaning in MEANINGS.items():
        comment = told[name_of(reason)]
        assert meaning.code.name == comment.status
        assert meaning.retryable is comment.retry.startswith("yes")
        assert chinese_of(reason) == comment.chinese


def test_page_holds_both_languages_for_every_reason(docs: ModuleType) -> None:
    page = docs.PAGE.read_text()
    for reason in docs.reasons(docs.IMAGE.read_bytes()):
        if reason.name != "UNSPECIFIED":
            assert f"| `{reason.name}` |" in page
            assert reason.chinese in page
            assert any("\u4e00" <= character <= "\u9fff" for character in reason.chinese)


@pytest.mark.slow
def test_page_is_what_the_enum_says_and_a_difference_fails(tmp_path: pathlib.Path) -> None:
    assert subprocess.run([sys.executable, SCRIPT, "--check"], check=False).returncode == 0
    copy = tmp_path / "docs" / "generate_errors.py"
    copy.parent.mkdir()
    copy.write_text(SCRIPT.read_text())
    (tmp_path / "protos").symlink_to(ROOT / "protos")
    page = copy.parent / "errors.md"
    check = [sys.executable, str(copy), "--check"]
    assert subprocess.run(check, check=False, stderr=subprocess.PIPE).returncode == 1
    assert subprocess.run([sys.executable, copy], check=False).returncode == 0
    assert subprocess.run(check, check=False).returncode == 0
    page.write_text(page.read_text().replace("NOT_FOUND", "FOUND"))
    assert subprocess.run(check, check=False, stderr=subprocess.PIPE).returncode == 1


def test_comment_without_its_parts_is_refused(docs: ModuleType) -> None:
    image = docs.IMAGE.read_bytes()
    with pytest.raises(ValueError, match="Chinese"):
        docs.reasons(image.replace("中文：停车场不存在".encode(), "文文：停车场不存在".encode()))
