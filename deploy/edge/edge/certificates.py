"""The edge's own certificate authority and server certificate, for places where nobody else gives it one."""

import datetime
import ipaddress
import os
import pathlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
SERVER_DAYS = 90
RENEW_DAYS = 30
CLOCK_SKEW = datetime.timedelta(hours=1)


def ensure(folder: pathlib.Path, names: Sequence[str], now: datetime.datetime) -> bool:
    """Makes `ca.pem`, `ca.key`, `server.pem` and `server.key` in the folder, and anew what is missing, near its end, or
    for other names.

    `names` are host names and addresses. The authority is kept as long as it is good, so that those who trust it go on
    to do so. All files are readable by their owner only. Returns whether a
    new server certificate was made; times of the certificates are relative to `now`, which carries its zone.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, authority_key, new_authority = ensure_authority(folder, now)
    if not new_authority and server_is_good(folder, names, authority, now):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue_server(key, names, authority, authority_key, now)
    write(folder / "server.key", private_pem(key))
    write(folder / "server.pem", public_pem(certificate) + public_pem(authority))
    return True


def ensure_authority(
    folder: pathlib.Path, now: datetime.datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey, bool]:
    """The authority in the folder, or a new one when there is none that outlives a server certificate."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    except (OSError, ValueError):
        pass
    else:
        fits = isinstance(key, ec.EllipticCurvePrivateKey) and certificate.public_key() == key.public_key()
        if fits and certificate.not_valid_after_utc - now > datetime.timedelta(days=SERVER_DAYS + RENEW_DAYS):
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return certificate, key, False
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = issue_authority(key, now)
    write(folder / "ca.key", private_pem(key))
    write(folder / "ca.pem", public_pem(certificate))
    return certificate, key, True


def server_is_good(
    folder: pathlib.Path, names: Sequence[str], authority: x509.Certificate, now: datetime.datetime
) -> bool:
    """Whether the folder's server certificate fits its key, is for these names, by this authority, and not near its
    end.
    """
    try:
        certificate = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
        stated = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        certificate.verify_directly_issued_by(authority)
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False
    return (
        pair_fits(folder / "server.pem", folder / "server.key")
        and stated == x509.SubjectAlternativeName(general_names(names))
        and certificate.not_valid_after_utc - now > datetime.timedelta(days=RENEW_DAYS)
    )


def pair_fits(certificate: pathlib.Path, key: pathlib.Path) -> bool:
    """Whether both files can be read and the key is the certificate's: not so for a moment while a pair is replaced."""
    try:
        public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
        return serialization.load_pem_private_key(key.read_bytes(), password=None).public_key() == public
    except (OSError, ValueError, TypeError):
        return False


def issue_authority(key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    """A self-signed authority that may sign servers and nothing below them."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Parkmesh local authority")])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        certificate_for(name, key, name, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def issue_server(
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
) -> x509.Certificate:
    """A server certificate for the names."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Parkmesh edge")])
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        certificate_for(subject, key, authority.subject, now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(general_names(names)), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(by, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def certificate_for(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    """The beginning of every certificate; good from an hour ago on, for clocks that are behind."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    """Addresses as addresses, everything else as host names."""
    general: list[x509.GeneralName] = []
    for name in names:
        try:
            general.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            general.append(x509.DNSName(name))
    return general


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PEM, unencrypted: its file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def write(path: pathlib.Path, content: bytes) -> None:
    """Puts a file in place whole or not at all, readable by its owner only from its first byte on."""
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
