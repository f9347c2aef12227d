"""How tests are dealt to pytest's workers, and which of them are slow by nature."""

import os
import pathlib
import shutil

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TOGETHER = ("tests/platform/", "tests/scenarios/", "tests/edge/", "libs/history/", "services/access-records/")
"""Folders whose tests share something that takes long to start."""
LONG = (
    "tests/platform/",
    "tests/scenarios/",
    "tests/chaos/test_chaos.py",
    "tests/bench/test_bench_smoke.py",
    "tests/docs/test_docs_readme.py",
)
"""What takes longest, longest first. Much of it is waiting for processes to start and to come back."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is untyped
    """The tests of a file share what they have set up, and so do all tests of each folder of TOGETHER.

    The first worker begins with LONG and the others with the rest, so that one computes while the other waits. Of the
    rest, folders come last: what they have started runs on to the end.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])

    def _assign_work_unit(self, node: object) -> None:
        long = [scope for scope in LONG if scope in self.workqueue]
        rest = sorted((scope for scope in self.workqueue if scope not in LONG), key=TOGETHER.__contains__)
        first = next(iter(self.assigned_work)) is node
        self.workqueue.move_to_end((long + rest if first else rest + long)[0], last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """Takes the place of --dist."""
    return ByFile(config, log)


SHARED = pathlib.Path(__file__).parent.parent / "shared"
"""Real data for tests, beside the checkout; an automated run must have it."""


def lacks_shared() -> bool:
    """Whether the tests that read SHARED cannot run and need not."""
    return not SHARED.is_dir() and not os.environ.get("CI")


def lacks_java() -> bool:
    """Whether the sample in Java cannot be compiled here: the platform itself needs no Java."""
    return shutil.which("javac") is None


def lacks_csharp() -> bool:
    """Whether the sample in C# cannot be compiled here: the platform itself needs no .NET."""
    return shutil.which("mcs") is None or shutil.which("mono") is None


def pytest_configure(config: pytest.Config) -> None:
    """Names the markers of what needs a JDK or Mono."""
    config.addinivalue_line("markers", "java: compiles and runs Java; left out where there is no javac")
    config.addinivalue_line("markers", "csharp: compiles and runs C#; left out where there is no mcs with mono")


def left_out() -> dict[str, str]:
    """What cannot be tested here, by its marker, and why."""
    found = {}
    if lacks_shared():
        found["shared"] = "without ../shared: the tests that read its real day and its vectors are left out"
    if lacks_java():
        found["java"] = "without javac: the tests that compile and run the sample in Java are left out"
    if lacks_csharp():
        found["csharp"] = "without mcs and mono: the test that compiles and runs the sample in C# is left out"
    return found


def pytest_report_header() -> list[str]:
    """Says what is left out."""
    return list(left_out().values())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever needs the whole platform is slow; whoever needs what there is none of is left out."""
    for item in items:
        if "platform" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    lacking = left_out()
    without = [item for item in items if any(item.get_closest_marker(marker) for marker in lacking)]
    if without:
        items[:] = [item for item in items if item not in without]
        config.hook.pytest_deselected(items=without)
