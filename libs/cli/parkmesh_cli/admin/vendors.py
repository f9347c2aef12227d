"""`parkmesh admin vendors`: who reports for lots, and the credentials they do it with."""

from pathlib import Path
from typing import Annotated, Final

import typer
from parkmesh.registry.v1 import vendor_pb2
from parkmesh.registry.v1 import vendor_service_pb2 as service
from parkmesh.registry.v1.vendor_pb2 import CredentialMethod
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.changing import Clear, Contacts, Etag, Reason, mask
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column, time
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("Vendors and their credentials. 厂商与凭证")

METHODS: Final = Words(CredentialMethod.DESCRIPTOR)
VENDORS: Final = (
    Column("vendor 厂商标识", lambda vendor: vendor.vendor_id, whole=True),
    Column("name 名称", lambda vendor: vendor.name),
    Column("requests/s 限速", lambda vendor: vendor.requests_per_second or "default 默认"),
    Column("contacts 联系人", lambda vendor: ", ".join(contact.name for contact in vendor.contacts)),
    time("registered 登记时间", "create_time"),
)
CREDENTIALS: Final = (
    Column("client id 客户端标识", lambda credential: credential.client_id, whole=True),
    Column("proved by 凭证方式", lambda credential: METHODS.word(credential.method)),
    time("issued 签发时间", "create_time"),
    time("ends 失效时间", "expire_time"),
    Column("revoked 已吊销", lambda credential: "yes 是" if credential.revoked else ""),
)

_FILE: Final = service.DESCRIPTOR
_CREATE: Final = Method.of(_FILE, "VendorService", "CreateVendor", service.CreateVendorRequest, vendor_pb2.Vendor)
_GET: Final = Method.of(_FILE, "VendorService", "GetVendor", service.GetVendorRequest, vendor_pb2.Vendor)
_LIST: Final = Method.of(_FILE, "VendorService", "ListVendors", service.ListVendorsRequest, service.ListVendorsResponse)
_UPDATE: Final = Method.of(_FILE, "VendorService", "UpdateVendor", service.UpdateVendorRequest, vendor_pb2.Vendor)
_INVITE: Final = Method.of(
    _FILE,
    "VendorService",
    "CreateOnboardingCode",
    service.CreateOnboardingCodeRequest,
    service.CreateOnboardingCodeResponse,
)
_ROTATE: Final = Method.of(
    _FILE, "VendorService", "RotateCredential", service.RotateCredentialRequest, service.RotateCredentialResponse
)
_REVOKE: Final = Method.of(
    _FILE, "VendorService", "RevokeCredential", service.RevokeCredentialRequest, vendor_pb2.Credential
)
_CREDENTIALS: Final = Method.of(
    _FILE, "VendorService", "ListCredentials", service.ListCredentialsRequest, service.ListCredentialsResponse
)
_DAY_S: Final = 86_400
_FASTEST: Final = 100_000
_HOUR_S: Final = 3_600

Vendor = Annotated[str, typer.Argument(help="The vendor's id. 厂商标识")]


@app.command()
@asks(Office.ADMINISTRATOR)
async def create(
    desk: Desk,
    name: Annotated[str, typer.Option(help="Its name. 名称")],
    requests_per_second: Annotated[
        int,
        typer.Option(
            min=0, max=_FASTEST, help="How much it may send on average; 0: the platform's default. 每秒请求数上限"
        ),
    ] = 0,
    contacts: Contacts = None,
    reason: Reason = "",
) -> None:
    """Registers a vendor. 登记厂商"""
    vendor = vendor_pb2.Vendor(name=name, requests_per_second=requests_per_second, contacts=contacts)
    desk.show(await desk.call(_CREATE, service.CreateVendorRequest(vendor=vendor, reason=reason)))


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(desk: Desk) -> None:
    """Lists the vendors. 厂商列表"""
    desk.show_all(await desk.every(_LIST, service.ListVendorsRequest(), "vendors"), VENDORS)


@app.command()
@asks(Office.ADMINISTRATOR)
async def show(desk: Desk, vendor: Vendor) -> None:
    """Shows a vendor. 查询厂商"""
    desk.show(await desk.call(_GET, service.GetVendorRequest(vendor_id=vendor)))


@app.command()
@asks(Office.ADMINISTRATOR)
async def update(
    desk: Desk,
    vendor: Vendor,
    name: Annotated[str, typer.Option(help="Its new name. 名称")] = "",
    requests_per_second: Annotated[int, typer.Option(min=0, max=_FASTEST, help="Its new limit. 每秒请求数上限")] = 0,
    contacts: Contacts = None,
    clear: Clear = None,
    etag: Etag = "",
    reason: Reason = "",
) -> None:
    """Changes what is named of a vendor, and nothing else. 变更厂商"""
    changed = vendor_pb2.Vendor(name=name, requests_per_second=requests_per_second, contacts=contacts, etag=etag)
    request = service.UpdateVendorRequest(
        vendor_id=vendor, vendor=changed, update_mask=mask(changed, clear), reason=reason
    )
    desk.show(await desk.call(_UPDATE, request))


@app.command()
@asks(Office.SECURITY)
async def invite(
    desk: Desk,
    vendor: Vendor,
    days: Annotated[int, typer.Option(min=1, max=30, help="For how long the code is good. 有效天数")] = 7,
) -> None:
    """Makes the one-time code that a vendor exchanges for its first credential; one made before ends. 生成接入码

    Hand it over by another way than the vendor's id: by telephone, say.
    """
    request = service.CreateOnboardingCodeRequest(vendor_id=vendor, valid_seconds=days * _DAY_S)
    desk.show_once(await desk.call(_INVITE, request))


@app.command()
@asks(Office.SECURITY)
async def credentials(desk: Desk, vendor: Vendor) -> None:
    """Lists all credentials that a vendor ever had, without their secrets. 凭证列表"""
    request = service.ListCredentialsRequest(vendor_id=vendor)
    desk.show_all(await desk.every(_CREDENTIALS, request, "credentials"), CREDENTIALS)


@app.command()
@asks(Office.SECURITY)
async def rotate(
    desk: Desk,
    vendor: Vendor,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="For how long the one before stays good. 旧凭证保留小时数")
    ] = 24,
    method: Annotated[
        CredentialMethod.ValueType | None,
        METHODS.option("--method", help="How it is proved: a secret unless this says otherwise. 凭证方式"),
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="For `key`: the public key, PEM. 公钥文件")
    ] = None,
) -> None:
    """Gives a vendor a new credential; the one before it ends after the overlap, older ones at once. 轮换凭证"""
    request = service.RotateCredentialRequest(
        vendor_id=vendor,
        overlap_seconds=overlap_hours * _HOUR_S,
        method=method or CredentialMethod.CREDENTIAL_METHOD_UNSPECIFIED,
        public_key_pem=public_key.read_text(encoding="utf-8", errors="replace") if public_key else "",
    )
    desk.show_once(await desk.call(_ROTATE, request))


@app.command()
@asks(Office.SECURITY)
async def revoke(
    desk: Desk,
    vendor: Vendor,
    client: Annotated[str, typer.Argument(help="The client id. 客户端标识")],
) -> None:
    """Ends a credential: it is refused within a second, on open streams too. 吊销凭证"""
    desk.show(await desk.call(_REVOKE, service.RevokeCredentialRequest(vendor_id=vendor, client_id=client)))
