"""The supervisor with tiny stand-ins for the real processes."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from local_platform.keeper import Patience, StartFailed
from local_platform.logfile import LogFile
from local_platform.orphan import Roll
from local_platform.process import Process, ordered
from local_platform.supervisor import Supervisor

QUICK = Patience(first_delay=0.02, longest_delay=0.1, looping_deaths=3, start=20, between_probes=0.01)

# Appends "<name> up" to the journal, makes its ready file, and "<name> down" when SIGTERM comes.
WELL_BEHAVED = """
import os, signal, sys
name, folder = sys.argv[1:]
def note(word):
    with open(f"{folder}/journal", "a") as file:
        file.write(f"{name} {word}\\n")
def leave(*_):
    note("down")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
note("up")
print("hello from", name, flush=True)
open(f"{folder}/{name}.ready", "w").close()
while True:
    signal.pause()
"""
DEAF = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WELL_BEHAVED.replace(
    "signal.signal(signal.SIGTERM, leave)", ""
)
HOPELESS = "print('no such table', flush=True); raise SystemExit(7)"


@dataclass(frozen=True)
class FileProbe:
    """Ready once the file is there."""

    path: Path

    async def answers(self) -> bool:
        return self.path.exists()


class Recorder:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, ...]] = []
        self.delays: list[float] = []

    def starting(self, name: str) -> None:
        self.lines.append(("starting", name))

    def ready(self, name: str, seconds: float, again: bool) -> None:
        self.lines.append(("again" if again else "ready", name))

    def died(self, name: str, code: int, delay: float, looping: bool, lines: list[str]) -> None:
        self.delays.append(delay)
        self.lines.append(("looping" if looping else "died", name, str(code), *lines[-1:]))

    def stopped(self, name: str, killed: bool) -> None:
        self.lines.append(("killed" if killed else "stopped", name))


class Bench:
    """A folder, a recorder and supervisors over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recorder = Recorder()
        self.roll = Roll(folder / "run.json")

    def process(
        self, name: str, *depends_on: str, code: str = WELL_BEHAVED, grace: float = 10, deaf_probe: bool = False
    ) -> Process:
        command = (sys.executable, "-I", "-S", "-c", code, name, str(self.folder))
        probe = FileProbe(self.folder / ("never" if deaf_probe else f"{name}.ready"))
        return Process(name, command, probe, depends_on=depends_on, grace_seconds=grace)

    def journal(self) -> list[str]:
        return (self.folder / "journal").read_text().splitlines()

    @contextlib.asynccontextmanager
    async def supervising(self, *processes: Process, patience: Patience = QUICK) -> AsyncIterator[Supervisor]:
        supervisor = Supervisor(
            processes, folder=self.folder, roll=self.roll, reporter=self.recorder, patience=patience
        )
        try:
            yield supervisor
        finally:
            supervisor.kill()
            await supervisor.stop()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def until(holds: Callable[[], bool]) -> None:
    """Waits for something that must happen."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  what is awaited happens in other processes
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_starts_each_after_what_it_depends_on_and_stops_in_the_reverse_order(bench: Bench) -> None:
    processes = bench.process("face", "middle"), bench.process("middle", "ground"), bench.process("ground")
    async with bench.supervising(*processes) as supervisor:
        await supervisor.start()
        assert bench.journal() == ["ground up", "middle up", "face up"]
        await supervisor.stop()
    assert bench.journal()[3:] == ["face down", "middle down", "ground down"]
    assert [line for line in bench.recorder.lines if line[0] == "stopped"] == [
        ("stopped", "face"),
        ("stopped", "middle"),
        ("stopped", "ground"),
    ]
    assert bench.roll.pids() == {}


async def test_what_dies_is_started_again_and_its_users_go_on(bench: Bench) -> None:
    async with bench.supervising(bench.process("ground"), bench.process("face", "ground")) as supervisor:
        await supervisor.start()
        before = bench.roll.pids()
        os.kill(before["ground"], signal.SIGKILL)
        await until(lambda: ("again", "ground") in bench.recorder.lines)
        after = bench.roll.pids()
    assert ("died", "ground", "-9", "hello from ground") in bench.recorder.lines
    assert after["ground"] != before["ground"]
    assert after["face"] == before["face"]


async def test_each_death_in_a_row_waits_longer_and_a_loop_shows_the_last_lines(bench: Bench) -> None:
    once = f"""
import os, sys
if os.path.exists(sys.argv[2] + "/second"):
    print("no such table", flush=True)
    sys.exit(7)
