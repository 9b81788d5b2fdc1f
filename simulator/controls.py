"""What whoever runs the simulator can do from outside Amazon: move time, ship, deliver, revoke, break, look.

Nothing here is part of the simulated Amazon's public contract. Everything returns plain JSON values.
"""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import simulator.events
import simulator.hostility
import simulator.letters
import simulator.orders.progress
import simulator.sandbox
from simulator import operations
from simulator.applications import Application
from simulator.clock import OffsetOutOfRange
from simulator.consent import ConsentProblem
from simulator.control_values import ControlRefused, number, text
from simulator.core import Core
from simulator.events import ConsentRevoked, OrderDelivered
from simulator.hostility import Fault, Kind, LevelOutOfRange, Script
from simulator.ledger import SECRET_OVERLAP
from simulator.orders.progress import Progress, Status
from simulator.plans import RATE_MAX
from simulator.sandbox import ModelsInvalid, Sandbox
from simulator.world import Order, Seller

CALLS_PAGE_MAX = 1_000
GRANTS_MAX = 1_000
# Of more than so many, nobody is asked for all orders at once.
SELLERS_LISTED_MAX = 26
BURST_MAX = 1_000_000
ANY_OPERATION = "*"

Document = dict[str, Any]


class Controls:
    """The simulator's own interface, without HTTP."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def health(self) -> Document:
        """Return that the simulator is up, of which seed it is and what time it takes it to be."""
        born = self._core.ledger.state.born
        assert born is not None
        return {
            "status": "ok",
            "seed": born.seed,
            "born_at": born.born_at.isoformat(),
            "boot": self._core.ledger.state.boot,
            **self.time(),
        }

    def time(self) -> Document:
        """Return the virtual time."""
        return {"now": self._core.clock.now().isoformat(), "offset_s": self._core.clock.offset_s}

    def turn_clock(self, body: Document) -> Document:
        """Move the virtual time by `advance_s`, or to `offset_s` seconds ahead of the machine's."""
        if body.keys() not in ({"advance_s"}, {"offset_s"}):
            raise ControlRefused(400, "give either advance_s or offset_s")
        (value,) = body.values()
        offset_s = number(value, "the seconds")
        if "advance_s" in body:
            offset_s += self._core.clock.offset_s
        try:
            self._core.clock.turn(offset_s)
        except OffsetOutOfRange as error:
            raise ControlRefused(400, str(error)) from error
        return self.time()

    def sellers(self) -> Document:
        """Return the seller accounts."""
        return {"sellers": [describe_seller(seller) for seller in self._core.world.sellers]}

    def orders(self, seller_id: str | None, status: str | None) -> Document:
        """Return the orders placed by now, oldest first, of one seller or of all."""
        sellers = [self._seller(seller_id)] if seller_id else list(self._core.world.sellers)
        if len(sellers) > SELLERS_LISTED_MAX:
            raise ControlRefused(400, f"name a seller_id: there are more than {SELLERS_LISTED_MAX} sellers")
        now = self._core.clock.now()
        found = (found for seller in sellers for found in self._core.search.placed(seller, now))
        return {"orders": [_order(*pair) for pair in found if status in (None, pair[1].status.value)]}

    def order(self, order_id: str) -> Document:
        """Return one order."""
        order, progress = self._found(order_id)
        return _order(order, progress)

    def ship(self, order_id: str) -> Document:
        """Ship what has not left of an order, now."""
        order, progress = self._found(order_id)
        rest = simulator.orders.progress.remaining(order, progress.shipped)
        if not rest:
            raise ControlRefused(409, "the order has been shipped already")
        parcel = simulator.orders.progress.parcel(
            order, reference="control", at=self._core.clock.now(), items=rest
        )
        self._core.ledger.commit(parcel)
        return self.order(order_id)

    def deliver(self, order_id: str) -> Document:
        """Deliver an order that has been shipped, now."""
        _, progress = self._found(order_id)
        if progress.status is not Status.SHIPPED:
            raise ControlRefused(409, "the order has not been shipped yet")
        if progress.delivered_at is None:
            self._core.ledger.commit(OrderDelivered(order_id=order_id, delivered_at=self._core.clock.now()))
        return self.order(order_id)

    def consent(self, body: Document) -> Document:
        """Press Confirm, as `seller_id`, on the consent page at `url`; return where the browser goes next."""
        url = urlsplit(text(body, "url"))
        seller = self._seller(text(body, "seller_id"))
        try:
            asked = self._core.consents.asked(dict(parse_qsl(url.query)))
        except ConsentProblem as problem:
            raise ControlRefused(400, f"{problem.code} {problem.text}".strip()) from problem
        location = self._core.consents.confirm(asked, seller, host=url.netloc, now=self._core.clock.now())
        return {"location": location}

    def grant(self, body: Document) -> Document:
        """Let sellers consent to an application, all at once; return the tokens that it has then."""
        application = self._core.applications.by_id(text(body, "application_id"))
        seller_ids = body.get("seller_ids")
        if application is None:
            raise ControlRefused(404, "no such application")
        if not isinstance(seller_ids, list) or not 1 <= len(seller_ids) <= GRANTS_MAX:
            raise ControlRefused(400, f"seller_ids must list 1 to {GRANTS_MAX} sellers")
        sellers = [self._seller(str(seller_id)) for seller_id in seller_ids]
        connected = self._core.lwa.connect(application, sellers, self._core.clock.now())
        return {"granted": [asdict(each) | {"expires_at": each.expires_at.isoformat()} for each in connected]}

    def consents(self) -> Document:
        """Return every consent ever given, oldest first."""
        now, state = self._core.clock.now(), self._core.ledger.state
        return {
            "consents": [
                {
                    "consent_id": consent.consent_id,
                    "application_id": consent.application_id,
                    "seller_id": consent.seller_id,
                    "granted_at": consent.granted_at.isoformat(),
                    "revoked_at": _iso(state.revoked.get(consent.consent_id)),
                    "is_in_force": self._core.ledger.consent(consent.consent_id, now) is not None,
                }
                for consent in state.consents.values()
            ]
        }

    def revoke(self, body: Document) -> Document:
        """Revoke a seller's consents, to `application_id` or to all applications."""
        seller, application_id = self._seller(text(body, "seller_id")), body.get("application_id")
        now = self._core.clock.now()
        consents = [
            consent
            for consent in self._core.ledger.consents(seller_id=seller.seller_id, now=now)
            if application_id in (None, consent.application_id)
        ]
        if consents:
            self._core.ledger.commit(
                *(ConsentRevoked(consent.consent_id, revoked_at=now) for consent in consents)
            )
        return {"revoked": len(consents)}

    def rotate_secret(self, application_id: str, body: Document) -> Document:
        """Give an application a new client secret, made up or given; the old one works on for a while."""
        application, now = self._application(application_id), self._core.clock.now()
        given = text(body, "client_secret") if "client_secret" in body else None
        secret = self._core.client_secrets.rotate_by_hand(application, given, now)
        return {"client_secret": secret, "old_works_until": (now + SECRET_OVERLAP).isoformat()}

    def secrets(self, application_id: str) -> Document:
        """Return when an application's secrets that still work were made and end, newest first."""
        application = self._application(application_id)
        alive = self._core.client_secrets.alive(application, self._core.clock.now())
        return {
            "is_enrolled": self._core.client_secrets.is_enrolled(application),
            "secrets": [
                {"made_at": _iso(span.made_at), "works_until": _iso(span.works_until)} for span in alive
            ],
        }

    def enrol(self, application_id: str, body: Document) -> Document:
        """Say whether an application's rotations are told to the queue."""
        application, is_enrolled = self._application(application_id), body.get("is_enrolled")
        if not isinstance(is_enrolled, bool):
            raise ControlRefused(400, "is_enrolled must be true or false")
        self._core.client_secrets.enrol(application, is_enrolled=is_enrolled)
        return self.secrets(application_id)

    def queue(self) -> Document:
        """Return how many letters wait in the queue, are being read, and were given up."""
        return {"path": simulator.letters.PATH, **asdict(self._core.letters.counts(self._core.clock.now()))}

    def send_letter(self, body: Document) -> Document:
        """Put any text into the queue."""
        self._core.letters.send(text(body, "text"), self._core.clock.now())
        return self.queue()

    def hostility(self) -> Document:
        """Return how hostile the simulator is and which ordered faults wait."""
        return {"level": self._core.hostility.share, "scripted": self._core.hostility.scripted()}

    def set_hostility(self, body: Document) -> Document:
        """Set the share of calls that meet a fault: a number from 0 to 1, or a level's name."""
        try:
            self._core.hostility.share = simulator.hostility.level(str(body.get("level")))
        except LevelOutOfRange as error:
            raise ControlRefused(400, f"level {error}") from error
        return self.hostility()

    def script_fault(self, body: Document) -> Document:
        """Order a fault of one `kind` for the next `count` calls of an `operation`, `delay_s` late."""
        operation = text(body, "operation")
        kinds = [kind.value for kind in Kind]
        if operation not in operations.BREAKABLE or body.get("kind") not in kinds:
            raise ControlRefused(
                400, f"operation must be of {sorted(operations.BREAKABLE)} and kind of {kinds}"
            )
        delay_s = number(body.get("delay_s", 0), "delay_s")
        count = body.get("count", 1)
        if not 0 <= delay_s <= simulator.hostility.DELAY_S_MAX:
            raise ControlRefused(400, f"delay_s must lie between 0 and {simulator.hostility.DELAY_S_MAX}")
        if type(count) is not int or not 1 <= count <= simulator.hostility.SCRIPTED_MAX:
            raise ControlRefused(400, f"count must lie between 1 and {simulator.hostility.SCRIPTED_MAX}")
        self._core.hostility.script(Script(operation, Fault(Kind(body["kind"]), delay_s), count))
        return self.hostility()

    def clear_faults(self) -> Document:
        """Forget every ordered fault."""
        self._core.hostility.clear()
        return self.hostility()

    def set_plan(self, body: Document) -> Document:
        """Give an operation, or all that `*` stands for, another usage plan, for every seller.

        `*` without a plan gives each its published one again.
        """
        name = text(body, "operation")
        if body.keys() == {"operation"} and name == ANY_OPERATION:
            self._core.plans.reset()
            return {"operation": name}
        chosen = operations.OPERATIONS if name == ANY_OPERATION else (operations.BY_NAME.get(name),)
        rate, burst = number(body.get("rate"), "rate"), body.get("burst")
        if not 0 <= rate <= RATE_MAX or type(burst) is not int or not 1 <= burst <= BURST_MAX:
            raise ControlRefused(
                400, f"rate must lie between 0 and {RATE_MAX}, burst between 1 and {BURST_MAX}"
            )
        for operation in chosen:
            if operation is None:
                raise ControlRefused(
                    404, f"operation must be {ANY_OPERATION} or of {sorted(operations.BY_NAME)}"
                )
            self._core.plans.set(operation, rate=rate, burst=burst)
        return {"operation": name, "rate": rate, "burst": burst}

    def sandbox(self) -> Document:
        """Return how many cases of Amazon's sandbox are answered."""
        return {"cases": self._core.sandbox.count}

    def set_sandbox(self, body: Document) -> Document:
        """Answer the cases of the models in a folder, or none."""
        folder = body.get("models")
        if folder is not None and not isinstance(folder, str):
            raise ControlRefused(400, "models must be a folder, or null")
        try:
            cases = simulator.sandbox.load(Path(folder)) if folder else Sandbox()
        except ModelsInvalid as error:
            raise ControlRefused(400, str(error)) from error
        self._core.sandbox.learn(cases)
        return self.sandbox()

    def calls(self, after: int, limit: int) -> Document:
        """Return recorded calls after the one numbered `after`, oldest first, at most CALLS_PAGE_MAX."""
        calls = self._core.record.after(after, limit=min(limit, CALLS_PAGE_MAX))
        return {"calls": [asdict(call) for call in calls], "latest": self._core.record.ordinal}

    def clear_calls(self) -> Document:
        """Forget the recorded calls; numbering goes on."""
        self._core.record.clear()
        return {"latest": self._core.record.ordinal}

    def _application(self, application_id: str) -> Application:
        application = self._core.applications.by_id(application_id)
        if application is None:
            raise ControlRefused(404, "no such application")
        return application

    def _seller(self, seller_id: str) -> Seller:
        seller = self._core.world.seller(seller_id)
        if seller is None:
            raise ControlRefused(404, "no such seller")
        return seller

    def _found(self, order_id: str) -> tuple[Order, Progress]:
        now, order = self._core.clock.now(), self._core.world.order(order_id)
        if order is None or order.placed_at > now:
            raise ControlRefused(404, "no such order, or it has not been placed yet")
        return order, simulator.orders.progress.at(order, self._core.ledger.history(order_id), now)


def describe_seller(seller: Seller) -> Document:
    """Return a seller account as the controls show it."""
    return {
        "seller_id": seller.seller_id,
        "name": seller.name,
        "region": seller.region,
        "marketplace_ids": [marketplace.marketplace_id for marketplace in seller.marketplaces],
    }


def _order(order: Order, progress: Progress) -> Document:
    return {
        "order_id": order.order_id,
        "number": order.number,
        "seller_id": order.seller_id,
        "marketplace_id": order.marketplace.marketplace_id,
        "is_amazon_fulfilled": order.is_amazon_fulfilled,
        "status": progress.status.value,
        "placed_at": order.placed_at.isoformat(),
        "shipped_at": _iso(progress.shipped_at),
        "delivered_at": _iso(progress.delivered_at),
        "items": [{"order_item_id": item.item_id, "quantity": item.quantity} for item in order.items],
        "needles": list(order.buyer.needles()),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
