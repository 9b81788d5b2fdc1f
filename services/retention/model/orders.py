"""When an order's data must die.

An order's clock counts from the latest moment at which it surely had not left the seller: the time of
shipment when Amazon tells it, else the last time the order was seen unshipped, else its purchase. So:

- the clock is never later than 30 days after the true shipment or delivery, whichever came first;
- while the order has not left, a fresh look renews the clock; nothing else does;
- once it has left, the clock moves earlier or not at all.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

# Source: Data Protection Policy 2.1 (30 days after delivery) and Amazon's whitepaper on desktop
# applications (30 days after shipment): the earlier one counts. A ceiling in code, not configuration.
DAYS_MAX = 30
# With fewer, a record sealed right after midnight would be dead at once.
DAYS_MIN = 2
# How far this host's clock may lag behind the truth. Source: threats.md, R-14.
CLOCK_SKEW_MAX = timedelta(minutes=10)
# A look that would renew an unshipped order's clock by less is not worth a write; the clock stays earlier.
RENEWAL_STEP = timedelta(hours=1)
OBSERVATIONS_MAX = 200


class OrderState(StrEnum):
    """How far an order has come."""

    UNSHIPPED = "unshipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Term:
    """How long a record may be kept.

    Attributes:
        days: how long its bytes may be readable by anyone with any copy of anything.
        key_snapshot_days: how long a snapshot of the key service is kept. Keys die that much earlier,
            because a snapshot holds them for that much longer (R-18).
    """

    days: int = DAYS_MAX
    key_snapshot_days: int = 0

    def __post_init__(self) -> None:
        if self.days > DAYS_MAX or self.key_snapshot_days < 0:
            raise ValueError(f"nothing is kept longer than {DAYS_MAX} days")
        if self.days - self.key_snapshot_days < DAYS_MIN:
            raise ValueError(f"key snapshots must leave at least {DAYS_MIN} days")

    @property
    def length(self) -> timedelta:
        """How long after its clock starts a record dies."""
        return timedelta(days=self.days - self.key_snapshot_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one answer of Amazon's told about one order; times are aware UTC, None where it did not tell."""

    order_id: str
    state: OrderState
    purchased_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClock:
    """What is known about one order; no personal data.

    Attributes:
        unshipped_at: the latest moment at which it was seen unshipped; None when it never was.
        left_at: no later than its shipment or delivery; None while it is not known to have left.
        expires_at: when everything kept of the order must be unreadable.
        revision: counts the changes, so that whoever decided by an older one notices; 0 before the first.
        is_move_due: records may lie under a later day than this clock allows.
    """

    seller_id: str
    order_id: str
    unshipped_at: datetime | None
    left_at: datetime | None
    expires_at: datetime
    revision: int = 0
    is_move_due: bool = False


def observe(
    seller_id: str, known: OrderClock | None, seen: Observation, *, term: Term, now: datetime
) -> OrderClock | None:
    """Return the order's clock after an observation.

    Returns:
        `known` itself when there is nothing new; None when nothing is known that a clock could count from.
    """
    seen_at = min(seen.observed_at, now)
    is_here = seen.state is OrderState.UNSHIPPED and seen.shipped_at is None and seen.delivered_at is None
    if is_here:
        return _still_here(seller_id, known, seen.order_id, seen_at=seen_at, term=term)
    left_at = _left_at(known, seen, seen_at)
    if left_at is None or (known is not None and known.left_at is not None and known.left_at <= left_at):
        return known
    if known is None:
        return OrderClock(
            seller_id=seller_id,
            order_id=seen.order_id,
            unshipped_at=None,
            left_at=left_at,
            expires_at=left_at + term.length,
        )
    expires_at = min(known.expires_at, left_at + term.length)
    is_earlier = expires_at < known.expires_at
    return replace(known, left_at=left_at, expires_at=expires_at, is_move_due=known.is_move_due or is_earlier)


def record_expiry(
    clock: OrderClock, fetched_at: datetime, *, term: Term, now: datetime, before: datetime | None
) -> datetime:
    """Return when a copy fetched from Amazon at `fetched_at` must die.

    `before` is when the copy that it replaces would have died, None if there is none: a fetch after shipment
    never extends (R-18).
    """
    expires_at = min(min(fetched_at, now) + term.length, clock.expires_at)
    if before is not None and clock.left_at is not None:
        expires_at = min(expires_at, before)
    return expires_at


def erase_day(expires_at: datetime) -> date:
    """Return the day under whose key a record lies: that key dies when the day begins, so up to 24 h early.

    Early by the clocks' skew too: a host that lags still destroys the key in time (R-14).
    """
    return (expires_at.astimezone(UTC) - CLOCK_SKEW_MAX).date()


def day_of(now: datetime) -> date:
    """Return the day in UTC."""
    return now.astimezone(UTC).date()


def begins_at(day: date) -> datetime:
    """Return the first moment of a day: when its key must be dead."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def is_dead(expires_at: datetime, now: datetime) -> bool:
    """Return whether what expires then must not be readable any more."""
    return erase_day(expires_at) <= day_of(now)


def _still_here(
    seller_id: str, known: OrderClock | None, order_id: str, *, seen_at: datetime, term: Term
) -> OrderClock:
    if known is None:
        return OrderClock(
            seller_id=seller_id,
            order_id=order_id,
            unshipped_at=seen_at,
            left_at=None,
            expires_at=seen_at + term.length,
        )
    is_news = known.unshipped_at is None or seen_at >= known.unshipped_at + RENEWAL_STEP
    if known.left_at is not None or not is_news:
        return known
    return replace(known, unshipped_at=seen_at, expires_at=seen_at + term.length)


def _left_at(known: OrderClock | None, seen: Observation, seen_at: datetime) -> datetime | None:
    shipped_at = seen.shipped_at or (known.left_at if known else None)
    if shipped_at is None:
        floors = (known.unshipped_at if known else None, seen.purchased_at)
        shipped_at = max((floor for floor in floors if floor is not None), default=None)
    if shipped_at is None:
        return None
    # A delivery proves a shipment before it; a time still to come proves nothing.
    return min(shipped_at, seen.delivered_at or shipped_at, seen_at)
