"""`python -m history.server [--config FILE]`: serves one path until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import uvloop

from history.server.config import ConfigError, ServerSettings, from_environment, load
from history.server.engine import EngineBusyError
from history.server.journal import to_stdout
from history.server.serving import AddressError, serve


def main() -> int:
    """Exit code 0 after a stop by signal, 2 for a wrong setting, 3 when another process has the path or port."""
    parser = argparse.ArgumentParser(prog="history.server", description=__doc__)
    parser.add_argument("--config", type=Path, help="a JSON file; without it CLICKHOUSE_… variables are read")
    arguments = parser.parse_args()
    to_stdout()
    try:
        settings = load(arguments.config) if arguments.config else from_environment(os.environ)
        uvloop.run(_until_signal(settings))
    except ConfigError as error:
        sys.stderr.write(f"history.server: {error}\n")
        return 2
    except (EngineBusyError, AddressError) as error:
        sys.stderr.write(f"history.server: {error}\n")
        return 3
    return 0


async def _until_signal(settings: ServerSettings) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await serve(settings, stop)


if __name__ == "__main__":
    sys.exit(main())
