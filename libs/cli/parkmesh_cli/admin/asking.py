"""Makes a command of what is done at a desk: adds the options that say who asks, and where."""

import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer

from parkmesh_cli.admin.desk import Desk, desk
from parkmesh_cli.admin.office import Named, Office, holder
from parkmesh_cli.errors import run

P = ParamSpec("P")

_PANEL: Final = "Who asks, and where 身份与平台"


def group(help: str) -> typer.Typer:  # noqa: A002 - Typer's own word
    """A noun, which commands are added to."""
    return typer.Typer(help=help, no_args_is_help=True)


def asks(
    own: Office,
) -> Callable[[Callable[Concatenate[Desk, P], Coroutine[Any, Any, int | None]]], Callable[..., None]]:
    """The command that does this work at a desk, as the `own` office unless it is told otherwise.

    The work's other parameters are the command's; what it returns is the exit code, None being 0.
    """

    def command_of(work: Callable[Concatenate[Desk, P], Coroutine[Any, Any, int | None]]) -> Callable[..., None]:
        _, *parameters = inspect.signature(work).parameters.values()
        shared = inspect.signature(_shared).parameters
        parameters = [*parameters, *shared.values()]

        def command(**given: Any) -> None:
            named, as_json = _shared(**{name: given.pop(name) for name in shared})

            async def done() -> int:
                async with desk(holder(named, own), as_json=as_json) as opened:
                    # The names are those of the work's own signature.
                    return await work(opened, **given) or 0  # type: ignore[call-arg]

            run(done())

        command.__doc__ = work.__doc__
        command.__name__ = work.__name__
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what Typer reads
            [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        )
        return command

    return command_of


def _shared(
    office: Annotated[
        Office | None,
        typer.Option(
            "--as",
            help="Whose credential to use: the open session's, or an administrator's of demo.json; unset: whose work "
            "it is, from demo.json, and the session's where there is none. 使用谁的凭证",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    session: Annotated[
        Path | None,
        typer.Option(
            help="The file that `parkmesh login` wrote, unless it is the usual one. 会话文件", rich_help_panel=_PANEL
        ),
    ] = None,
    demo: Annotated[
        Path | None,
        typer.Option(help="What `make up` wrote; unset: var/demo.json.", rich_help_panel=_PANEL),
    ] = None,
    url: Annotated[
        str, typer.Option(help="Another platform's address, https://host:port.", rich_help_panel=_PANEL)
    ] = "",
    ca: Annotated[
        Path | None, typer.Option(help="The CA to trust, PEM; unset: the public ones.", rich_help_panel=_PANEL)
    ] = None,
    client_id: Annotated[
        str, typer.Option(help="Another credential's client id. 客户端标识", rich_help_panel=_PANEL)
    ] = "",
    client_secret: Annotated[
        str, typer.Option(envvar="PARKMESH_CLIENT_SECRET", help="Its secret. 密钥", rich_help_panel=_PANEL)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object or array instead of a table.")] = False,
) -> tuple[Named, bool]:
    return Named(office, demo, url, ca, client_id, client_secret, session), as_json
