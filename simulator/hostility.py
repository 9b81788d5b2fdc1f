"""How the simulated Amazon misbehaves: a little always, more on request, never differently for the same seed.

Each caller's calls of an operation are counted, and what happens to call number n is a function of the
seed, the caller, the operation and n. So retry code is always exercised (R-28), and a failing run can be
repeated. A drawn refusal never follows another on the same count, so a client that retries once gets
through at the mild levels.

Tests that want one particular fault script it: scripted faults come before drawn ones, in the order given.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import simulator.seed

LEVELS = {"none": 0.0, "mild": 0.05, "rough": 0.2, "harsh": 0.6}
# From here on, calls may also take effect without their answer arriving.
LOSSES_FROM_LEVEL = 0.5
SCRIPTED_MAX = 10_000
DELAY_S_MAX = 300.0

_SLOW_S = (0.02, 0.3)


class Kind(StrEnum):
    """What can go wrong with one call."""

    NONE = "none"
    THROTTLE = "throttle"  # 429 although the plan had room
    FAIL = "fail"  # 500, nothing done
    UNAVAILABLE = "unavailable"  # 503, nothing done
    SLOW = "slow"  # answered late
    ODD_HEADERS = "odd_headers"  # header names in odd case, one header twice
    LOST = "lost"  # done, but answered with 503
    HANG_UP = "hang_up"  # done, but the connection closes without an answer
    DENY = "deny"  # 403, or LWA's invalid_grant, although all is well; only when scripted
    GARBAGE = "garbage"  # 200 with half an HTML page; only when scripted
    TRUNCATED = "truncated"  # half of the body, then the connection closes; only when scripted
    DRIP = "drip"  # the body in small pieces, the whole taking `delay_s`; only when scripted


_ALWAYS_DRAWN = (Kind.THROTTLE, Kind.FAIL, Kind.UNAVAILABLE, Kind.SLOW, Kind.ODD_HEADERS)
_DRAWN_AT_WORST = (*_ALWAYS_DRAWN, Kind.LOST, Kind.HANG_UP)
_REFUSALS = frozenset(_DRAWN_AT_WORST) - {Kind.SLOW, Kind.ODD_HEADERS}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call, and how late its answer is."""

    kind: Kind = Kind.NONE
    delay_s: float = 0.0


@dataclass(frozen=True)
class Script:
    """A fault ordered for the next `count` calls of an operation."""

    operation: str
    fault: Fault
    count: int


class LevelOutOfRange(ValueError):
    """A level is neither a number from 0 to 1 nor one of LEVELS."""


def level(text: str) -> float:
    """Return the share of calls that a level or its name stands for.

    Raises:
        LevelOutOfRange: it is neither.
    """
    try:
        value = LEVELS[text] if text in LEVELS else float(text)
    except ValueError as error:
        raise LevelOutOfRange(f"must be a number from 0 to 1 or one of {', '.join(LEVELS)}") from error
    if not 0.0 <= value <= 1.0:
        raise LevelOutOfRange("must lie between 0 and 1")
    return value


def drawn(seed: simulator.seed.Seed, share: float, *, key: tuple[str, ...], ordinal: int) -> Fault:
    """Return what the seed has in store for call number `ordinal` (from 1) of a key."""
    kind = _raw(seed, share, key=key, ordinal=ordinal)
    if kind in _REFUSALS and ordinal > 1 and _raw(seed, share, key=key, ordinal=ordinal - 1) in _REFUSALS:
        return Fault()
    if kind is not Kind.SLOW:
        return Fault(kind)
    low_s, high_s = _SLOW_S
    return Fault(kind, low_s + (high_s - low_s) * seed.fraction("delay", *key, ordinal))


def _raw(seed: simulator.seed.Seed, share: float, *, key: tuple[str, ...], ordinal: int) -> Kind:
    if seed.fraction("fault", *key, ordinal) >= share:
        return Kind.NONE
    kinds = _DRAWN_AT_WORST if share >= LOSSES_FROM_LEVEL else _ALWAYS_DRAWN
    return seed.pick(kinds, "kind", *key, ordinal)


class Hostility:
    """Counts calls and decides each one's fault."""

    def __init__(self, *, seed: simulator.seed.Seed, share: float) -> None:
        self.share = share
        self._seed = seed
        self._counts: dict[tuple[str, ...], int] = {}
        self._scripts: dict[str, deque[Fault]] = {}

    def decide(self, operation: str, *caller: str) -> Fault:
        """Return the fault of a caller's next call of an operation."""
        script = self._scripts.get(operation)
        if script:
            return script.popleft()
        key = (operation, *caller)
        ordinal = self._counts[key] = self._counts.get(key, 0) + 1
        return drawn(self._seed, self.share, key=key, ordinal=ordinal)

    def script(self, script: Script) -> None:
        """Order a fault, after those already ordered for the operation; at most SCRIPTED_MAX are kept."""
        faults = self._scripts.setdefault(script.operation, deque(maxlen=SCRIPTED_MAX))
        faults.extend([script.fault] * script.count)

    def scripted(self) -> dict[str, int]:
        """Return how many ordered faults wait, by operation."""
        return {operation: len(faults) for operation, faults in self._scripts.items() if faults}

    def clear(self) -> None:
        """Forget every ordered fault."""
        self._scripts.clear()
