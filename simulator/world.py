"""The simulated sellers and what their buyers ordered: facts that follow from the seed alone.

An order is a function of (seed, seller, number): who bought what, when it is placed, when the seller's
warehouse would ship it and how long the parcel travels. Nothing here ever changes; what happens to an order
afterwards is worked out in `progress`. Orders go on arriving as virtual time passes, up to ORDERS_MAX for
each seller.

The order's number decides its character, so that tests can pick one (number n of a seller):

* n % 4 == 1: fulfilled by Amazon; otherwise by the seller
* n % 8 == 3: bought by a business
* n % 3 == 2: a gift
* n % 10 == 7, unless fulfilled by Amazon: picked up in a shop
* n % 12 == 6: holds a regulated product
* n % 12 == 10: holds customized products
* n % 3 + 1 kinds of items, in marketplace number n // 4 % (how many the seller has)
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import simulator.marketplaces
import simulator.people
import simulator.seed
from simulator.marketplaces import Marketplace

SELLERS_MAX = 20_000
ORDERS_MAX = 2_000
# Orders are drawn when somebody looks at them. The newest of those are kept; one that was let go of is drawn
# again, the same.
ORDERS_KEPT_MAX = 52_000
ORDERS_AT_BIRTH = 24
ARRIVAL_INTERVAL = timedelta(hours=10)
ARRIVAL_JITTER_S = 9 * 3_600
SHIP_EARLIEST = timedelta(hours=12)
SHIP_LATEST = timedelta(days=4)
DELIVER_EARLIEST = timedelta(days=2)
DELIVER_LATEST = timedelta(days=10)

_SHIPS_WITHIN_S = 72 * 3_600
_TRAVELS_S = (24 * 3_600, 96 * 3_600)
# Coprime to 10^7: stepping by it visits every seven-digit number once, and can be undone.
_STEP = 6_700_417
_SPAN = 10_000_000
_STEP_BACK = pow(_STEP, -1, _SPAN)
_ORDER_ID = re.compile(r"902-([0-9]{7})-([0-9]{7})")

_NAMES = (
    "Alder & Ash Trading",
    "Brightwater Goods",
    "Cobblestone Crafts",
    "Driftwood Home",
    "Evergreen Outfitters",
    "Foxglove Gifts",
)
_SHOPS = (
    ("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2"),
    ("A1PA6795UKMFR9", "A1F83G8C2ARO7P", "A13V1IB3VIYZZH"),
    ("A1VC38T7YXB528",),
    ("ATVPDKIKX0DER", "A1AM78C64UM0Y8", "A2Q3Y263D00KWC"),
)
_PRODUCTS = (
    ("Beeswax candle, set of four", "CNDL-4", 1_899),
    ("Enamel mug, speckled blue", "MUG-BL", 1_250),
    ("Linen tea towel, herringbone", "TOWL-HB", 990),
    ("Walnut chopping board", "BRD-WN", 4_500),
    ("Copper watering can, 1.5 l", "CAN-CU", 3_475),
    ("Wool throw, undyed", "THRW-UD", 7_900),
)


@dataclass(frozen=True)
class Seller:
    """A seller account, in one region."""

    index: int
    seller_id: str
    name: str
    marketplaces: tuple[Marketplace, ...]

    @property
    def region(self) -> str:
        """The region whose consent covers all of this seller's marketplaces."""
        return self.marketplaces[0].region


@dataclass(frozen=True)
class Item:
    """A line of an order; prices are in the currency's smallest unit."""

    item_id: str
    asin: str
    sku: str
    title: str
    quantity: int
    unit_price: int
    unit_tax: int


@dataclass(frozen=True)
class Product:
    """What every seller offers; the price is in the currency's smallest unit."""

    asin: str
    sku: str
    title: str
    unit_price: int


@dataclass(frozen=True)
class Order:
    """What a buyer ordered, and when its seller's warehouse would ship it unasked."""

    order_id: str
    number: int
    seller_id: str
    marketplace: Marketplace
    placed_at: datetime
    ships_at: datetime
    travel: timedelta
    buyer: simulator.people.Buyer
    items: tuple[Item, ...]

    @property
    def is_amazon_fulfilled(self) -> bool:
        """Whether Amazon's warehouse ships it."""
        return self.number % 4 == 1

    @property
    def is_business(self) -> bool:
        """Whether a company bought it."""
        return self.number % 8 == 3

    @property
    def is_gift(self) -> bool:
        """Whether it carries a gift message."""
        return self.number % 3 == 2

    @property
    def is_pickup(self) -> bool:
        """Whether the buyer fetches it from a shop."""
        return self.number % 10 == 7 and not self.is_amazon_fulfilled

    @property
    def is_regulated(self) -> bool:
        """Whether the seller must check a prescription first."""
        return self.number % 12 == 6

    @property
    def is_customized(self) -> bool:
        """Whether its buyer said what is to be engraved."""
        return self.number % 12 == 10

    @property
    def quantity(self) -> int:
        """How many pieces were ordered in all."""
        return sum(item.quantity for item in self.items)

    @property
    def total(self) -> int:
        """What the buyer pays, in the currency's smallest unit."""
        return sum(item.quantity * (item.unit_price + item.unit_tax) for item in self.items)


