"""Sealing: what goes in comes out unchanged, under the same key and for the same purpose, or not at all.

- A sealed value is a format byte, a fresh nonce, and the ciphertext with its tag.
- The associated data says what the value is (tenant, table, column, row, key version). It is not kept
  inside: whoever opens must know it, so a value moved elsewhere does not open (T-16).
- One failure has one answer: nothing tells a wrong key from a changed byte or another place.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import chassis.entropy
import chassis.errors
import chassis.secrecy

FORMAT = b"\x01"
KEY_BYTES = 32
# Source: NIST SP 800-38D, 5.2.1.1 (96-bit IVs, 128-bit tags) and 8.3 (at most 2^32 random IVs per key).
NONCE_BYTES = 12
TAG_BYTES = 16
PLAINTEXT_BYTES_MAX = 64 * 1024 * 1024

_LENGTH_BYTES = 4
_TEXT_MARK = b"s"
_NUMBER_MARK = b"i"


class IntegrityFailure(chassis.errors.Unavailable):
    """A sealed value does not open: another key, another place, or changed bytes."""

    code = "integrity_failure"
    text = "A stored value failed its integrity check."
    is_alarming = True


class PlaintextTooLarge(chassis.errors.InvalidInput):
    """More than PLAINTEXT_BYTES_MAX was to be sealed."""

    code = "plaintext_too_large"
    text = "The value is too large to seal."
    http_status = 413


def new_key(entropy: chassis.entropy.Entropy) -> chassis.secrecy.Secret[bytes]:
    """Return a fresh key for `seal`."""
    return chassis.secrecy.Secret(entropy.token(KEY_BYTES))


def seal(key: chassis.secrecy.Secret[bytes], plaintext: bytes, associated: bytes) -> bytes:
    """Return `plaintext` sealed for the place that `associated` describes.

    Args:
        key: KEY_BYTES bytes.
        plaintext: at most PLAINTEXT_BYTES_MAX bytes.
        associated: from `associated()`.

    Raises:
        PlaintextTooLarge: the bound is passed.
    """
    if len(plaintext) > PLAINTEXT_BYTES_MAX:
        raise PlaintextTooLarge
    # From the operating system, not from an injected source: one repeated nonce would give the key away.
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + nonce + _cipher(key).encrypt(nonce, plaintext, associated)


def open_(key: chassis.secrecy.Secret[bytes], sealed: bytes, associated: bytes) -> bytes:
    """Return what was sealed under this key for this place.

    Raises:
        IntegrityFailure: it was not, or it was changed since.
    """
    head = len(FORMAT) + NONCE_BYTES
    if len(sealed) < head + TAG_BYTES or not sealed.startswith(FORMAT):
        raise IntegrityFailure
    try:
        return _cipher(key).decrypt(sealed[len(FORMAT) : head], sealed[head:], associated)
    except InvalidTag as error:
        raise IntegrityFailure from error


def associated(**parts: str | int) -> bytes:
    """Return the canonical bytes of named parts; two different sets of parts never give the same bytes.

    Order does not matter, and a number differs from the same digits as text.
    """
    return b"".join(_framed(name) + _marked(value) for name, value in sorted(parts.items()))


def _cipher(key: chassis.secrecy.Secret[bytes]) -> AESGCM:
    if len(key.reveal()) != KEY_BYTES:
        raise ValueError("a sealing key has 32 bytes")
    return AESGCM(key.reveal())


def _marked(value: str | int) -> bytes:
    if isinstance(value, bool):
        raise TypeError("a truth value is neither text nor number")
    mark = _NUMBER_MARK if isinstance(value, int) else _TEXT_MARK
    return mark + _framed(str(value))


def _framed(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data
