"""Where sellers' ids are at home: the regions whose answers told them.

A call that names nothing but an id goes to the one region that told it. An id that several regions told, or
none, decides nothing: then the device does. Only calls of sellers with accounts in several regions come here.

What is remembered chooses among the regions that are connected right now, and opens none (T-07). It is not
taken back when Amazon knows nothing of an id: what was created a moment ago is often not found at first.
"""

from collections.abc import Iterable, Mapping

from chassis.errors import SallyportError
from chassis.recent import Recent
from services.gateway.forward.journey import Found, Journey
from services.gateway.forward.ports import HomeStore, Signals
from services.gateway.model import exchange, regions
from services.gateway.model.calls import Device, Region, Source
from services.gateway.model.ids import Ids
from services.gateway.model.operations import Operation
from services.gateway.model.targets import Pair

# About 400 bytes each, of a page's token up to 2 KB more.
HOMES_MAX = 20_000

_NOWHERE: frozenset[Region] = frozenset()


class Homes:
    """What all replicas know, and this process's own memory of what it met last."""

    def __init__(self, *, operations: Iterable[Operation], store: HomeStore, signals: Signals) -> None:
        self._ids = Ids(operations)
        self._store = store
        self._signals = signals
        self._known: Recent[tuple[str, str], frozenset[Region]] = Recent(HOMES_MAX)

    async def find(
        self, device: Device, operation: Operation, *, parameters: Mapping[str, str], pairs: Iterable[Pair]
    ) -> Region | None:
        """Return the region to which a call belongs by the id that it names; None where that tells nothing.

        Args:
            device: whose call it is.
            operation: what is called.
            parameters: of its path, by name.
            pairs: of its query.
        """
        named = self._ids.named(operation, parameters, pairs)
        if not named:
            return None
        return regions.only(device.regions & await self._homes(device.seller_id, named))

    async def learn(self, journey: Journey, found: Found) -> None:
        """Keep which ids Amazon told just now, before the desktop can ask for them anywhere."""
        if found.source != Source.AMAZON or not exchange.is_success(found.answer):
            return
        seller_id, region = journey.device.seller_id, journey.region
        told = self._ids.told(journey.operation, journey.body, found.answer.body)
        new = [each for each in told if region not in self._remembered(seller_id, each)]
        if not new:
            return
        try:
            await self._store.settle(seller_id, new, region)
        except SallyportError as error:
            self._signals.side_failed("homes", error.code)
        for each in new:
            self._known.put((seller_id, each), self._remembered(seller_id, each) | {region})

    async def _homes(self, seller_id: str, named: str) -> frozenset[Region]:
        remembered = self._remembered(seller_id, named)
        if remembered:
            return remembered
        try:
            found = await self._store.homes(seller_id, named)
        except SallyportError as error:
            self._signals.side_failed("homes", error.code)
            return _NOWHERE
        if found:
            self._known.put((seller_id, named), found)
        return found

    def _remembered(self, seller_id: str, id_: str) -> frozenset[Region]:
        return self._known.get((seller_id, id_)) or _NOWHERE