open(sys.argv[2] + "/second", "w").close()
{WELL_BEHAVED}"""
    async with bench.supervising(bench.process("ground", code=once)) as supervisor:
        await supervisor.start()
        os.kill(bench.roll.pids()["ground"], signal.SIGKILL)
        await until(lambda: len(bench.recorder.delays) >= 5)
    assert bench.recorder.delays[:5] == [0.02, 0.04, 0.08, 0.1, 0.1]
    assert ("looping", "ground", "7", "no such table") in bench.recorder.lines
    looping = [line for line in bench.recorder.lines if line[0] in ("died", "looping")]
    assert [line[0] for line in looping[:3]] == ["died", "died", "looping"]


async def test_the_start_fails_with_the_last_lines_of_what_keeps_dying(bench: Bench) -> None:
    hopeless = bench.process("broken", code=HOPELESS)
    async with bench.supervising(bench.process("ground"), hopeless, bench.process("face", "broken")) as supervisor:
        with pytest.raises(StartFailed, match=r"(?s)broken ended with code 7, 3 times in a row.*no such table"):
            await supervisor.start()
        assert "face up" not in bench.journal()


async def test_the_start_fails_when_one_never_becomes_ready(bench: Bench) -> None:
    mute = bench.process("mute", deaf_probe=True)
    impatient = Patience(first_delay=0.02, start=0.5, between_probes=0.01)
    async with bench.supervising(mute, patience=impatient) as supervisor:
        with pytest.raises(StartFailed, match="mute was not ready"):
            await supervisor.start()


async def test_what_does_not_stop_in_time_is_killed(bench: Bench) -> None:
    async with bench.supervising(bench.process("deaf", code=DEAF, grace=0.2)) as supervisor:
        await supervisor.start()
        pid = bench.roll.pids()["deaf"]
        await supervisor.stop()
    assert ("killed", "deaf") in bench.recorder.lines
    assert not alive(pid)


async def test_what_a_child_has_started_ends_with_it(bench: Bench) -> None:
    parent = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[2] + "/grandchild", "w").write(str(child.pid))
{WELL_BEHAVED}"""
    async with bench.supervising(bench.process("parent", code=parent)) as supervisor:
        await supervisor.start()
        grandchild = int((bench.folder / "grandchild").read_text())
        assert alive(grandchild)
        await supervisor.stop()
    await until(lambda: not alive(grandchild))


SUPERVISING = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_local_supervisor import Bench, QUICK
async def main():
    bench = Bench(Path(sys.argv[2]))
    async with bench.supervising(bench.process("ground"), bench.process("face", "ground")) as supervisor:
        await supervisor.start()
        print("ready", flush=True)
        await supervisor.watch()
asyncio.run(main())
"""


def killed_supervisor(folder: Path) -> dict[str, int]:
    """The pids of what a supervisor ran that has been killed."""
    command = [sys.executable, "-c", textwrap.dedent(SUPERVISING), str(Path(__file__).parent), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            pids = {child.cmdline()[-2]: child.pid for child in psutil.Process(process.pid).children()}
        finally:
            process.kill()
    return pids


async def test_a_killed_supervisor_leaves_no_orphans(bench: Bench) -> None:
    pids = killed_supervisor(bench.folder)
    assert set(pids) == {"ground", "face"}
    try:
        await until(lambda: not any(alive(pid) for pid in pids.values()))
    finally:
        for pid in filter(alive, pids.values()):
            os.kill(pid, signal.SIGKILL)


def test_the_next_start_sweeps_what_the_kernel_has_left(bench: Bench) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        bench.roll.enter("left", left.pid)
        born = psutil.Process(innocent.pid).create_time() - 100
        text = (bench.folder / "run.json").read_text()
        (bench.folder / "run.json").write_text(text.replace("}", f', "reused": [{innocent.pid}, {born}]}}'))
        assert Roll(bench.folder / "run.json").sweep() == ["left"]
        assert not alive(left.pid)
        assert alive(innocent.pid)
        assert Roll(bench.folder / "run.json").sweep() == []
    finally:
        for process in (left, innocent):
            process.kill()
            process.wait()


def test_the_order_names_what_is_missing_or_goes_in_a_circle(bench: Bench) -> None:
    with pytest.raises(ValueError, match="face"):
        ordered((bench.process("face", "ground"),))
    with pytest.raises(ValueError, match="circle"):
        ordered((bench.process("a", "b"), bench.process("b", "a")))
    with pytest.raises(ValueError, match="one name"):
        ordered((bench.process("a"), bench.process("a")))


def test_a_log_is_turned_over_at_a_lines_end(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log", maximum_bytes=10, predecessors=2)
    for number in range(4):
        log.write(b"line %d is lo" % number)
        log.write(b"ng\n")
    log.write(b"half")
    log.close()
    assert (tmp_path / "a.log").read_bytes() == b"half"
    assert (tmp_path / "a.log.1").read_bytes() == b"line 3 is long\n"
    assert (tmp_path / "a.log.2").read_bytes() == b"line 2 is long\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    assert log.last_lines() == [*(f"line {number} is long" for number in range(4)), "half"]
