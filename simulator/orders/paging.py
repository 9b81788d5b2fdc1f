"""Which page of which search a request asks for, and the dates it covers.

A page token carries the search it continues, sealed. Filters sent along with it must repeat those of the
first page or be left out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulator import exchange
from simulator.exchange import Request
from simulator.sealing import NotSealed, Sealer

PAGE_ORDERS_MAX = 100
FILTER_VALUES_MAX = 50
# Source: Orders models: an upper date must lie at least two minutes before the request; left out, it is that.
SETTLED_AFTER = timedelta(minutes=2)
# Source: SP-API documentation, "Orders API Migration Guide".
TOKEN_LIVES = timedelta(hours=24)
BEGINNING = datetime.min.replace(tzinfo=UTC)

Filters = Mapping[str, tuple[str, ...]]
Key = tuple[datetime, str]


@dataclass(frozen=True)
class Window:
    """The dates a search covers: of placing an order, or of its last update."""

    is_by_update: bool
    after: datetime
    before: datetime


@dataclass(frozen=True)
class Turn:
    """A page asked for: its filters, when the first page was asked for, and after which order it begins."""

    filters: Filters
    begun_at: datetime
    limit: int
    after: Key | None = None

    def first(self, name: str) -> str | None:
        """Return the value of a filter, or None."""
        return next(iter(self.filters.get(name, ())), None)

    def values(self, name: str, *, allowed: Iterable[str] | None = None) -> frozenset[str]:
        """Return the values of a list filter, comma-joined or repeated.

        Raises:
            Refusal: 400, a value is not allowed, or there are more than FILTER_VALUES_MAX.
        """
        given = frozenset(part for value in self.filters.get(name, ()) for part in value.split(",") if part)
        if len(given) > FILTER_VALUES_MAX or (allowed is not None and not given <= set(allowed)):
            raise exchange.invalid_input("Invalid Input", f"{name} has a value that is not possible.")
        return given


@dataclass(frozen=True)
class Pager:
    """Reads and writes page tokens; an API version has its own parameter names, and ignores all others."""

    sealer: Sealer
    token_name: str
    limit_name: str
    filter_names: frozenset[str]

    def turn(self, request: Request, now: datetime) -> Turn:
        """Return the page a request asks for.

        Raises:
            Refusal: 400, the page size or the page token is not in order.
        """
        limit = _limit(request.first(self.limit_name))
        given: dict[str, tuple[str, ...]] = {}
        for name, value in request.query:
            if name in self.filter_names:
                given[name] = (*given.get(name, ()), value)
        token = request.first(self.token_name)
        return self._continued(token, given, limit=limit, now=now) if token else Turn(given, now, limit)

    def token(self, turn: Turn, after: Key) -> str:
        """Return the token of the page that follows the order with key `after`."""
        content = {
            "filters": {name: list(values) for name, values in turn.filters.items()},
            "begun_at": turn.begun_at.isoformat(),
            "after": [after[0].isoformat(), after[1]],
        }
        return self.sealer.seal(self.token_name, content)

    def _continued(self, token: str, given: Filters, *, limit: int, now: datetime) -> Turn:
        try:
            content = self.sealer.open(self.token_name, token)
        except NotSealed as error:
            raise exchange.invalid_input("Invalid Input", f"{self.token_name} is invalid.") from error
        begun_at = datetime.fromisoformat(content["begun_at"])
        if now > begun_at + TOKEN_LIVES:
            raise exchange.invalid_input("Invalid Input", f"{self.token_name} has expired.")
        filters = {name: tuple(values) for name, values in content["filters"].items()}
        if any(filters.get(name) != values for name, values in given.items()):
            raise exchange.invalid_input("Invalid Input", f"{self.token_name} belongs to another search.")
        at, order_id = content["after"]
        return Turn(filters, begun_at, limit, (datetime.fromisoformat(at), order_id))


def window(turn: Turn, *, spelled: Callable[[str], str] = str, is_optional: bool = False) -> Window:
    """Return the dates of a search.

    Args:
        turn: the page asked for.
        spelled: gives a parameter's name in the version's spelling, from `CreatedAfter` and the like.
        is_optional: whether a search without dates is fine, because it names its orders.

    Raises:
        Refusal: 400, not exactly one kind of date is given, or the dates make no sense.
    """
    created, updated = _date(turn, spelled("CreatedAfter")), _date(turn, spelled("LastUpdatedAfter"))
    kind, other = ("LastUpdated", "Created") if updated else ("Created", "LastUpdated")
    if (created and updated) or _date(turn, spelled(f"{other}Before")):
        raise exchange.invalid_input("Invalid Input", "Dates of placing and of updating exclude each other.")
    after, before = created or updated, _date(turn, spelled(f"{kind}Before"))
    if after is None and not is_optional:
        raise exchange.invalid_input("Invalid Input", "CreatedAfter or LastUpdatedAfter must be specified.")
    settled = turn.begun_at - SETTLED_AFTER
    if before and (before > settled or before < (after or BEGINNING)):
        raise exchange.invalid_input("Invalid Input", "The dates are out of order or too close to now.")
    return Window(is_by_update=bool(updated), after=after or BEGINNING, before=before or settled)


def instant(text: str) -> datetime:
    """Return an ISO 8601 date, or date and time; UTC when it names no zone.

    Raises:
        ValueError: it is neither.
    """
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a date within the calendar") from error


def one_of(values: frozenset[str], name: str) -> bool | None:
    """Return whether a filter of two values wants `name` (True), the other (False) or either (None)."""
    return None if len(values) != 1 else name in values


def stamp(at: datetime) -> str:
    """Return a time as Amazon writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _date(turn: Turn, name: str) -> datetime | None:
    text = turn.first(name)
    try:
        return instant(text) if text else None
    except ValueError as error:
        raise exchange.invalid_input("Invalid Input", f"{name} is not an ISO 8601 date.") from error


def _limit(text: str | None) -> int:
    try:
        limit = int(text) if text else PAGE_ORDERS_MAX
    except ValueError:
        limit = 0
    if not 1 <= limit <= PAGE_ORDERS_MAX:
        raise exchange.invalid_input(
            "Invalid Input", f"The page size must lie between 1 and {PAGE_ORDERS_MAX}."
        )
    return limit
