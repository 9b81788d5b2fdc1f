"""What the forwarding path stands on, in memory: auth, safe, audit log, Amazon, signals."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import chassis.errors
from chassis.clock import Clock
from chassis.secrecy import Secret
from services.gateway.model.application_policy import BUILT_IN
from services.gateway.model.audit import AuditEvent, AuditUnavailable, EventRefused
from services.gateway.model.calls import (
    AmazonToken,
    Device,
    Profile,
    Region,
    Restriction,
    SafeKey,
    UpstreamAnswer,
    UpstreamRequest,
)
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.orders import Observation, OrderClock
from services.gateway.model.policy import Rules
from services.gateway.model.priority import Priority

BODY_BYTES_MAX = 16 * 1_048_576
TOKEN_LIFE = timedelta(hours=1)
TOKEN_LIFE_S = 3_600.0


class TokenUnknown(chassis.errors.Unauthenticated):
    code = "token_invalid"


class TokenExpired(chassis.errors.Unauthenticated):
    code = "token_expired"


class HandleExpired(TokenExpired):
    code = "handle_expired"


class DeviceRevoked(chassis.errors.Unauthenticated):
    code = "device_revoked"


class TargetApplicationRefused(chassis.errors.InvalidInput):
    code = "target_application_refused"


class Down(chassis.errors.Unavailable):
    code = "store_unavailable"


class NothingKept(chassis.errors.NotFound):
    code = "nothing_kept"


class OrderNotObserved(chassis.errors.Conflict):
    code = "order_not_observed"


class Expired(chassis.errors.Gone):
    code = "expired"


class FakeAuthPeer:
    """Devices, lent tokens, and a stream of revocations that a test can break or silence."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.is_down = False
        self.devices: dict[str, Device] = {}
        self.revoked: set[str] = set()
        self.introspections = 0
        self.lent: list[tuple[str, Region, Restriction | None]] = []
        self.reported: list[bytes] = []
        self.delegates: set[str] = set()
        self._ends_at: dict[str, datetime] = {}
        self.lend_timeouts_s: list[float] = []
        self.lending_error: Exception | None = None
        self.handles = 0
        self.grantless_lent = 0
        self._streams: list[asyncio.Queue[str | Exception | None]] = []

    def enrol(
        self,
        *,
        seller_id: str = "seller-1",
        scopes: frozenset[str] = frozenset({"orders"}),
        thumbprint: str = "",
        regions: frozenset[Region] = frozenset({Region.NA}),
        marketplace_id: str = "ATVPDKIKX0DER",
    ) -> str:
        """Return a new device's access token."""
        token = self._token()
        self._ends_at[token] = self.clock.now() + TOKEN_LIFE
        self.devices[token] = Device(
            device_id=f"device-{len(self.devices)}",
            seller_id=seller_id,
            profile=Profile.BOUND if thumbprint else Profile.COMPAT,
            scopes=scopes,
            key_thumbprint=thumbprint,
            expires_in_s=TOKEN_LIFE_S,
            restrictions=(),
            regions=regions,
            default_marketplace_id=marketplace_id,
        )
        return token

    def rename(self, token: str, device_id: str) -> None:
        """Give a device an id of auth's form."""
        self.devices[token] = replace(self.devices[token], device_id=device_id)

    def end(self, token: str, *, left_s: float = 0.0) -> None:
        """Let an access token's hour be over, or nearly so."""
        self._ends_at[token] = self.clock.now() + timedelta(seconds=left_s)

    def revoke(self, token: str) -> None:
        """Revoke a device and tell every open stream."""
        self.revoked.add(self.devices[token].device_id)
        self.tell(token)

    def tell(self, token: str) -> None:
        """Tell every open stream that something about a device has changed."""
        device_id = self.devices[token].device_id
        for stream in self._streams:
            stream.put_nowait(device_id)

    def keep_alive(self) -> None:
        for stream in self._streams:
            stream.put_nowait(None)

    def break_streams(self) -> None:
        for stream in self._streams:
            stream.put_nowait(Down())
        self._streams.clear()

    async def introspect(self, access_token: str) -> Device:
        self.introspections += 1
        self._check_up()
        device = self.devices.get(access_token)
        if device is None:
            raise TokenUnknown
        if device.device_id in self.revoked:
            raise DeviceRevoked
        left_s = (self._ends_at[access_token] - self.clock.now()).total_seconds()
        if left_s <= 0:
            raise HandleExpired if device.restrictions else TokenExpired
        return replace(device, expires_in_s=left_s)

    async def watch_revocations(self) -> AsyncIterator[str | None]:
        self._check_up()
        stream: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self._streams.append(stream)
        yield None
        while True:
            told = await stream.get()
            if isinstance(told, Exception):
                raise told
            yield told

    async def lend_amazon_token(
        self,
        device_id: str,
        region: Region,
        restriction: Restriction | None,
        *,
        refused_digest: bytes,
        timeout_s: float,
    ) -> AmazonToken:
        self._check_up()
        self.lend_timeouts_s.append(timeout_s)
        if self.lending_error is not None:
            raise self.lending_error
        self.lent.append((device_id, region, restriction))
        if refused_digest:
            self.reported.append(refused_digest)
        prefix = "Atza|" if restriction is None else "Atz.sprdt|"
        return AmazonToken(Secret(f"{prefix}{len(self.lent)}"), TOKEN_LIFE_S)

    async def lend_grantless_token(self, *, refused_digest: bytes, timeout_s: float) -> AmazonToken:
        self._check_up()
        self.lend_timeouts_s.append(timeout_s)
        if self.lending_error is not None:
            raise self.lending_error
        if refused_digest:
            self.reported.append(refused_digest)
        self.grantless_lent += 1
        return AmazonToken(Secret(f"Atza|grantless-{self.grantless_lent}"), TOKEN_LIFE_S)

    async def restrict_access(
        self, access_token: str, restrictions: Sequence[Restriction], target_application: str
    ) -> tuple[str, int]:
        device = await self.introspect(access_token)
        if target_application and target_application not in self.delegates:
            raise TargetApplicationRefused
        self.handles += 1
        handle = self._token()
        self._ends_at[handle] = self.clock.now() + TOKEN_LIFE
        self.devices[handle] = replace(
            device, restrictions=tuple(restrictions), target_application=target_application
        )
        return handle, 3600

    def _token(self) -> str:
        return f"sp_at_{len(self.devices) + 1:043d}"

    def _check_up(self) -> None:
        if self.is_down:
            raise Down


