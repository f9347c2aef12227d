"""Puts a backup in the place of a runtime folder that is empty or missing, and proves that nothing is lost."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from history import backup as history_backup

from local_platform.backup.create import DATABASE, REGISTRY
from local_platform.backup.engines import engines
from local_platform.backup.manifest import BackupError, Manifest, sync_tree, synced
from local_platform.backup.verify import Proof, proved
from local_platform.settings import Settings


async def restore(settings: Settings, folder: Path) -> Proof:
    """Checks every file of the backup, puts it in place and proves it; the platform can then be started.

    It is put together beside the runtime folder and takes its name last: one that was broken off is never started.
    BackupError when the backup is damaged or the folder holds something.
    """
    target = settings.var
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupError(f"{target} is not empty: restore into an empty folder 目标目录非空")
    manifest = Manifest.read(folder)
    await asyncio.to_thread(manifest.check, folder)
    made = target.with_name(f"{target.name}.restoring")
    shutil.rmtree(made, ignore_errors=True)
    folder = await asyncio.to_thread(folder.absolute)
    data = made / "data"
    data.mkdir(parents=True, mode=0o700)
    made.chmod(0o700)
    for kept in sorted((folder / "runtime").iterdir()):
        if kept.is_dir():
            shutil.copytree(kept, made / kept.name)
        else:
            shutil.copy(kept, made / kept.name)
    shutil.copytree(folder / "log", data / "log")
    shutil.copy(folder / REGISTRY, data / REGISTRY)
    async with engines(replace(settings, var=made), backups=folder) as running:
        await history_backup.restore(running.owner, DATABASE, folder / "history")
        proof = await proved(running, manifest, folder)
    (made / "lock").unlink()
    await asyncio.to_thread(sync_tree, made)
    if target.exists():
        target.rmdir()
    made.rename(target)
    synced(target.parent)
    return proof
