"""A whole safe on fakes: what stays when the process dies, and the use cases over it.

`House.restart` is what a new process after kill -9 sees: the database, the key service and the audit log as
they are, nothing from memory. `guarded` puts a fuse before and after every call of a port, so that a test
can let the process die between any two steps.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TypeVar, cast

import chassis.clock
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.retention_audit import FakeAudit
from fakes.retention_keys import FakeKeys, FakeReceiptKey
from fakes.retention_signals import FakeSignals
from fakes.retention_store import FakeDataKeyStore, FakeErasureStore, FakeRecordStore, Tables
from services.retention.app import Parts, UseCases, compose
from services.retention.model.audit import Origin
from services.retention.model.orders import Observation, OrderState, Term
from services.retention.model.records import RecordName

SELLER = "seller-1"
NAME = RecordName(SELLER, "111-2222222-3333333", "ordersV0.getOrderAddress")
PLAINTEXT = b'{"payload":{"ShippingAddress":{"Name":"Canary Buyer"}}}'
GATEWAY = Origin("gateway", "request-0001")
CONSOLE = Origin("console", "request-0002")
DAY = timedelta(days=1)

P = TypeVar("P")


class Crash(Exception):
    """The process died."""


class Fuse:
    """Lets the process die at one of its steps; counts them all."""

    def __init__(self, step: int | None = None) -> None:
        self._step = step
        self.steps = 0

    def burn(self) -> None:
        self.steps += 1
        if self.steps == self._step:
            raise Crash


class _Guarded:
    def __init__(self, port: object, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        method = getattr(self._port, name)

        async def call(*args: object, **kwargs: object) -> object:
            self._fuse.burn()
            answer = await method(*args, **kwargs)
            self._fuse.burn()
            return answer

        return call


def guarded(port: P, fuse: Fuse) -> P:
    """Return the port with a fuse before and after each of its calls."""
    return cast("P", _Guarded(port, fuse))


@dataclass
class House:
    tables: Tables = field(default_factory=Tables)
    keys: FakeKeys = field(default_factory=FakeKeys)
    audit: FakeAudit = field(default_factory=FakeAudit)
    receipt_key: FakeReceiptKey = field(default_factory=FakeReceiptKey)
    clock: FakeClock = field(default_factory=FakeClock)
    signals: FakeSignals = field(default_factory=FakeSignals)
    term: Term = field(default_factory=Term)

    def __post_init__(self) -> None:
        self._entropy = FakeEntropy(13)
        self.restart()

    def restart(self, fuse: Fuse | None = None) -> UseCases:
        """Forget what was in memory; with a fuse, die at its step."""
        parts = self.parts()
        if fuse is not None:
            ports = ("records", "data_key_rows", "erasures", "traces", "keys", "verifier_keys", "audit")
            parts = replace(parts, **{name: guarded(getattr(parts, name), fuse) for name in ports})
        self.use = compose(parts, term=self.term)
        return self.use

    def parts(self) -> Parts:
        records, erasures = FakeRecordStore(self.tables), FakeErasureStore(self.tables)
        return Parts(
            records=records,
            measures=records,
            data_key_rows=FakeDataKeyStore(self.tables),
            erasures=erasures,
            traces=erasures,
            keys=self.keys,
            verifier_keys=self.keys,
            receipt_key=self.receipt_key,
            audit=self.audit,
            clock=chassis.clock.SteadyClock(self.clock),
            entropy=self._entropy,
            signals=self.signals,
        )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def observe(self, state: OrderState = OrderState.UNSHIPPED, **told: datetime | None) -> None:
        """Let the gateway tell about NAME's order; bought a day ago unless told otherwise."""
        await self.use.clocks.observe(SELLER, [seen(self.now, state, **told)], origin=GATEWAY)

    async def seal(self, name: RecordName = NAME, plaintext: bytes = PLAINTEXT) -> datetime:
        return await self.use.safe.seal(name, plaintext, fetched_at=self.now, origin=GATEWAY)

    async def open(self, name: RecordName = NAME, age_max: timedelta | None = None) -> bytes:
        opened = await self.use.safe.open(name, age_max=age_max, origin=GATEWAY)
        return opened.plaintext

    def pass_(self, span: timedelta) -> None:
        self.clock.pass_(span.total_seconds())


def tear_data_keys(house: House, day: date) -> None:
    """Change every wrapped data key of an erase day, as whoever writes to the database may; restart."""
    for key_id, data_key in house.tables.data_keys.items():
        if data_key.erase_day == day:
            house.tables.data_keys[key_id] = replace(data_key, wrapped=data_key.wrapped.swapcase())
    house.restart()


def seen(now: datetime, state: OrderState, **told: datetime | None) -> Observation:
    """Return an observation of NAME's order, made now unless `observed_at` is told."""
    facts: dict[str, datetime | None] = {
        "purchased_at": now - DAY,
        "shipped_at": None,
        "delivered_at": None,
        **told,
    }
    observed_at = facts.pop("observed_at", None) or now
    return Observation(order_id=NAME.order_id, state=state, observed_at=observed_at, **facts)