class World:
    """Every seller and every order of a seed."""

    def __init__(self, *, seed: simulator.seed.Seed, born_at: datetime, sellers_count: int) -> None:
        self.born_at = born_at
        self._seed = seed
        self._first_at = born_at - ORDERS_AT_BIRTH * ARRIVAL_INTERVAL
        self.sellers = tuple(self._seller(index) for index in range(sellers_count))
        self._by_id = {seller.seller_id: seller for seller in self.sellers}
        self._by_block = {self._block(seller): seller for seller in self.sellers}
        self._orders: dict[str, Order] = {}

    def seller(self, seller_id: str) -> Seller | None:
        """Return a seller by its identifier."""
        return self._by_id.get(seller_id)

    def products(self) -> tuple[Product, ...]:
        """Return everything that sellers offer."""
        return tuple(Product(self._asin(sku), sku, title, price) for title, sku, price in _PRODUCTS)

    def stock(self, seller: Seller, sku: str) -> int:
        """Return how many pieces of a product a seller has."""
        return self._seed.below(200, "stock", seller.seller_id, sku)

    def order_id(self, seller: Seller, number: int) -> str:
        """Return the identifier of a seller's order number `number`, counted from 0."""
        serial = (self._base(seller) + number * _STEP) % _SPAN
        return f"902-{self._block(seller):07d}-{serial:07d}"

    def order(self, order_id: str) -> Order | None:
        """Return an order by its identifier, whether or not it has been placed yet."""
        match = _ORDER_ID.fullmatch(order_id)
        seller = self._by_block.get(int(match[1])) if match else None
        if match is None or seller is None:
            return None
        number = (int(match[2]) - self._base(seller)) * _STEP_BACK % _SPAN
        return self._order(seller, number) if number < ORDERS_MAX else None

    def placed(self, seller: Seller, now: datetime) -> list[Order]:
        """Return the orders a seller has received by `now`, oldest first, at most ORDERS_MAX."""
        begun = int((now - self._first_at) / ARRIVAL_INTERVAL) + 1
        orders = [self._order(seller, number) for number in range(min(max(begun, 0), ORDERS_MAX))]
        return [order for order in orders if order.placed_at <= now]

    def _seller(self, index: int) -> Seller:
        shops = _SHOPS[index % len(_SHOPS)]
        return Seller(
            index=index,
            seller_id="A" + self._seed.text(simulator.seed.ALPHANUMERIC, 13, "seller", index),
            name=f"{_NAMES[index % len(_NAMES)]} {index + 1}",
            marketplaces=tuple(simulator.marketplaces.BY_ID[shop] for shop in shops),
        )

    def _block(self, seller: Seller) -> int:
        return (self._seed.below(_SPAN, "block") + seller.index * _STEP) % _SPAN

    def _base(self, seller: Seller) -> int:
        return self._seed.below(_SPAN, "base", seller.index)

    def _order(self, seller: Seller, number: int) -> Order:
        order_id = self.order_id(seller, number)
        order = self._orders.get(order_id)
        if order is None:
            order = self._orders[order_id] = self._drawn(seller, number, order_id)
            if len(self._orders) > ORDERS_KEPT_MAX:
                del self._orders[next(iter(self._orders))]
        return order

    def _drawn(self, seller: Seller, number: int, order_id: str) -> Order:
        seed = self._seed
        jitter = timedelta(seconds=seed.below(ARRIVAL_JITTER_S, order_id, "placed"))
        placed_at = self._first_at + number * ARRIVAL_INTERVAL + jitter
        packing = timedelta(seconds=seed.below(_SHIPS_WITHIN_S, order_id, "ships"))
        marketplace = seller.marketplaces[number // 4 % len(seller.marketplaces)]
        return Order(
            order_id=order_id,
            number=number,
            seller_id=seller.seller_id,
            marketplace=marketplace,
            placed_at=placed_at,
            ships_at=placed_at + SHIP_EARLIEST + packing,
            travel=timedelta(seconds=_TRAVELS_S[0] + seed.below(_TRAVELS_S[1], order_id, "travel")),
            buyer=simulator.people.draw(
                seed,
                order_id=order_id,
                country=marketplace.country,
                extension=int(f"{seller.index}{order_id[-7:]}"),
            ),
            items=tuple(self._item(order_id, line) for line in range(number % 3 + 1)),
        )

    def _asin(self, sku: str) -> str:
        return "B0" + self._seed.text(simulator.seed.ALPHANUMERIC, 8, sku)

    def _item(self, order_id: str, line: int) -> Item:
        seed = self._seed
        title, sku, price = seed.pick(_PRODUCTS, order_id, line, "product")
        return Item(
            item_id=seed.text(simulator.seed.DIGITS, 13, order_id, line, "item") + str(line),
            asin=self._asin(sku),
            sku=sku,
            title=title,
            quantity=1 + seed.below(3, order_id, line, "quantity"),
            unit_price=price,
            unit_tax=price // 12,
        )
