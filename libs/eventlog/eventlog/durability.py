"""What a server must be configured to do before an acknowledgement can be a promise."""

from __future__ import annotations

from collections.abc import Mapping

from eventlog.errors import UnsafeServer

REQUIRED: Mapping[str, tuple[str, str]] = {
    "appendonly": ("yes", "the log lives in the append-only file"),
    "appendfsync": ("always", "a reply must come after the fsync"),
    "no-appendfsync-on-rewrite": ("no", "a rewrite of the file must not suspend the fsync"),
    "maxmemory-policy": ("noeviction", "the server must never drop a key on its own"),
    "save": ("", "a snapshot beside the log doubles its memory and proves nothing"),
}
"""Setting, the only safe value, and why."""


def check_settings(found: Mapping[str, str]) -> None:
    """Raise UnsafeServer naming the first setting of a server that would break the promise, else return."""
    for name, (needed, why) in REQUIRED.items():
        value = found.get(name)
        if value != needed:
            raise UnsafeServer(f"the log server has {name} = {value!r}, it must be {needed!r}: {why}")
    if int(found.get("maxmemory", "0")) <= 0:
        raise UnsafeServer("the log server has no maxmemory, so uploads cannot be refused before it is too late")
