"""Randomness, as an injected part (R-27), and the identifiers made from it."""

import random
import secrets
from typing import Protocol

import chassis.clock

UUID_VERSION = 7


class Entropy(Protocol):
    """What a part needs from chance."""

    def token(self, size_bytes: int) -> bytes:
        """Return `size_bytes` unguessable bytes."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high`, all equally likely."""
        ...


class SystemEntropy:
    """The operating system's randomness."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def token(self, size_bytes: int) -> bytes:
        """Return `size_bytes` bytes from the operating system."""
        return secrets.token_bytes(size_bytes)

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high` from the operating system's randomness."""
        return self._random.uniform(low, high)


def new_id(clock: chassis.clock.Clock, entropy: Entropy) -> str:
    """Return a fresh UUID of version 7 as text; ids made later sort later, to the millisecond.

    Source: RFC 9562, section 5.7.
    """
    unix_ms = int(clock.now().timestamp() * 1000) & (1 << 48) - 1
    chance = int.from_bytes(entropy.token(10), "big")
    chance_a, chance_b = chance >> 68, chance & (1 << 62) - 1
    value = unix_ms << 80 | UUID_VERSION << 76 | chance_a << 64 | 0b10 << 62 | chance_b
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
