"""The world of one run: two replicas of auth, the other services, their engines, Amazon, and the weather.

Everything that is drawn comes from the seed: the order of steps, faults, chance in tokens and ids, what
Amazon and the people do. Nodes crash and come back; links are cut for a while; `calm` ends all of it.
"""

import asyncio
import functools
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import chassis.rpc
from chassis.errors import Internal, SallyportError
from chassis.rpc.status import PeerUnavailable
from fakes.entropy import FakeEntropy
from sallyport.simulate.amazon import Amazon
from sallyport.simulate.book import Book
from sallyport.simulate.clock import LoopClock, Moment
from sallyport.simulate.engines import Engines
from sallyport.simulate.faults import Faults, Way
from sallyport.simulate.houses import auth, gateway, retention, telemetry
from sallyport.simulate.houses.gateway import GatewayHouse
from sallyport.simulate.houses.ground import AMAZON, KEYS, STORE, Ground, House
from sallyport.simulate.invariants import Tally
from sallyport.simulate.nodes import Life, Node
from sallyport.simulate.orders import Order
from sallyport.simulate.trace import Trace
from sallyport.simulate.watching import Watcher
from sallyport.simulate.wire import Wire

T = TypeVar("T")

AUTH_REPLICAS = ("auth-1", "auth-2")

CONSOLE_S_MAX = 10.0
BROWSER_S_MAX = 30.0
"""How long the console, and a browser or desktop, wait for an answer."""

CUT_PAUSE_S = (20.0, 120.0)
CUT_S = (1.0, 50.0)
"""Between which times some link is cut, and for how long."""

ENDING_S = 1.0

LINKS = (
    *(("gateway", to) for to in ("auth", "retention", "telemetry", AMAZON)),
    *((name, to) for name in AUTH_REPLICAS for to in ("telemetry", STORE, KEYS, AMAZON)),
    *(("retention", to) for to in ("telemetry", STORE, KEYS)),
    *(("telemetry", to) for to in (STORE, KEYS)),
)


class World:
    """Everything there is in one run. Make it, and use it, while the seeded loop runs."""

    def __init__(self, seed: int, *, fault_rate: float, engines: Engines) -> None:
        drawn = functools.partial(_drawn, seed)
        self.choices = drawn("people")
        self.clock = LoopClock()
        self.engines = engines
        self.tally = Tally(asyncio.get_running_loop().time)
        self.trace = Trace()
        self.orders: dict[str, Order] = {}
        self.watcher = Watcher(
            clock=self.clock,
            engines=engines,
            tally=self.tally,
            book=Book(engines.audit_store),
            orders=self.orders,
        )
        self.faults = Faults(choices=drawn("faults"), trace=self.trace, rate=fault_rate)
        self.amazon = Amazon(
            clock=self.clock, choices=drawn("amazon"), watch=self.watcher, orders=self.orders
        )
        self.wire = Wire(
            faults=self.faults,
            choices=drawn("wire"),
            mistake=self.watcher.mistake,
            heard=self.watcher.heard,
        )
        self._weather = drawn("weather")
        self._is_calm = False
        self._people: dict[str, Life] = {}
        self._build(FakeEntropy(drawn("entropy").getrandbits(64)), drawn("nodes"))
        if not fault_rate:
            self.calm()

    def _build(self, entropy: FakeEntropy, choices: random.Random) -> None:
        ground = Ground(
            clock=self.clock,
            entropy=entropy,
            engines=self.engines,
            faults=self.faults,
            wire=self.wire,
            amazon=self.amazon,
            watcher=self.watcher,
        )

        def node(name: str, build: Callable[[Ground, Life], Any]) -> Node[Any]:
            house = functools.partial(build, ground)
            return Node(name, house, choices=choices, mistake=self.watcher.mistake)

        self.gateway: Node[GatewayHouse] = node("gateway", gateway.build)
        peers: Mapping[str, Sequence[Node[House]]] = {
            "auth": [node(name, auth.build) for name in AUTH_REPLICAS],
            "retention": [node("retention", retention.build)],
            "telemetry": [node("telemetry", telemetry.build)],
        }
        self.nodes: Sequence[Node[Any]] = [self.gateway, *(each for some in peers.values() for each in some)]
        self.wire.open(peers)

    async def live(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let a story happen in this world, from beginning to end."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(node.keep()) for node in self.nodes]
        tasks.append(loop.create_task(self._make_weather()))
        try:
            await story()
        finally:
            for task in tasks:
                task.cancel()
            for node in self.nodes:
                node.life.end()
            # What was cancelled needs a moment to end.
            await asyncio.sleep(ENDING_S)

    def calm(self) -> None:
        """Let nothing go wrong from now on."""
        self.trace.write("calm")
        self.faults.calm()
        self.amazon.is_calm = True
        self._is_calm = True

    def moment(self) -> Moment:
        """Return this moment by both clocks."""
        return Moment(self.clock.monotonic_s(), self.clock.now())

    async def visit(self, who: str, step: str, work: Callable[[GatewayHouse], Coroutine[Any, Any, T]]) -> T:
        """Return what the gateway's process does for a browser or desktop.

        Raises:
            PeerUnavailable: no answer came; what was done is not known.
            SallyportError: the gateway's refusal.
        """
        way = Way(process=self._person(who), to="gateway", lost=PeerUnavailable, limit_s=BROWSER_S_MAX)
        node = self.gateway

        async def serve() -> T:
            try:
                return await work(node.house)
            except SallyportError:
                raise
            except Exception as error:
                self.watcher.mistake(f"gateway {step}", error)
                raise Internal from error

        return await self.faults.around(way, step, lambda: node.life.serve(serve))

    def console(self, service: str) -> chassis.rpc.Channel:
        """Return the operators' way to a service."""
        person = self._person("console")
        return self.wire.channel(person, service, caller="console", deadline_s=CONSOLE_S_MAX)

    def _person(self, name: str) -> Life:
        if name not in self._people:
            self._people[name] = Life(
                name, choices=self.choices, mistake=self.watcher.mistake, can_crash=False
            )
        return self._people[name]

    async def _make_weather(self) -> None:
        while True:
            await asyncio.sleep(self._weather.uniform(*CUT_PAUSE_S))
            if self._is_calm:
                return
            self.faults.cut(self._weather.choice(LINKS), self._weather.uniform(*CUT_S))


def _drawn(seed: int, what: str) -> random.Random:
    """Return the generator for one kind of choice; what one kind draws does not change another's."""
    return random.Random(f"{seed} {what}")  # noqa: S311 - it must repeat, not surprise
