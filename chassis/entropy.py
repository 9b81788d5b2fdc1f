"""Randomness, as an injected part (R-27), and the identifiers made from it."""

import os
import random
from datetime import datetime
from typing import Protocol

import chassis.clock

UUID_VERSION = 7
# The digit that begins with the two bits 10, and goes on with two bits of chance.
VARIANTS = "89ab"
UNIX_MS_MAX = (1 << 48) - 1


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
        return os.urandom(size_bytes)

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high` from the operating system's randomness."""
        return self._random.uniform(low, high)


def new_id(clock: chassis.clock.Clock, entropy: Entropy) -> str:
    """Return a fresh UUID of version 7 as text; ids made later sort later, to the millisecond."""
    return id_of(clock.now(), entropy)


def id_of(moment: datetime, entropy: Entropy) -> str:
    """Return a fresh UUID of version 7 of a moment, which is aware.

    Source: RFC 9562, section 5.7.
    """
    time = f"{int(moment.timestamp() * 1000) & UNIX_MS_MAX:012x}"
    chance = entropy.token(10).hex()
    variant = VARIANTS[int(chance[4], 16) & 0b11]
    return f"{time[:8]}-{time[8:]}-{UUID_VERSION}{chance[:3]}-{variant}{chance[5:8]}-{chance[8:]}"
