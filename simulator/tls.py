"""The simulator's own certificate authority, made at the first start.

The authority's key signs one server certificate and is never written anywhere: whoever trusts `ca.pem` for
a test trusts that certificate and nothing that could be signed later. A certificate that is nearly over, or
lacks a name, is replaced together with its authority.
"""

import ipaddress
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import simulator.files

LIFETIME = timedelta(days=397)
RENEWED_BEFORE_END = timedelta(days=30)
# Real clocks differ; a certificate that begins a little in the past works on all of them.
BACKDATED = timedelta(hours=1)
ADDRESSES = ("127.0.0.1", "::1")
LOCAL_NAME = "localhost"


def ensure(folder: Path, names: Sequence[str]) -> Path:
    """Return the path of the authority's certificate, after making it and the server's when needed.

    Args:
        folder: where `ca.pem`, `server.pem` and `server.key` live.
        names: DNS names the server must have beside `localhost`.
    """
    wanted = sorted({LOCAL_NAME, *names})
    if not _is_good(folder / "server.pem", folder / "ca.pem", wanted):
        _make(folder, wanted)
    return folder / "ca.pem"


def server_context(folder: Path) -> ssl.SSLContext:
    """Return the TLS settings of the public ports: TLS 1.2 or newer, as with Amazon."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def _is_good(server: Path, authority: Path, names: Sequence[str]) -> bool:
    if not server.exists() or not authority.exists():
        return False
    certificate = x509.load_pem_x509_certificate(server.read_bytes())
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    is_fresh = certificate.not_valid_after_utc - datetime.now(UTC) > RENEWED_BEFORE_END
    return is_fresh and set(names) <= set(held.get_values_for_type(x509.DNSName))


def _make(folder: Path, names: Sequence[str]) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    server = _server(server_key.public_key(), authority=authority, authority_key=authority_key, names=names)
    pem = serialization.Encoding.PEM
    key_pem = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    # The server's certificate comes last: it is what tells that the set is complete.
    simulator.files.replace(folder / "ca.pem", authority.public_bytes(pem), mode=0o644)
    simulator.files.replace(folder / "server.key", key_pem, mode=0o600)
    simulator.files.replace(folder / "server.pem", server.public_bytes(pem), mode=0o644)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("Simulated Amazon: test authority")
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePublicKey,
    *,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
) -> x509.Certificate:
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    alternatives = x509.SubjectAlternativeName([*map(x509.DNSName, names), *addresses])
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(_name("Simulated Amazon"), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFETIME)
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
