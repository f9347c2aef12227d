"""`parkmesh login`, `logout` and `activate`: people come in, go, and set up their accounts."""

import dataclasses
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from google.protobuf.message import Message
from parkmesh.registry.v1 import session_service_pb2 as service
from parkmesh_sdk import Client, Connection, Method, PlatformError, RetryPolicy
from parkmesh_sdk.grpc_transport import GrpcTransport

from parkmesh_cli import session_file
from parkmesh_cli.errors import MisuseError, run
from parkmesh_cli.screen import say, show
from parkmesh_cli.session_file import Session, default_session
from parkmesh_cli.target import anybody, default_demo, read_demo

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_FILE: Final = service.DESCRIPTOR
_LOGIN: Final = Method.of(_FILE, "SessionService", "Login", service.LoginRequest, service.LoginResponse)
_LOGOUT: Final = Method.of(_FILE, "SessionService", "Logout", service.LogoutRequest, service.LogoutResponse)
_ACTIVATE: Final = Method.of(
    _FILE, "SessionService", "ActivateAccount", service.ActivateAccountRequest, service.ActivateAccountResponse
)

SessionFile = Annotated[
    Path | None,
    typer.Option(
        "--session",
        help="Where the session is kept, readable by you alone; unset: parkmesh/session.json in the folder for state, "
        "~/.local/state. 会话文件",
    ),
]
Demo = Annotated[Path | None, typer.Option(help="What `make up` wrote; unset: var/demo.json.")]
Url = Annotated[str, typer.Option(help="Another platform's address, https://host:port.")]
Ca = Annotated[Path | None, typer.Option(help="The CA to trust, PEM; unset: the public ones.")]


def login(
    login: Annotated[str, typer.Option(help="The login of your account. 登录名")],
    session: SessionFile = None,
    demo: Demo = None,
    url: Url = "",
    ca: Ca = None,
) -> None:
    """Opens a session with password and second factor, which are asked for. 登录"""

    async def work() -> int:
        platform = _platform(demo, url, ca)
        password = typer.prompt("Password 密码", hide_input=True, err=True)
        totp = typer.prompt("Second factor, six digits 动态口令", hide_input=True, err=True)
        request = service.LoginRequest(login=login, password=password, totp=totp.strip())
        opened = await _publicly(platform, _LOGIN, request)
        held = dataclasses.replace(platform, client_id=opened.credential.client_id, client_secret=opened.client_secret)
        session_file.write(session or default_session(), Session(login, held))
        say(f"{login} is logged in; `parkmesh logout` ends the session. 登录成功")
        return 0

    run(work())


def logout(session: SessionFile = None) -> None:
    """Ends the session, and forgets it. 退出"""

    async def work() -> int:
        path = session or default_session()
        kept = session_file.read(path)
        try:
            async with Client(kept.platform, retry=RetryPolicy(attempts=2)) as client:
                await client.call(_LOGOUT, service.LogoutRequest())
        except PlatformError as error:
            if error.reason != "BAD_CREDENTIAL":
                raise
        session_file.forget(path)
        say(f"{kept.login} is logged out. 已退出")
        return 0

    run(work())


def activate(demo: Demo = None, url: Url = "", ca: Ca = None) -> None:
    """Sets up an account with its one-time code: a password, and the second factor, shown once. 激活账号"""

    async def work() -> int:
        platform = _platform(demo, url, ca)
        code = typer.prompt("One-time code 激活码", hide_input=True, err=True)
        password = typer.prompt(
            "New password, 12 characters or more 新密码",
            hide_input=True,
            confirmation_prompt="Again 再次输入",
            err=True,
        )
        request = service.ActivateAccountRequest(activation_code=code.strip(), password=password)
        activated = await _publicly(platform, _ACTIVATE, request)
        show(f"{activated.login}\n{activated.totp_secret}\n{activated.totp_uri}")
        say("Put the secret into an authenticator now: it is not shown again. 请立即录入身份验证器，不再显示")
        return 0

    run(work())


def _platform(demo: Path | None, url: str, ca: Path | None) -> Connection:
    if ca and not url:
        raise MisuseError("--ca describes a platform: add its --url")
    if url:
        return anybody(url, ca)
    vendor = read_demo(demo or default_demo()).vendor
    return anybody(vendor.url, vendor.ca)


async def _publicly(platform: Connection, method: Method[Q, A], request: Q) -> A:
    transport = GrpcTransport(platform)
    try:
        return await transport.call(method, request, "", platform.deadline_s)
    finally:
        await transport.close()
