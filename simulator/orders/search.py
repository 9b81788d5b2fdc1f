"""Finding a seller's orders, for both versions of the Orders API and for the control interface."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import simulator.orders.progress
from simulator import exchange
from simulator.ledger import Ledger
from simulator.orders.paging import Key, Pager, Turn, Window
from simulator.orders.progress import Progress
from simulator.world import Order, Seller, World

Found = tuple[Order, Progress]


@dataclass(frozen=True)
class Criteria:
    """What an order must be like; an empty set, or None, asks nothing."""

    window: Window
    marketplaces: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    order_ids: frozenset[str] = frozenset()
    is_amazon_fulfilled: bool | None = None
    is_pickup: bool | None = None
    email: str | None = None

    def fit(self, order: Order, progress: Progress) -> bool:
        """Return whether an order is one of those searched."""
        return (
            _within(self.marketplaces, order.marketplace.marketplace_id)
            and _within(self.statuses, progress.status.value)
            and _within(self.order_ids, order.order_id)
            and self.is_amazon_fulfilled in (None, order.is_amazon_fulfilled)
            and self.is_pickup in (None, order.is_pickup)
            and self.email in (None, order.buyer.email)
            and self.window.after <= self.key(order, progress)[0] <= self.window.before
        )

    def key(self, order: Order, progress: Progress) -> Key:
        """Return what a search is sorted by, which no two orders share."""
        return (progress.updated_at if self.window.is_by_update else order.placed_at, order.order_id)


@dataclass(frozen=True)
class Page:
    """One page of a search, oldest first; without a token it is the last."""

    found: tuple[Found, ...]
    next_token: str | None


class Search:
    """Finds orders and says how far they are.

    A search sees the orders as they stood when its first page was asked for, except that one updated since
    then may have moved beyond it, as with Amazon.
    """

    def __init__(self, *, world: World, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger

    def placed(self, seller: Seller, now: datetime) -> Iterator[Found]:
        """Yield all of a seller's orders, oldest first."""
        for order in self._world.placed(seller, now):
            yield order, self._progress(order, now)

    def one(self, seller: Seller, order_id: str, now: datetime) -> Found:
        """Return one order of a seller.

        Raises:
            Refusal: 404, there is no such order yet, or it is another seller's; the answer does not tell
            which.
        """
        order = self._world.order(order_id)
        if order is None or order.seller_id != seller.seller_id or order.placed_at > now:
            raise exchange.not_found()
        return order, self._progress(order, now)

    def page(self, seller: Seller, criteria: Criteria, *, pager: Pager, turn: Turn, now: datetime) -> Page:
        """Return the page of the orders that fit."""
        fitting = [found for found in self.placed(seller, now) if criteria.fit(*found)]
        ahead = sorted(fitting, key=lambda found: criteria.key(*found))
        if turn.after is not None:
            last = turn.after
            ahead = [found for found in ahead if criteria.key(*found) > last]
        found = tuple(ahead[: turn.limit])
        is_last = len(ahead) == len(found)
        return Page(found, None if is_last else pager.token(turn, criteria.key(*found[-1])))

    def _progress(self, order: Order, now: datetime) -> Progress:
        return simulator.orders.progress.at(order, self._ledger.history(order.order_id), now)


def _within(values: frozenset[str], value: str) -> bool:
    return not values or value in values
