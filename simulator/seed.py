"""Reproducible variety: every draw depends on the seed and on a name, never on the order of drawing.

This is the simulator's only source of randomness. It never asks the machine for any, so the same seed and the
same requests give the same bytes.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
ALPHANUMERIC = LETTERS + "23456789"
DIGITS = "0123456789"
# One digest has 256 bits, and a character of these alphabets takes at most five.
TEXT_SIZE_MAX = 40


class Seed:
    """A number from which everything else is drawn by name."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._key = hashlib.sha256(f"sallyport simulator, seed {number}".encode()).digest()

    def digest(self, *name: str | int) -> bytes:
        """Return the 32 bytes that belong to `name`."""
        return hmac.digest(self._key, json.dumps(name).encode(), "sha256")

    def below(self, limit: int, *name: str | int) -> int:
        """Return a whole number from 0 to `limit` - 1."""
        return int.from_bytes(self.digest(*name)) % limit

    def fraction(self, *name: str | int) -> float:
        """Return a number from 0 up to, not including, 1."""
        return int.from_bytes(self.digest(*name)[:6]) / 2**48

    def pick(self, options: Sequence[T], *name: str | int) -> T:
        """Return one of `options`, which must not be empty."""
        return options[self.below(len(options), *name)]

    def text(self, alphabet: str, size: int, *name: str | int) -> str:
        """Return `size` characters of `alphabet`, at most TEXT_SIZE_MAX."""
        return self.filled([alphabet] * size, *name)

    def filled(self, alphabets: Sequence[str], *name: str | int) -> str:
        """Return one character of each alphabet, at most TEXT_SIZE_MAX."""
        assert len(alphabets) <= TEXT_SIZE_MAX
        rest, characters = int.from_bytes(self.digest(*name)), []
        for alphabet in alphabets:
            rest, place = divmod(rest, len(alphabet))
            characters.append(alphabet[place])
        return "".join(characters)


class Mint:
    """Makes identifiers and tokens that never repeat, in an order that the requests decide.

    The number of the start (`boot`) is part of each name, so a restarted simulator never mints again what an
    earlier life of it gave away.
    """

    def __init__(self, *, seed: Seed, boot: int) -> None:
        self._seed = seed
        self._boot = boot
        self._made = 0

    def token(self, prefix: str, *, size_bytes: int) -> str:
        """Return `prefix` and `size_bytes` of base64url text."""
        self._made += 1
        blocks = range(-(-size_bytes // 32))
        raw = b"".join(self._seed.digest("mint", prefix, self._boot, self._made, block) for block in blocks)
        return prefix + base64.urlsafe_b64encode(raw[:size_bytes]).decode().rstrip("=")

    def code(self, prefix: str, *, size: int) -> str:
        """Return `prefix` and `size` letters and digits."""
        self._made += 1
        return prefix + self._seed.text(ALPHANUMERIC, size, "mint", prefix, self._boot, self._made)

    def number(self, *, size: int) -> str:
        """Return `size` digits, the first of them not 0."""
        self._made += 1
        digits = self._seed.text(DIGITS, size - 1, "mint", "number", self._boot, self._made)
        return "5" + digits

    def identifier(self) -> str:
        """Return text in the shape of a UUID."""
        self._made += 1
        return uuid_text(self._seed.digest("mint", "identifier", self._boot, self._made))


def uuid_text(raw: bytes) -> str:
    """Return the first 16 bytes of `raw` in the shape of a UUID."""
    digits = raw[:16].hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