@dataclass
class FakePolicies:
    """The rules in force; a test puts others in their place."""

    rules: Rules = field(default_factory=lambda: Rules(BUILT_IN))


@dataclass
class FakeSafe:
    """Copies by name. Orders in `expired` are past their clock; in `unknown`, nobody told of them."""

    kept: dict[SafeKey, bytes] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    observed: list[tuple[str, Observation]] = field(default_factory=list)
    clocks: dict[str, OrderClock] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    rounds: int = 0
    opened: int = 0
    is_down: bool = False

    async def observe_orders(self, seller_id: str, orders: Sequence[Observation]) -> list[OrderClock]:
        self._check_up()
        assert 1 <= len(orders) <= 200
        self.rounds += 1
        self.observed.extend((seller_id, order) for order in orders)
        return self._clocks([order.order_id for order in orders])

    async def find_clocks(self, seller_id: str, order_ids: Sequence[str]) -> list[OrderClock]:
        self._check_up()
        assert 1 <= len(order_ids) <= 200
        self.asked.extend((seller_id, order_id) for order_id in order_ids)
        return self._clocks(order_ids)

    def _clocks(self, order_ids: Sequence[str]) -> list[OrderClock]:
        over = datetime(2000, 1, 1, tzinfo=UTC)
        known = [
            OrderClock(order_id, over, has_left=True) for order_id in order_ids if order_id in self.expired
        ]
        fresh = [self.clocks[order_id] for order_id in order_ids if order_id in self.clocks]
        return known + fresh

    async def open(self, key: SafeKey, age_s_max: int) -> bytes:
        self._check_up()
        assert age_s_max > 0
        self.opened += 1
        if key.order_id in self.expired:
            raise Expired
        if key not in self.kept:
            raise NothingKept
        return self.kept[key]

    async def seal(self, key: SafeKey, plaintext: bytes, fetched_at: datetime) -> None:
        self._check_up()
        assert fetched_at.tzinfo is not None
        if key.order_id in self.expired:
            raise Expired
        if key.order_id in self.unknown:
            raise OrderNotObserved
        self.kept[key] = plaintext

    def _check_up(self) -> None:
        if self.is_down:
            raise Down


