"""What the forwarding path needs from outside, as Protocols; the edge-out files fit them by shape."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.clock import Clock
from chassis.entropy import Entropy
from services.gateway.model.allowance import Allowance
from services.gateway.model.audit import AuditEvent
from services.gateway.model.buckets import Ask, Grant
from services.gateway.model.calls import (
    AmazonToken,
    Device,
    Region,
    Restriction,
    SafeKey,
    UpstreamAnswer,
    UpstreamRequest,
)
from services.gateway.model.orders import Observation, OrderClock
from services.gateway.model.policy import Rules
from services.gateway.model.priority import Priority
from services.gateway.model.quota import Quota
from services.gateway.model.region_hosts import RegionHosts


class AuthPeer(Protocol):
    """What the forwarding path asks auth. Errors are chassis kinds carrying auth's codes."""

    async def introspect(self, access_token: str) -> Device:
        """Return the device behind a token.

        Raises:
            Unauthenticated: unknown, ended (`token_expired`, of a handle `handle_expired`) or revoked
                (`device_revoked`).
            Unavailable: auth cannot be asked.
        """
        ...

    def watch_revocations(self) -> AsyncIterator[str | None]:
        """Yield None for a marker or a keep-alive, a device id for each revocation; until it breaks."""
        ...

    async def lend_amazon_token(
        self,
        device_id: str,
        region: Region,
        restriction: Restriction | None,
        *,
        refused_digest: bytes,
        timeout_s: float,
    ) -> AmazonToken:
        """Return Amazon's token for the device's seller; restricted to one operation when asked.

        Args:
            device_id: in whose name Amazon is called.
            region: where.
            restriction: None for the ordinary token.
            refused_digest: SHA-256 of a token lent before that Amazon did not take; empty for none.
            timeout_s: how long the call may take.

        Raises:
            Denied: the consent is missing, ended or withdrawn.
            LimitExceeded: too much is borrowed.
            Unavailable: none within `timeout_s`.
        """
        ...

    async def lend_grantless_token(self, *, refused_digest: bytes, timeout_s: float) -> AmazonToken:
        """Return the application's own token for notifications, behind which no seller stands.

        Args:
            refused_digest: as in `lend_amazon_token`.
            timeout_s: as there.

        Raises:
            LimitExceeded: too much is borrowed.
            Unavailable: none within `timeout_s`.
        """
        ...

    async def restrict_access(
        self, access_token: str, restrictions: Sequence[Restriction], target_application: str
    ) -> tuple[str, int]:
        """Return a restricted handle and its life in seconds.

        Raises:
            InvalidInput: `target_application_refused`, another developer's that the vendor did not name.
        """
        ...


class Safe(Protocol):
    """What the forwarding path asks retention."""

    async def observe_orders(self, seller_id: str, orders: Sequence[Observation]) -> Sequence[OrderClock]:
        """Tell what answers said about orders, 1 to OBSERVATIONS_MAX; return the clocks they have."""
        ...

    async def find_clocks(self, seller_id: str, order_ids: Sequence[str]) -> Sequence[OrderClock]:
        """Return the clocks of 1 to OBSERVATIONS_MAX orders, of those that have one."""
        ...

    async def open(self, key: SafeKey, age_s_max: int) -> bytes:
        """Return the kept copy; one of an unshipped order only while it is younger than `age_s_max`.

        Raises:
            NotFound: nothing is kept, or what is kept is too old to be served again.
            Gone: the order's clock has run out.
        """
        ...

    async def seal(self, key: SafeKey, plaintext: bytes, fetched_at: datetime) -> None:
        """Keep a copy until the order's clock runs out.

        Raises:
            Gone: the order's clock has run out; a fetch never extends it.
        """
        ...


class Audit(Protocol):
    """The audit log."""

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable.

        Raises:
            AuditUnavailable: the event may or may not be durable.
            EventRefused: it never will be, so it is not told again.
        """
        ...

    def hand_over(self, event: AuditEvent, if_lost: Callable[[AuditEvent], None]) -> None:
        """Have an event written soon that nobody waits for.

        `if_lost` gets it back when it is not durable, or may not be.
        """
        ...


class Upstream(Protocol):
    """Amazon's endpoints."""

    async def send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        """Return Amazon's whole answer.

        Raises:
            UpstreamTimeout: nothing whole within `timeout_s`.
            DeadlineExceeded: neither, for a reason that says nothing about Amazon.
            UpstreamInvalid: not an answer we accept: too large, a redirect, broken framing.
            UpstreamLost: the connection broke; Amazon may have seen the request.
            UpstreamUnreachable: no connection; Amazon cannot have seen the request.
            UpstreamBusy: too many wait for a connection; Amazon was not asked.
        """
        ...


