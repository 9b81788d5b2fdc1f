"""The one who sees effects of stores, what reaches Amazon and what leaves the gateway, and checks it there.

Everything is looked at in the very moment in which it happens, against what is durable then.
"""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import chassis.trace
from chassis.clock import Clock
from sallyport.simulate.book import Book, intent_before
from sallyport.simulate.clock import Moment
from sallyport.simulate.engines import Engines
from sallyport.simulate.invariants import Invariant, Tally
from sallyport.simulate.orders import Order
from services.auth.model.consents import Ending
from services.gateway.model.audit import Kind
from services.gateway.model.calls import Answer
from services.retention.model.audit import Kind as RetentionKind
from services.retention.model.records import DataKey, Record

CLOCK = timedelta(days=30)
"""Source: R-18. Repeated here, so that the service's own number is not its own judge."""

REVOKED_S_MAX = 60.0
"""Source: T-01."""

READ_KINDS = (Kind.PII_READ, Kind.PII_MASKED)


@dataclass
class Desk:
    """What is true of one desktop, whatever the services think.

    Attributes:
        sees_buyers: the vendor has begun to give it the scope.
        revoked_at_s: when its seller was told that it is revoked.
    """

    name: str
    partner_id: str
    sees_buyers: bool = False
    revoked_at_s: float | None = None


