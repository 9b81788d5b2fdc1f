"""Chance that repeats: the same seed gives the same bytes."""

import random


class FakeEntropy:
    """A seeded `chassis.entropy.Entropy`."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def token(self, size_bytes: int) -> bytes:
        return self._random.randbytes(size_bytes)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)
