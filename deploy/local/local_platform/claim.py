"""What must be free before anything starts: the runtime folder and the ports."""

import contextlib
import fcntl
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from local_platform.process import Process


class NotFree(Exception):  # noqa: N818  it says what is the case
    """The folder or a port is in use; the message says what to do about it, in one line."""


@contextlib.contextmanager
def claimed(folder: Path, note: str) -> Iterator[None]:
    """Holds the folder for the length of the block; the kernel lets go of it when this process dies in any way.

    NotFree when another platform holds it; the message carries the note which that one has left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise NotFree(f"This platform is already running ({file.read()}).") from None
        file.truncate(0)
        file.write(note)
        file.flush()
        yield


def check_ports(processes: Iterable[Process], host: str) -> None:
    """NotFree, naming the port, its process and the setting that shifts it, when somebody listens on a port already."""
    for process in processes:
        for port in process.ports:
            if not is_free(port, host):
                raise NotFree(
                    f"Port {port}, needed by {process.name}, is taken: "
                    "stop what listens there, or shift all ports with PARKMESH_PORT_BASE=20000 (any free range)."
                )


def is_free(port: int, host: str) -> bool:
    """Whether the port can be listened on, at the host given and on loopback."""
    for address in {host, "127.0.0.1"}:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as probe:
            # A port whose last connections are still timing out is free; one with a listener is not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError:
                return False
    return True
