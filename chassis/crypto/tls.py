"""Certificates and the TLS contexts made from them.

- Inside (service to service, Postgres): TLS 1.3, both sides show a certificate (T-24).
- The public door: TLS 1.2 or newer, no client certificate.
- Outward (Amazon, sinks): TLS 1.2 or newer, the other side's certificate and name are checked.

No context offers ALPN: everything here speaks HTTP/1.1 or a protocol of its own. A private key
reaches OpenSSL through anonymous memory, never through a file system.
"""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

import chassis.secrecy

RENEWAL_SHARE = 2 / 3
# Forward secrecy and authenticated encryption only. Source: RFC 9325, section 4.2.
PUBLIC_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True)
class Certificate:
    """A certificate with its private key and the authority that its peers must show.

    Attributes:
        certificate_pem: the leaf, then any intermediates.
        key_pem: the leaf's private key, without a password.
        ca_pem: the authorities trusted for peers.
        names: the leaf's DNS names, in its order; the common name does not count.
        not_before: aware UTC.
        not_after: aware UTC.
    """

    certificate_pem: bytes
    key_pem: chassis.secrecy.Secret[bytes]
    ca_pem: bytes
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


def parse(certificate_pem: bytes, key_pem: chassis.secrecy.Secret[bytes], ca_pem: bytes) -> Certificate:
    """Return the certificate that these PEM texts make, names and validity read from the leaf.

    Raises:
        ValueError: the first block is not a certificate.
    """
    leaf = x509.load_pem_x509_certificate(certificate_pem)
    return Certificate(
        certificate_pem=certificate_pem,
        key_pem=key_pem,
        ca_pem=ca_pem,
        names=_names(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


def renew_at(certificate: Certificate) -> datetime:
    """Return when to ask for the next one: at two thirds of this one's life."""
    return certificate.not_before + (certificate.not_after - certificate.not_before) * RENEWAL_SHARE


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """Return the context of an inside server: callers must show a certificate of our authority."""
    context = _server(certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=certificate.ca_pem.decode("ascii"))
    return context


def client_context(certificate: Certificate) -> ssl.SSLContext:
    """Return the context of an inside caller: shows its certificate, checks the server's and its name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=certificate.ca_pem.decode("ascii"))
    _present(context, certificate)
    return context


def public_context(certificate: Certificate) -> ssl.SSLContext:
    """Return the context of the public door."""
    context = _server(certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(PUBLIC_CIPHERS)
    return context


def outward_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return the context of a caller to the outside.

    Args:
        ca_file: the only authorities trusted, as PEM; None trusts the system's.

    Raises:
        OSError: the file cannot be read, or holds no authority; it is named.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        # OpenSSL says what is wrong, and not of which file.
        raise OSError(error.errno, error.strerror, str(ca_file)) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class CurrentContext:
    """Gives the context of the current certificate, built once per certificate.

    Ask it at every handshake: a renewed certificate is then used without a restart (R-15).
    """

    def __init__(
        self,
        current: Callable[[], Certificate],
        build: Callable[[Certificate], ssl.SSLContext],
    ) -> None:
        self._current = current
        self._build = build
        self._certificate = current()
        self._context = build(self._certificate)

    def __call__(self) -> ssl.SSLContext:
        """Return the context for the certificate that is current now."""
        certificate = self._current()
        if certificate is not self._certificate:
            self._context = self._build(certificate)
            self._certificate = certificate
        return self._context


def _server(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    _present(context, certificate)
    return context


def _present(context: ssl.SSLContext, certificate: Certificate) -> None:
    """Load certificate and key through a memory file that vanishes with its descriptor."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb", buffering=0) as memory:
        memory.write(certificate.key_pem.reveal())
        memory.write(b"\n")
        memory.write(certificate.certificate_pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))
