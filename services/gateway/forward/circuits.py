"""Circuits and bulkheads: one per seller and region, so that one seller's trouble stays its own (R-07, T-32).

A seller whose calls Amazon does not answer is refused here, at once, until a probe succeeds. A seller with
too many calls under way waits for none of the connections that others need. What whole regions suffer shows
in a metric: the share of the sellers who called lately whose last call failed.
"""

from chassis.clock import Clock
from chassis.recent import Recent
from services.gateway.forward.ports import Signals
from services.gateway.model.calls import Region
from services.gateway.model.circuit import Circuit
from services.gateway.model.faults import UpstreamBusy, UpstreamResting

# A forgotten circuit is a closed one; about 200 bytes each, and only of sellers with failures.
CIRCUITS_MAX = 20_000
# At most an eighth of an origin's connections.
UNDER_WAY_MAX = 64
BUSY_S = 1.0
# In each region.
SELLERS_LOOKED_AT = 200

_CLOSED = Circuit()

# A seller, and where.
Key = tuple[str, Region]


class Circuits:
    """Every circuit that is not simply closed; a call is one between `begin` and `end`."""

    def __init__(self, *, clock: Clock, signals: Signals) -> None:
        self._clock = clock
        self._signals = signals
        self._circuits: Recent[Key, Circuit] = Recent(CIRCUITS_MAX)
        self._under_way: dict[Key, int] = {}
        self._weather = {region: _Weather() for region in Region}

    def check(self, key: Key) -> None:
        """Let a seller pass who might be let through: nobody waits for a permit in vain.

        Raises:
            UpstreamResting: Amazon has not been answering this seller.
        """
        circuit = self._circuits.peek(key)
        if circuit is not None:
            self._let_pass(circuit)

    def begin(self, key: Key) -> int:
        """Let one call through and return the generation of its circuit, which `end` wants back.

        Raises:
            UpstreamResting: Amazon has not been answering this seller.
            UpstreamBusy: too many of this seller's calls are under way.
        """
        circuit = self._circuits.peek(key)
        if circuit is not None:
            self._let_pass(circuit)
        under_way = self._under_way.get(key, 0)
        if under_way >= UNDER_WAY_MAX:
            raise UpstreamBusy(retry_after_s=BUSY_S)
        self._under_way[key] = under_way + 1
        if circuit is None:
            return _CLOSED.generation
        return self._become(key, circuit.asked(self._clock.monotonic_s())).generation

    def end(self, key: Key, generation: int, *, is_answered: bool | None) -> None:
        """Learn how a call of a generation went that `begin` let through; None: there is no news of it."""
        self._under_way[key] -= 1
        if not self._under_way[key]:
            del self._under_way[key]
        circuit = self._circuits.peek(key) or _CLOSED
        if is_answered is None:
            self._become(key, circuit.given_up(generation, self._clock.monotonic_s()))
            return
        if not is_answered:
            self._fail(key, circuit, generation)
        elif circuit is not _CLOSED:
            self._become(key, circuit.answered(generation))
        weather = self._weather[key[1]]
        if weather.is_news(key[0], is_fair=is_answered):
            self._signals.failing(key[1], weather.share)

    def _let_pass(self, circuit: Circuit) -> None:
        wait_s = circuit.wait_s(self._clock.monotonic_s())
        if wait_s > 0:
            raise UpstreamResting(retry_after_s=wait_s)

    def _fail(self, key: Key, circuit: Circuit, generation: int) -> None:
        after = self._become(key, circuit.failed(generation, self._clock.monotonic_s()))
        if after.is_open and after.generation != circuit.generation:
            self._signals.circuit_opened(key[1])

    def _become(self, key: Key, circuit: Circuit) -> Circuit:
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
