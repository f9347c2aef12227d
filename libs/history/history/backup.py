"""Backs a database up into a folder of the server's machine and restores it: the server's own BACKUP and RESTORE.

BACKUP copies parts that never change and writes its list of them last, so readers, writers and merges go on meanwhile.
It does not fsync what it writes: the caller does, and keeps checksums of its own.
"""

from pathlib import Path
from typing import Final

from history.client import HistoryClient

_FOREVER_S: Final = 7 * 24 * 3600.0
"""A copy takes as long as its size asks for; whoever waits for it says when it is too long."""
POSITIONS: Final = "positions"
"""The table of how far the log was followed."""


async def back_up(owner: HistoryClient, database: str, folder: Path) -> None:
    """Copies a database into `folder`, which must not exist and must lie where the server may write backups.

    The positions are copied before the rows: what the copy says was read of the log, it holds. Raises
    HistoryRejected when the server refuses, HistoryUnavailable.
    """
    table = f"{database}.{POSITIONS}"
    await owner.execute(f"BACKUP TABLE {table} TO {_place(folder / POSITIONS)}", deadline=_FOREVER_S)
    await owner.execute(
        f"BACKUP DATABASE {database} EXCEPT TABLES {table} TO {_place(folder / 'rows')}", deadline=_FOREVER_S
    )


async def restore(owner: HistoryClient, database: str, folder: Path) -> None:
    """Puts a copy made by `back_up` back into the database, whose tables must not exist. Raises as `back_up` does.

    The positions come last: a restore that was broken off has read nothing of the log.
    """
    await owner.execute(f"RESTORE DATABASE {database} FROM {_place(folder / 'rows')}", deadline=_FOREVER_S)
    await owner.execute(f"RESTORE TABLE {database}.{POSITIONS} FROM {_place(folder / POSITIONS)}", deadline=_FOREVER_S)


def _place(folder: Path) -> str:
    path = str(folder)
    if "'" in path or "\\" in path:
        raise ValueError("the path of a backup may hold neither a quote nor a backslash")
    return f"File('{path}')"
