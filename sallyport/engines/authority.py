"""The bootstrap authority: who vouches for the embedded engines themselves.

Services get their certificates from the key service's PKI; the key service and Postgres need one before
that exists. The authority's key lies in the state folder, readable by its owner only.
"""

import errno
import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A fresh server certificate is made at every start of an engine.
SERVER_LIFE = timedelta(days=90)
AUTHORITY_LIFE = timedelta(days=3650)
# Clocks in one machine's containers differ a little.
BACKDATED = timedelta(minutes=5)
COMMON_NAME = "Sallyport development engines"

_KEY_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Authority:
    """One certificate authority, made on first use and kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        self._key_file = folder / "ca.key"
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        # The certificate is written last: without it the key is made again.
        if not self.ca_file.exists():
            self._create()
        try:
            key = load_pem_private_key(self._key_file.read_bytes(), password=None)
        except ValueError as error:
            raise OSError(errno.EINVAL, "not a private key in PEM form", str(self._key_file)) from error
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def issue_server(self, names: Sequence[str]) -> tuple[bytes, bytes]:
        """Return certificate and key, both PEM, for a server with these DNS names and IP addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), key.public_key(), SERVER_LIFE)
        builder = (
            builder.add_extension(
                x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(Encoding.PEM), _pem(key)

    def _create(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(COMMON_NAME), key.public_key(), AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        write_private(self._key_file, _pem(key))
        write_public(self.ca_file, builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))


def write_private(path: Path, content: bytes) -> None:
    """Put `content` into a file that only its owner can read; readers see all of it or the old one."""
    _write(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Put `content` into a file that everybody can read; readers see all of it or the old one."""
    _write(path, content, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_name(COMMON_NAME))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _KEY_USES})


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
