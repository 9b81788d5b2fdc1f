"""Circuits and bulkheads: one per seller and region, so that one seller's trouble stays its own (R-07, T-32).

A seller whose calls Amazon does not answer is refused here, at once, until a probe succeeds. A seller with
too many calls under way waits for none of the connections that others need. What whole regions suffer shows
in a metric: the share of the sellers who called lately whose last call failed.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chassis.clock import Clock
from services.gateway.forward.ports import Signals
from services.gateway.model.calls import Region
from services.gateway.model.circuit import Circuit
from services.gateway.model.faults import UpstreamBusy, UpstreamResting
from services.gateway.model.recent import Recent

# A forgotten circuit is a closed one; about 200 bytes each, and only of sellers with failures.
CIRCUITS_MAX = 20_000
# At most an eighth of an origin's connections.
UNDER_WAY_MAX = 64
BUSY_S = 1.0
# In each region.
SELLERS_LOOKED_AT = 200

_CLOSED = Circuit()
_Key = tuple[str, Region]


@dataclass(slots=True)
class Attempt:
    """One call under way; says at most once how it went."""

    turn: int
    is_answered: bool | None = None


class Circuits:
    """Every circuit that is not simply closed."""

    def __init__(self, *, clock: Clock, signals: Signals) -> None:
        self._clock = clock
        self._signals = signals
        self._circuits: Recent[_Key, Circuit] = Recent(CIRCUITS_MAX)
        self._under_way: Counter[_Key] = Counter()
        self._weather = {region: _Weather() for region in Region}

    def check(self, seller_id: str, region: Region) -> None:
        """Let a seller pass who might be let through: nobody waits for a turn in vain.

        Raises:
            UpstreamResting: Amazon has not been answering this seller.
        """
        circuit = self._circuits.get((seller_id, region)) or _CLOSED
        wait_s = circuit.wait_s(self._clock.monotonic_s())
        if wait_s > 0:
            raise UpstreamResting(retry_after_s=wait_s)

    @contextmanager
    def attempt(self, seller_id: str, region: Region) -> Iterator[Attempt]:
        """Let one call through, and learn from what its caller sets `is_answered` to.

        Raises:
            UpstreamResting: Amazon has not been answering this seller.
            UpstreamBusy: too many of this seller's calls are under way.
        """
        self.check(seller_id, region)
        key = seller_id, region
        if self._under_way[key] >= UNDER_WAY_MAX:
            raise UpstreamBusy(retry_after_s=BUSY_S)
        circuit = self._circuits.get(key) or _CLOSED
        circuit = self._become(key, circuit.asked(self._clock.monotonic_s()))
        attempt = Attempt(circuit.turn)
        self._under_way[key] += 1
        try:
            yield attempt
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
            self._learn(key, attempt)

    def _learn(self, key: _Key, attempt: Attempt) -> None:
        circuit, now_s = self._circuits.get(key) or _CLOSED, self._clock.monotonic_s()
        if attempt.is_answered is None:
            self._become(key, circuit.given_up(attempt.turn, now_s))
            return
        if attempt.is_answered:
            after = circuit.answered(attempt.turn)
        else:
            after = circuit.failed(attempt.turn, now_s)
            if after.is_open and after.turn != circuit.turn:
                self._signals.circuit_opened(key[1])
        self._become(key, after)
        if self._weather[key[1]].is_news(key[0], is_fair=attempt.is_answered):
            self._signals.failing(key[1], self._weather[key[1]].share)

    def _become(self, key: _Key, circuit: Circuit) -> Circuit:
        if circuit == _CLOSED:
            self._circuits.drop(key)
        else:
            self._circuits.put(key, circuit)
        return circuit


class _Weather:
    """How the last call of each of the sellers went who called lately in one region."""

    def __init__(self) -> None:
        self._fair: Recent[str, bool] = Recent(SELLERS_LOOKED_AT)

    @property
    def share(self) -> float:
        """The share of sellers whose last call failed."""
        return 1 - sum(self._fair.values()) / len(self._fair)

    def is_news(self, seller_id: str, *, is_fair: bool) -> bool:
        """Remember how a seller's call went; return whether its last one went otherwise."""
        if self._fair.get(seller_id) is is_fair:
            return False
        self._fair.put(seller_id, is_fair)
        return True