class BucketStore(Protocol):
    """Where the buckets lie that all replicas share."""

    async def exchange(self, asks: Mapping[Quota, Ask]) -> Mapping[Quota, Grant]:
        """Tell of leases and ask for calls, in one step for each bucket; every ask is answered.

        Raises:
            Unavailable: `store_unavailable`; what was told may or may not have been taken in.
        """
        ...


class RevisionStore(Protocol):
    """Where all replicas tell each other of writes."""

    async def revision(self, seller_id: str, api: str) -> int:
        """Return how often something was written through an API of a seller's; empty is the application.

        Raises:
            Unavailable: `store_unavailable`.
        """
        ...

    async def revise(self, seller_id: str, api: str) -> None:
        """Count one more write.

        Raises:
            Unavailable: `store_unavailable`; it may or may not have been counted.
        """
        ...


class HomeStore(Protocol):
    """Where all replicas tell each other which regions told sellers' ids."""

    async def settle(self, seller_id: str, ids: Collection[str], region: Region) -> None:
        """Keep that a region told ids, none of them twice; what others told stays.

        Raises:
            Unavailable: it may or may not have been kept.
        """
        ...

    async def homes(self, seller_id: str, id_: str) -> frozenset[Region]:
        """Return the regions that told an id; empty where it is not known.

        Raises:
            Unavailable: nobody can say.
        """
        ...


class Policies(Protocol):
    """The vendor's policy."""

    @property
    def rules(self) -> Rules:
        """What is in force now."""
        ...


class Signals(Protocol):
    """Counters and log lines of the forwarding path; never a value from a body or a header."""

    def answered(self, operation: str, status: int, elapsed_s: float) -> None:
        """Count one answered call; `operation` is empty when the call matched none."""
        ...

    def refused(self, code: str) -> None:
        """Count one refusal by its stable code."""
        ...

    def attempted(self, operation: str, status: int) -> None:
        """Count one attempt at Amazon; status 0 when no answer came."""
        ...

    def waited(self, priority: Priority, wait_s: float) -> None:
        """Observe how long a call waited for its permit."""
        ...

    def leased(self, calls: int) -> None:
        """Count calls that storage granted to this replica."""
        ...

    def spent(self) -> None:
        """Count a call that was sent with its permit."""
        ...

    def coalesced(self, operation: str) -> None:
        """Count a read answered by a call that another desktop had under way."""
        ...

    def cached(self, operation: str) -> None:
        """Count a read answered by what Amazon said a short while ago."""
        ...

    def throttled(self) -> None:
        """Count a call that Amazon refused for its quota though it had a permit."""
        ...

    def circuit_opened(self, region: Region) -> None:
        """Count that the calls of a seller, whom Amazon does not answer, rest."""
        ...

    def failing(self, region: Region, share: float) -> None:
        """Show the share of a region's sellers, of those who called lately, whose last call failed."""
        ...

    def links_hidden(self, operation: str, hosts: Sequence[str]) -> None:
        """Count and log links of an answer that were hidden, because no document may lie where they lead.

        Args:
            operation: whose answer it was.
            hosts: of each link the host; empty for one that could not be read, or may not be told.
        """
        ...

    def side_failed(self, what: str, code: str) -> None:
        """Count and log a side step that failed without changing the answer."""
        ...

    def outcome_lost(self, request_id: str, code: str) -> None:
        """Count an audit event that was given up as a side step, and log it under its request's id."""
        ...

    def crashed(self, request_id: str, error: Exception) -> None:
        """Log a mistake of ours whole, under the request's id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that a Forwarder stands on.

    Attributes:
        hosts: the names by which it is called.
        allowance: how many refusals are told, of all that the process refuses.
    """

    auth: AuthPeer
    safe: Safe
    audit: Audit
    upstream: Upstream
    policies: Policies
    hosts: RegionHosts
    allowance: Allowance
    buckets: BucketStore
    revisions: RevisionStore
    homes: HomeStore
    signals: Signals
    clock: Clock
    entropy: Entropy
