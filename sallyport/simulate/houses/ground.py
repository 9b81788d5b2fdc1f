"""What every simulated process stands on, and how it reaches what lies outside it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import chassis.db
import chassis.rpc
import chassis.vault
from fakes.entropy import FakeEntropy
from sallyport.simulate.amazon import Amazon
from sallyport.simulate.clock import LoopClock
from sallyport.simulate.engines import Engines
from sallyport.simulate.faults import Faults, Way
from sallyport.simulate.nodes import Life
from sallyport.simulate.ports import Witness, faulty
from sallyport.simulate.watching import Watcher
from sallyport.simulate.wire import Wire

P = TypeVar("P")

STORE_S_MAX = 10.0
"""Source: chassis.db.COMMAND_S_MAX."""

KEYS_S_MAX = 10.0
"""Source: chassis.vault.session.ANSWER_S_MAX."""

STORE, KEYS, AMAZON = "store", "vault", "amazon"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The parts of the world that outlive every process."""

    clock: LoopClock
    entropy: FakeEntropy
    engines: Engines
    faults: Faults
    wire: Wire
    amazon: Amazon
    watcher: Watcher

    def store(self, life: Life, port: P, witness: Witness | None = None) -> P:
        """Return a process's way to its database."""
        way = Way(process=life, to=STORE, lost=chassis.db.StoreUnavailable, limit_s=STORE_S_MAX, is_near=True)
        return faulty(port, way, self.faults, witness=witness)

    def keys(self, life: Life, port: P, witness: Witness | None = None) -> P:
        """Return a process's way to the key service."""
        lost = chassis.vault.KeyServiceUnavailable
        way = Way(process=life, to=KEYS, lost=lost, limit_s=KEYS_S_MAX, is_near=True)
        return faulty(port, way, self.faults, witness=witness)


@dataclass(frozen=True, kw_only=True)
class House:
    """What one process is made of.

    Attributes:
        services: what it serves to its peers.
    """

    services: Sequence[chassis.rpc.Service]


def start(life: Life, tasks: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Let a process do its periodic work."""
    for task in tasks:
        life.start(_run(task))


async def _run(task: Callable[[], Awaitable[None]]) -> None:
    await task()


class Silence:
    """Signals and readiness that nobody looks at: whatever is shown is dropped."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *_, **__: None
