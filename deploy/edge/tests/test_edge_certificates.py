"""Our own authority and server certificate: trusted by clients, renewed in time, readable by their owner only."""

import asyncio
import datetime
import pathlib
import ssl

import pytest
from cryptography import x509
from edge import certificates
from edge.certificate_keeper import CertificateKeeper
from mesh.testing import YEAR_2100_MS, ManualClock

NOW = datetime.datetime.fromtimestamp(YEAR_2100_MS / 1000, datetime.UTC)
NAMES = ("localhost", "127.0.0.1", "::1", "edge.example")
DAY = datetime.timedelta(days=1)


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_everything_is_made_once_and_only_for_its_owner(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "certificates"
    assert certificates.ensure(folder, NAMES, NOW)
    made = files(folder)
    assert set(made) == {"ca.pem", "ca.key", "server.pem", "server.key"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert not certificates.ensure(folder, NAMES, NOW + 59 * DAY)
    assert files(folder) == made


@pytest.mark.parametrize("name", NAMES)
async def test_a_client_that_trusts_the_authority_connects(tmp_path: pathlib.Path, name: str) -> None:
    certificates.ensure(tmp_path, NAMES, datetime.datetime.now(datetime.UTC))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(here, there, server_hostname=name)
    server = serving.wrap_bio(there, here, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                await asyncio.sleep(0)
    assert client.version() == "TLSv1.3"
    server.do_handshake()


def test_a_server_certificate_near_its_end_is_renewed_by_the_same_authority(tmp_path: pathlib.Path) -> None:
    certificates.ensure(tmp_path, NAMES, NOW)
    before = files(tmp_path)
    assert certificates.ensure(tmp_path, NAMES, NOW + 61 * DAY)
    after = files(tmp_path)
    assert after["ca.pem"] == before["ca.pem"]
    assert after["server.pem"] != before["server.pem"]
    assert after["server.key"] != before["server.key"]


def test_an_authority_near_its_end_is_renewed_with_all_that_it_signed(tmp_path: pathlib.Path) -> None:
    certificates.ensure(tmp_path, NAMES, NOW)
    before = files(tmp_path)
    assert certificates.ensure(tmp_path, NAMES, NOW + 3600 * DAY)
    assert all(files(tmp_path)[name] != content for name, content in before.items())


def test_other_names_make_another_certificate(tmp_path: pathlib.Path) -> None:
    certificates.ensure(tmp_path, NAMES, NOW)
    assert certificates.ensure(tmp_path, ("localhost",), NOW)
    server = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "server.pem", "server.key"])
@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_what_is_missing_or_broken_is_made_anew(tmp_path: pathlib.Path, name: str, content: bytes | None) -> None:
    certificates.ensure(tmp_path, NAMES, NOW)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert certificates.ensure(tmp_path, NAMES, NOW)
    assert certificates.pair_fits(tmp_path / "server.pem", tmp_path / "server.key")
    assert not certificates.ensure(tmp_path, NAMES, NOW)


async def test_the_keeper_publishes_each_pair_once_and_only_when_it_fits(tmp_path: pathlib.Path) -> None:
    clock = ManualClock()
    keeper = CertificateKeeper(tmp_path, NAMES, clock, look_every_s=0.005)
    published: list[bytes] = []
    running = asyncio.create_task(keeper.run(published.append))

    async def until(count: int) -> None:
        async with asyncio.timeout(5):
            while len(published) < count:  # noqa: ASYNC110 - what is awaited is another task's
                await asyncio.sleep(0.005)

    try:
        await until(1)
        assert published == [(tmp_path / "server.pem").read_bytes()]
        clock.advance(61 * 24 * 3600 * 1000)
        await until(2)
        key = (tmp_path / "server.key").read_bytes()
        (tmp_path / "server.key").unlink()
        (tmp_path / "server.pem").write_bytes(published[0])
        await asyncio.sleep(0.05)
        (tmp_path / "server.key").write_bytes(key)
        await asyncio.sleep(0.05)
        assert len(published) == 2
    finally:
        running.cancel()
