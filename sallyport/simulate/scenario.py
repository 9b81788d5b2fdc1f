"""The first story: sellers connect, desktops enrol and read, tokens end together, orders ship, time passes.

Every phase runs under faults; the last one is calm, and by its end everything must have come right.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sallyport.simulate import inspection
from sallyport.simulate.desktops import Desktop
from sallyport.simulate.invariants import Invariant
from sallyport.simulate.orders import ADDRESS, Order
from sallyport.simulate.people import Console, GaveUp, Person
from sallyport.simulate.profiles import Bound, Compat
from sallyport.simulate.world import World

PARTNERS = ("A1SELLER", "A2SELLER")
ORDERS_PER_SHOP = 4
READS = 3
THINKING_S_MAX = 6.0

HERD_JUMPS = (timedelta(minutes=52), timedelta(minutes=25))
"""First into the time in which Amazon's tokens are renewed early, then past the end of all tokens."""

HOPS = 6
HOP_DAYS = (5.2, 7.5)
"""Together more than 31 days, each of them as if every host had been switched off meanwhile."""

REVOKED_FOR_S = 90.0
CONVERGED_S = 60.0
"""Source: R-01 and R-11."""

ERASING_S = 70.0
"""Another round of the erasing job, and then some."""


@dataclass
class Shop:
    """One seller with everything that is the seller's."""

    person: Person
    orders: Sequence[Order]
    desktops: Sequence[Desktop]


class Story:
    """One run of the first story."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._console = Console(world)
        self._shops: list[Shop] = []

    async def tell(self) -> None:
        """Let it happen from beginning to end, and look at what is left."""
        try:
            await self._happen()
        except GaveUp:
            self._world.calm()
            self._world.tally.check(Invariant.CONVERGED, False, "somebody tried in vain until giving up")
        await inspection.inspect(self._world, self._console)

    async def _happen(self) -> None:
        await self._console.register()
        await asyncio.gather(*map(self._open_shop, PARTNERS))
        await self._all_read(READS)
        for jump in HERD_JUMPS:
            self._world.clock.jump(jump)
            await self._all_read(1, thinking_s_max=0.0)
        await self._pry()
        await self._ship()
        await self._let_time_pass()
        await asyncio.gather(self._revoke(self._shops[0]), self._erase(self._shops[1]))
        await asyncio.gather(self._all_read(READS), self._calm_down())

    async def _open_shop(self, partner_id: str) -> None:
        seller_id = await self._console.create_seller(f"Seller {partner_id}")
        person = Person(self._world, self._console, seller_id=seller_id, partner_id=partner_id)
        desktops = [
            Desktop(self._world, person, self._console, name=f"{partner_id}-{what}", make=make)
            for what, make in (("packing", Bound), ("office", Bound), ("script", Compat))
        ]
        shop = Shop(person, [self._order(partner_id) for _ in range(ORDERS_PER_SHOP)], desktops)
        await person.connect()
        await asyncio.gather(*(each.enrol(sees_buyers=each is desktops[0]) for each in desktops))
        self._shops.append(shop)

    def _order(self, partner_id: str) -> Order:
        order_id = f"114-{len(self._world.orders):07d}-{partner_id[1]}{'0' * 6}"
        order = Order(order_id, partner_id, self._world.clock.now() - timedelta(hours=1))
        self._world.orders[order_id] = order
        return order

    async def _all_read(self, reads: int, *, thinking_s_max: float = THINKING_S_MAX) -> None:
        """Let every desktop look at some orders of its shop, all at once."""

        async def look(desktop: Desktop, orders: Sequence[Order]) -> None:
            for _ in range(reads):
                await self._world.clock.sleep(self._world.choices.uniform(0.0, thinking_s_max))
                await desktop.read(self._world.choices.choice(orders).order_id)

        await asyncio.gather(
            *(look(desktop, shop.orders) for shop in self._shops for desktop in shop.desktops)
        )

    async def _pry(self) -> None:
        """Let the desktop that may see buyers ask for another seller's order."""
        for shop, other in zip(self._shops, reversed(self._shops), strict=True):
            desktop, order_id = shop.desktops[0], other.orders[0].order_id
            for part in ("", ADDRESS):
                status = await desktop.glance(order_id, part)
                evidence = f"{desktop.desk.name} got {status} for {order_id}"
                self._world.tally.check(Invariant.OWN_SELLER, status != 200, evidence)

    async def _ship(self) -> None:
        """Ship the first order, which is looked at soon, and the second, which may not be."""
        for shop in self._shops:
            for order in shop.orders[:2]:
                order.shipped_at = self._world.clock.now()
        await asyncio.gather(
            *(desktop.read(shop.orders[0].order_id) for shop in self._shops for desktop in shop.desktops)
        )

    async def _let_time_pass(self) -> None:
        self._world.amazon.is_alarming = False
        for hop in range(HOPS):
            self._world.trace.write(f"hop {hop}")
            self._world.clock.jump(timedelta(days=self._world.choices.uniform(*HOP_DAYS)))
            await self._all_read(1)

    async def _revoke(self, shop: Shop) -> None:
        """Revoke a device, which goes on trying."""
        desktop = shop.desktops[-1]
        await shop.person.revoke(desktop.device_id)
        revoked_at_s = self._world.clock.monotonic_s()
        desktop.desk.revoked_at_s = revoked_at_s
        while self._world.clock.monotonic_s() < revoked_at_s + REVOKED_FOR_S:
            await desktop.glance(shop.orders[2].order_id)
            await self._world.clock.sleep(self._world.choices.uniform(0.0, THINKING_S_MAX))

    async def _erase(self, shop: Shop) -> None:
        """Erase all that is kept for a seller; what was stored until now must never open again."""
        copies = len(self._world.watcher.copies)
        await self._console.erase_seller(shop.person.seller_id)
        self._world.watcher.erased[shop.person.seller_id] = copies

    async def _calm_down(self) -> None:
        """Stop all faults in the middle of everything; see that it comes right in time."""
        world, shop = self._world, self._shops[0]
        await world.clock.sleep(world.choices.uniform(0.0, 2 * THINKING_S_MAX))
        world.calm()
        began_s, intents = world.clock.monotonic_s(), world.watcher.book.intents()
        await asyncio.gather(*(self._converge(shop, each) for each in shop.desktops[:-1]))
        await world.clock.sleep(began_s + CONVERGED_S - world.clock.monotonic_s())
        still_open = set(world.watcher.book.open_intents())
        for intent_id in intents:
            evidence = f"{world.watcher.book.kind_of(intent_id)} {intent_id} has no outcome"
            world.tally.check(Invariant.INTENTS_RESOLVED, intent_id not in still_open, evidence)
        await world.clock.sleep(ERASING_S)

    async def _converge(self, shop: Shop, desktop: Desktop) -> None:
        """See a desktop served with a new order, and refused with one whose time is over."""
        world = self._world
        began_s = world.clock.monotonic_s()
        status = await desktop.read(self._order(shop.person.partner_id).order_id)
        took_s = world.clock.monotonic_s() - began_s
        evidence = f"{desktop.desk.name} got {status} after {took_s:.1f} s"
        world.tally.check(Invariant.CONVERGED, status == 200 and took_s <= CONVERGED_S, evidence)
        status = await desktop.read(shop.orders[0].order_id)
        evidence = f"{desktop.desk.name} got {status} for {shop.orders[0].order_id}"
        world.tally.check(Invariant.REFUSED_AFTER_CLOCK, status == 410, evidence)
