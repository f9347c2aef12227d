"""`parkmesh backup`: the commands, found by the CLI where the platform is installed."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from parkmesh_cli.errors import CliError, run
from parkmesh_cli.screen import say, show

if TYPE_CHECKING:
    from local_platform.settings import Settings

# The CLI imports this module for every command: what it takes to do the work is imported when it is done.
app = typer.Typer(
    help="Backups of a platform on this machine: log, history, registry and keys. 备份与恢复\n\n"
    "A backup holds the keys and every plate: keep it as closely as the platform itself. 备份含密钥与号牌，请同等保护",
    no_args_is_help=True,
)

Var = Annotated[
    Path | None,
    typer.Option("--var", help="The runtime folder. [default: PARKMESH_VAR, or var] 运行目录", show_default=False),
]


@app.command()
def create(
    folder: Annotated[
        Path | None,
        typer.Argument(help="A folder that does not exist yet; unset: backups/<time>. 目标目录", show_default=False),
    ] = None,
    var: Var = None,
) -> None:
    """Backs up the platform, running or stopped: all that was acknowledged before it began. 创建备份"""

    async def work() -> int:
        from local_platform.backup.create import create

        target = folder or Path("backups") / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
        manifest = await create(_settings(var), target)
        size = sum(mark.size for mark in manifest.files.values())
        show(f"{target}: {len(manifest.files)} files, {size / 1e6:.1f} MB, of {manifest.begun} 备份完成")
        say("It holds keys and plates: keep it closed, and away from this machine. 请异地妥善保管")
        return 0

    run(work())


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="The backup. 备份目录")],
    platform: Annotated[
        bool,
        typer.Option("--platform", help="Also compare the platform's lot-days, as of the backup. 并与平台逐场日比对"),
    ] = False,
    var: Var = None,
) -> None:
    """Checks every file of a backup against its checksum. 校验备份"""

    async def work() -> int:
        from local_platform.backup.verify import verify

        proof = await verify(_settings(var), folder, against_platform=platform)
        if proof is None:
            show(f"{folder}: every file is as it was written 校验通过")
        else:
            show(
                f"{folder}: {proof.files} files sound; {proof.lot_days} lot-days with {proof.records} records equal "
                "校验通过，逐场日一致"
            )
        return 0

    run(work())


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The backup. 备份目录")],
    var: Var = None,
) -> None:
    """Restores a backup into an empty runtime folder, and proves every lot-day equal. 恢复备份"""

    async def work() -> int:
        from local_platform.backup.restore import restore

        settings = _settings(var)
        proof = await restore(settings, folder)
        show(
            f"{settings.var}: {proof.lot_days} lot-days with {proof.records} records equal, and the log holds "
            f"{proof.waiting} entries behind them 恢复完成，逐场日一致"
        )
        return 0

    run(work())


def _settings(var: Path | None) -> "Settings":
    from local_platform.settings import Settings, SettingsError

    try:
        return Settings.from_env(os.environ | ({"PARKMESH_VAR": str(var)} if var else {}))
    except SettingsError as error:
        raise CliError(str(error)) from None
