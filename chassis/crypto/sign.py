"""Signing, and verifying what others signed. The signature is the bare 64 bytes."""

from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

import chassis.entropy
import chassis.secrecy

# Source: RFC 8032, section 5.1.
SEED_BYTES = 32


class Signer:
    """Holds a private key and signs with it."""

    def __init__(self, private_pem: chassis.secrecy.Secret[bytes]) -> None:
        """Take a private key as PKCS 8 PEM without a password.

        Raises:
            ValueError: it is not a private key of the kind we sign with.
        """
        key = load_pem_private_key(private_pem.reveal(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not a signing key")  # noqa: TRY004 - the type is data here, not a programming slip
        self._key = key

    @classmethod
    def generate(cls, entropy: chassis.entropy.Entropy) -> Self:
        """Return a signer with a fresh key."""
        return cls(_private_pem(Ed25519PrivateKey.from_private_bytes(entropy.token(SEED_BYTES))))

    @property
    def private_pem(self) -> chassis.secrecy.Secret[bytes]:
        """The private key as PKCS 8 PEM, to be stored as a secret."""
        return _private_pem(self._key)

    @property
    def public_pem(self) -> str:
        """The public key as PEM, to be given to whoever verifies."""
        public = self._key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, 64 bytes."""
        return self._key.sign(message)


def verify(public_pem: str, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` over `message` was made by the owner of this public key.

    An unreadable key or another kind of key verifies nothing.
    """
    try:
        key = load_pem_public_key(public_pem.encode())
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _private_pem(key: Ed25519PrivateKey) -> chassis.secrecy.Secret[bytes]:
    return chassis.secrecy.Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
