"""Starts the processes in order, keeps them running, stops them in the reverse order."""

import asyncio
from pathlib import Path

from local_platform.keeper import Keeper, Patience, Reporter, StartFailed
from local_platform.orphan import Roll
from local_platform.process import Process, ordered


class Supervisor:
    """All processes of one platform, run in its folder. `start`, then `watch`; `stop` at any time, once."""

    def __init__(
        self,
        processes: tuple[Process, ...],
        *,
        folder: Path,
        roll: Roll,
        reporter: Reporter,
        patience: Patience | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self._keepers = {
            process.name: Keeper(process, folder, roll, reporter, self._patience) for process in ordered(processes)
        }
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Returns when every process is ready: each starts once those it depends on are.

        StartFailed when one keeps dying or is not ready in time; what has been started then still runs: `stop` it.
        """
        self._tasks = {name: asyncio.create_task(self._keep(keeper)) for name, keeper in self._keepers.items()}
        ready = {asyncio.create_task(self._first_ready(keeper)) for keeper in self._keepers.values()}
        try:
            waiting = set(ready)
            while waiting:
                done, _ = await asyncio.wait({*waiting, *self._tasks.values()}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                waiting -= done
        finally:
            for task in ready:
                task.cancel()
            await asyncio.gather(*ready, return_exceptions=True)

    async def watch(self) -> None:
        """Returns never by itself: raises what a keeper raises, which is a fault of the supervisor."""
        done, _ = await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Stops every process, each after those that depend on it. One that takes too long is killed."""
        stops: dict[str, asyncio.Task[None]] = {}
        for name in reversed(self._keepers):
            users = [stops[user] for user, keeper in self._keepers.items() if name in keeper.process.depends_on]
            stops[name] = asyncio.create_task(self._stop_one(name, users))
        await asyncio.gather(*stops.values())

    def kill(self) -> None:
        """Kills every process, so that a `stop` that waits for them returns."""
        for keeper in self._keepers.values():
            keeper.kill()

    async def _keep(self, keeper: Keeper) -> None:
        for name in keeper.process.depends_on:
            await self._keepers[name].is_ready.wait()
        await keeper.run()

    async def _first_ready(self, keeper: Keeper) -> None:
        for name in keeper.process.depends_on:
            await self._keepers[name].is_ready.wait()
        try:
            await asyncio.wait_for(keeper.is_ready.wait(), self._patience.start)
        except TimeoutError:
            raise StartFailed(keeper.why_not_ready()) from None

    async def _stop_one(self, name: str, users: list[asyncio.Task[None]]) -> None:
        await asyncio.gather(*users)
        await self._keepers[name].stop()
        task = self._tasks.get(name)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._keepers[name].close()
