"""The samples of docs/samples, built and run as a vendor does."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.docs.pages import ROOT

FOLDER = ROOT / "docs" / "samples"
VECTORS = ROOT / "docs" / "vectors" / "request-signing.json"
LANGUAGES = ("python", pytest.param("java", marks=pytest.mark.java))
DIGEST_LANGUAGES = (*LANGUAGES, pytest.param("csharp", marks=pytest.mark.csharp))
"""Those in which the digest is shown."""
_LIMIT_S = 120


class Ended(NamedTuple):
    """A sample that has run."""

    code: int
    lines: list[str]


class Sample:
    """The sample in one language; what it makes lies in `folder`, and it listens to none of this environment."""

    def __init__(self, language: str, folder: Path) -> None:
        self._folder = folder
        python = [sys.executable, "-W", "error"]
        self._sample = [*python, str(FOLDER / "python" / "sample.py")]
        self._check = [*python, str(FOLDER / "python" / "check_vectors.py")]
        if language == "java":
            compile_java(folder / "classes")
            java = ["java", "-XX:TieredStopAtLevel=1", "-cp", str(folder / "classes")]
            self._sample, self._check = [*java, "Sample"], [*java, "CheckVectors"]

    def run(self, records: list[dict[str, Any]], told: Mapping[str, str]) -> Ended:
        """Uploads the records; `told` are its options by environment variable."""
        (self._folder / "records.json").write_text(json.dumps({"records": records}, ensure_ascii=False))
        return run([*self._sample, "--records", str(self._folder / "records.json")], told)

    def check(self, vectors: Path) -> Ended:
        """Signs the requests of that file and compares."""
        return run([*self._check, str(vectors)])


def digest_checker(language: str, folder: Path) -> list[str]:
    """The command that checks the digests of a folder of vectors; what it is built to lies in `folder`."""
    if language == "java":
        compile_java(folder / "classes")
        return ["java", "-XX:TieredStopAtLevel=1", "-cp", str(folder / "classes"), "CheckDigests"]
    if language == "csharp":
        program = folder / "CheckDigests.exe"
        sources = sorted(str(source) for source in (FOLDER / "csharp").glob("*.cs"))
        done = run(["mcs", "-warn:4", "-warnaserror", f"-out:{program}", *sources])
        assert done.code == 0, done.lines
        return ["mono", str(program)]
    return [sys.executable, "-W", "error", str(FOLDER / "python" / "check_digests.py")]


def compile_java(classes: Path) -> None:
    """Compiles the sample for the oldest JDK that it is meant for. AssertionError when that gives any warning."""
    sources = sorted(str(source) for source in (FOLDER / "java").glob("*.java"))
    options = ["--release", "11", "-Xlint:all", "-Werror", "-encoding", "UTF-8", "-d", str(classes)]
    done = run(["javac", *options, *sources])
    assert done.code == 0, done.lines


def run(command: list[str], told: Mapping[str, str] | None = None) -> Ended:
    """What a command says, stderr included."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARKMESH_")}
    done = subprocess.run(
        command,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", **(told or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_LIMIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode().splitlines())