@dataclass
class Watcher:
    """Fits `amazon.Watch`, `faults.Witness`, `wire.Heard` and `nodes.Mistake`, method by method.

    Attributes:
        orders: every order there is, by id.
        copies: every record that was ever stored, with its data key as it was: database, log and backups.
        acknowledged: ids of the events whose senders were told that they are durable.
        erased: sellers that were erased, with how many copies there were before.
        reads: how many answers with a buyer's data left the gateway.
    """

    clock: Clock
    engines: Engines
    tally: Tally
    book: Book
    orders: Mapping[str, Order]
    copies: list[tuple[Record, DataKey]] = field(default_factory=list)
    acknowledged: dict[str, None] = field(default_factory=dict)
    erased: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    _refresh_tokens: set[str] = field(default_factory=set)
    _fences: dict[str, int] = field(default_factory=dict)

    # What reaches Amazon

    def refreshing(self, partner_id: str, in_flight: int) -> None:
        """See a refresh begin."""
        self.tally.check(Invariant.ONE_REFRESH, in_flight == 1, f"{in_flight} in flight for {partner_id}")

    def used(self, refresh_token: str) -> None:
        """See a token used that came with this refresh token."""
        self._remember_refresh_tokens()
        is_durable = refresh_token in self._refresh_tokens
        self.tally.check(
            Invariant.REFRESH_DURABLE, is_durable, "a token was used before its refresh token was kept"
        )

    def showing(self, order: Order) -> None:
        """See Amazon make an answer that holds a buyer's data."""
        request_id = chassis.trace.request_id()
        intents = [each for kind in READ_KINDS for each in self.book.intents_of(kind, request_id)]
        evidence = f"Amazon was asked for the buyer of {order.order_id} by {request_id} without an intent"
        self.tally.check(Invariant.AUDIT_BEFORE_READ, bool(intents), evidence)

    # What the stores do

    def auth_effect(self, method: str, values: Sequence[Any], _: Mapping[str, Any]) -> None:
        """See an effect of auth's store."""
        self._check_fences()
        if method in {"settle", "record_consent"}:
            self._remember_refresh_tokens()
        if method == "end_consent":
            is_fair = values[1] in {Ending.REPLACED, Ending.IDLE}
            self.tally.check(Invariant.NO_FALSE_REVOCATION, is_fair, f"a consent ended as {values[1]}")
        named = intent_before(method, values)
        if named is not None:
            holds = self.book.has_intent(*named)
            self.tally.check(Invariant.AUDIT_BEFORE_EFFECT, holds, f"{method} without {named[0]}")

    def key_effect(self, method: str, values: Sequence[Any], _: Mapping[str, Any]) -> None:
        """See an effect of retention's key service."""
        if method != "destroy":
            return
        subject = values[0]
        tables = self.engines.retention_tables
        is_used = any(
            key.erase_day == subject.day or key.seller_id == subject.seller_id
            for key in tables.data_keys.values()
        )
        if is_used:
            kinds = (RetentionKind.DAY_ERASED, RetentionKind.SELLER_ERASED, RetentionKind.KEY_REVIVED)
            holds = any(self.book.has_intent(kind, "subject", str(subject)) for kind in kinds)
            self.tally.check(Invariant.AUDIT_BEFORE_EFFECT, holds, f"the key of {subject} was destroyed")

    def record_effect(self, method: str, values: Sequence[Any], named: Mapping[str, Any]) -> None:
        """See an effect of retention's records: keep a copy of every byte, as a backup would."""
        stored: Sequence[Record] = values[:1] if method == "put" else named.get("fresh", ())
        data_keys = self.engines.retention_tables.data_keys
        self.copies += [(each, data_keys[each.key_id]) for each in stored if each.key_id in data_keys]

    def heard(self, method: str, request: Any) -> None:
        """See a request whose sender was told that it succeeded."""
        if method == "Append":
            self.acknowledged |= {event.event_id: None for event in request.events}

    def mistake(self, where: str, error: BaseException) -> None:
        """See something fail in a way that nobody foresaw."""
        frame = traceback.extract_tb(error.__traceback__)[-1:]
        place = f"{frame[0].filename}:{frame[0].lineno}" if frame else "nowhere"
        self.tally.check(Invariant.NO_MISTAKE, False, f"{where}: {type(error).__name__} in {place}")

    # What leaves the gateway

    def left(self, desk: Desk, request_id: str, answer: Answer, *, began: Moment) -> None:
        """See an answer leave for a desktop whose call came in at a moment."""
        if desk.revoked_at_s is not None and began.at_s > desk.revoked_at_s + REVOKED_S_MAX:
            evidence = f"{desk.name} was served with {answer.status}"
            self.tally.check(Invariant.REVOKED_REFUSED, answer.status != 200, evidence)
        text = answer.body.decode()
        shown = [order for order in self.orders.values() if order.buyer in text]
        if shown:
            self.reads += 1
        for order in shown:
            is_named = self.book.has_named(Kind.PII_READ, request_id, order.order_id)
            evidence = f"the buyer of {order.order_id} left for {request_id} without being named in the log"
            self.tally.check(Invariant.AUDIT_BEFORE_READ, is_named, evidence)
            is_own = order.partner_id == desk.partner_id
            self.tally.check(Invariant.OWN_SELLER, is_own, f"{desk.name} saw {order.order_id}")
            is_late = self.is_over(order, began.at)
            self.tally.check(Invariant.REFUSED_AFTER_CLOCK, not is_late, f"{desk.name} saw {order.order_id}")
        if answer.status == 200 and not desk.sees_buyers:
            self.tally.check(Invariant.MASKED, not shown, f"{desk.name} saw {len(shown)} buyers")

    def is_over(self, order: Order, at: datetime) -> bool:
        """Return whether an order's clock had run out at a moment of the domain's time."""
        return order.shipped_at is not None and order.shipped_at + CLOCK < at

    def _check_fences(self) -> None:
        """See that the tokens which replicas share were written by ever newer holders."""
        for consent_id, row in self.engines.auth_tables.leases.items():
            known = self._fences.get(consent_id, 0)
            # A token that was forgotten leaves nothing to compare.
            fence = row.access.fence if row.access is not None else known
            self.tally.check(Invariant.FENCED, fence >= known, f"fence {fence} wrote over {known}")
            self._fences[consent_id] = fence

    def _remember_refresh_tokens(self) -> None:
        vault = self.engines.auth_vault
        for consent in self.engines.auth_tables.consents.values():
            if consent.refresh_token_sealed is not None:
                _, token = vault._sealed[consent.refresh_token_sealed]  # noqa: SLF001 - looks past the service
                self._refresh_tokens.add(token.reveal())