@dataclass
class FakeAuditLog:
    """Events in order. `fails_from` counts from 0: that event and all later ones are not durable.

    `refused` holds ids of events that are judged wrong.
    """

    events: list[AuditEvent] = field(default_factory=list)
    fails_from: int | None = None
    asked: int = 0
    refused: set[str] = field(default_factory=set)

    async def record(self, event: AuditEvent) -> None:
        self.asked += 1
        if self.fails_from is not None and self.asked > self.fails_from:
            raise AuditUnavailable
        if event.event_id in self.refused:
            raise EventRefused
        self.events.append(event)

    def hand_over(self, event: AuditEvent, if_lost: Callable[[AuditEvent], None]) -> None:
        self.asked += 1
        if self.fails_from is not None and self.asked > self.fails_from:
            if_lost(event)
        else:
            self.events.append(event)


Reply = UpstreamAnswer | Exception


class FakeUpstream:
    """Amazon as a script: the next reply, or what `answer` makes of the request."""

    def __init__(self) -> None:
        self.requests: list[UpstreamRequest] = []
        self.timeouts_s: list[float] = []
        self.replies: deque[Reply] = deque()
        self.answer: Callable[[UpstreamRequest], Reply] = lambda _: json_answer(b"{}")

    async def send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        self.requests.append(request)
        self.timeouts_s.append(timeout_s)
        await asyncio.sleep(0)
        reply = self.replies.popleft() if self.replies else self.answer(request)
        if isinstance(reply, Exception):
            raise reply
        if 300 <= reply.status < 400 or len(reply.body) > BODY_BYTES_MAX:
            raise UpstreamInvalid
        return reply


def json_answer(body: bytes, status: int = 200, **headers: str) -> UpstreamAnswer:
    """Return an answer as Amazon gives it; underscores in header names stand for hyphens."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    standing = [("content-type", "application/json"), ("x-amzn-requestid", "amazon-1")]
    return UpstreamAnswer(status, [*standing, *named], body)


@dataclass
class FakeForwardSignals:
    """Remembers what was shown."""

    answers: list[tuple[str, int]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    attempts: list[tuple[str, int]] = field(default_factory=list)
    waits_s: list[tuple[Priority, float]] = field(default_factory=list)
    leases: int = 0
    throttlings: int = 0
    coalesced_reads: list[str] = field(default_factory=list)
    cached_reads: list[str] = field(default_factory=list)
    openings: list[Region] = field(default_factory=list)
    shares: dict[Region, float] = field(default_factory=dict)
    hidden_links: list[tuple[str, list[str]]] = field(default_factory=list)
    side_failures: list[tuple[str, str]] = field(default_factory=list)
    outcomes_lost: list[tuple[str, str]] = field(default_factory=list)
    documents: list[tuple[str, str, int]] = field(default_factory=list)
    crashes: list[Exception] = field(default_factory=list)

    def answered(self, operation: str, status: int, elapsed_s: float) -> None:
        assert elapsed_s >= 0
        self.answers.append((operation, status))

    def refused(self, code: str) -> None:
        self.refusals.append(code)

    def attempted(self, operation: str, status: int) -> None:
        self.attempts.append((operation, status))

    def waited(self, priority: Priority, wait_s: float) -> None:
        self.waits_s.append((priority, wait_s))

    def leased(self, calls: int) -> None:
        self.leases += calls

    def spent(self) -> None:
        """Pass by: what was spent shows in the buckets."""

    def coalesced(self, operation: str) -> None:
        self.coalesced_reads.append(operation)

    def cached(self, operation: str) -> None:
        self.cached_reads.append(operation)

    def throttled(self) -> None:
        self.throttlings += 1

    def circuit_opened(self, region: Region) -> None:
        self.openings.append(region)

    def failing(self, region: Region, share: float) -> None:
        self.shares[region] = share

    def moved(self, method: str, code: str, size_bytes: int) -> None:
        self.documents.append((method, code, size_bytes))

    def links_hidden(self, operation: str, hosts: Sequence[str]) -> None:
        self.hidden_links.append((operation, list(hosts)))

    def side_failed(self, what: str, code: str) -> None:
        self.side_failures.append((what, code))

    def outcome_lost(self, request_id: str, code: str) -> None:
        self.outcomes_lost.append((request_id, code))

    def crashed(self, request_id: str, error: Exception) -> None:
        assert request_id
        self.crashes.append(error)
