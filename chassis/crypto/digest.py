"""Fingerprints: keyed ones for looking up tokens we do not keep, bare ones for chains and documents."""

import base64
import hashlib
import hmac

import chassis.secrecy

KEY_BYTES_MIN = 32


def keyed(key: chassis.secrecy.Secret[bytes], text: str) -> bytes:
    """Return the 32-byte fingerprint of `text` that nobody can make or check without the key.

    Args:
        key: at least KEY_BYTES_MIN bytes.
        text: usually an unguessable token.
    """
    if len(key.reveal()) < KEY_BYTES_MIN:
        raise ValueError("a digest key has at least 32 bytes")
    return hmac.digest(key.reveal(), text.encode(), "sha256")


def sha256(data: bytes) -> bytes:
    """Return the 32-byte fingerprint of `data` that anybody can make."""
    return hashlib.sha256(data).digest()


def equal(left: bytes, right: bytes) -> bool:
    """Return whether both are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(left, right)


def pkce_s256(verifier: str) -> str:
    """Return the code challenge that belongs to a code verifier.

    Source: RFC 7636, section 4.2.
    """
    return base64.urlsafe_b64encode(sha256(verifier.encode())).rstrip(b"=").decode("ascii")
