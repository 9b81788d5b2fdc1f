"""A certificate authority in memory, for tests that need real TLS."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import chassis.crypto.tls
import chassis.secrecy

CA_LIFE = timedelta(days=1)
LEAF_LIFE = timedelta(hours=1)
SKEW = timedelta(minutes=1)


class Authority:
    """Issues `chassis.crypto.tls.Certificate`s that trust each other. Uses real time, as TLS does."""

    def __init__(self, name: str = "Sallyport test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(name)
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._subject)
            .issuer_name(self._subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(now + CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(is_ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_pem = certificate.public_bytes(Encoding.PEM)

    def issue(
        self,
        *names: str,
        life: timedelta = LEAF_LIFE,
        not_before: datetime | None = None,
    ) -> chassis.crypto.tls.Certificate:
        """Return a certificate for these DNS names, good for both ends of a connection.

        Args:
            names: the first one also becomes the subject.
            life: how long it is valid.
            not_before: aware; a minute ago when left out, so that clocks may differ a little.
        """
        start = not_before or datetime.now(UTC) - SKEW
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(names[0]))
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + life)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(is_ca=False), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        return chassis.crypto.tls.parse(
            builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM),
            chassis.secrecy.Secret(
                key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            ),
            self.ca_pem,
        )

    def issue_identity(self, identity: str) -> chassis.crypto.tls.Certificate:
        """Return a service's certificate: named `<identity>.sallyport.internal`, and localhost."""
        return self.issue(f"{identity}.sallyport.internal", "localhost")

    def write_ca(self, folder: Path) -> Path:
        """Write the authority's certificate into a folder and return the file's path."""
        path = folder / "ca.pem"
        path.write_bytes(self.ca_pem)
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )
