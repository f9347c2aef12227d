"""Becomes another program that the kernel kills when its parent dies; a file of its own, run without the package.

Arguments: the parent's pid, then the program and its arguments. The pid stays, so signals reach the program itself. A
function between fork and exec would do the same, but a fork of a process with threads of gRPC may abort.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """SIGKILL and not SIGTERM: nothing acknowledged depends on a clean end, and the next start need not wait."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the supervisor has died")
    os.execv(command[0], command)  # noqa: S606  the command is the platform's own


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
