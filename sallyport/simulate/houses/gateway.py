"""The gateway's process: its use cases, without the doors' HTTP."""

from dataclasses import dataclass
from typing import Any

import chassis.rpc
from fakes.gateway_buckets import FakeBuckets
from fakes.gateway_document_types import FakeDocumentTypes
from fakes.gateway_homes import FakeHomes
from fakes.gateway_revisions import FakeRevisions
from sallyport.simulate.amazon import Amazon
from sallyport.simulate.faults import Faults, Way
from sallyport.simulate.houses.auth import CLIENT_ID
from sallyport.simulate.houses.ground import AMAZON, Ground, House, Silence, start
from sallyport.simulate.nodes import Life
from sallyport.simulate.watching import Watcher
from services.gateway.capabilities import Capabilities
from services.gateway.catalogue.documents import DocumentTable
from services.gateway.forward import Forwarder, Identities, Ports, RateLimiter
from services.gateway.forward.document_links import DocumentLinks, RememberedTypes
from services.gateway.model import exchange
from services.gateway.model.allowance import Allowance
from services.gateway.model.application_policy import BUILT_IN
from services.gateway.model.calls import UpstreamAnswer, UpstreamRequest
from services.gateway.model.faults import UpstreamTimeout
from services.gateway.model.links import AMAZON_HOSTS, DocumentHosts
from services.gateway.model.native import NativeClient
from services.gateway.model.policy import Rules, Standing
from services.gateway.model.region_hosts import RegionHosts
from services.gateway.peers.audit import AuditLog
from services.gateway.peers.auth import AuthClient
from services.gateway.peers.authorization import AuthorizationClient
from services.gateway.peers.credentials import CredentialsClient
from services.gateway.peers.entry import EntryClient
from services.gateway.peers.people import PeopleClient
from services.gateway.peers.safe import SafeClient
from services.gateway.peers.tokens import TokensClient
from services.gateway.service import Entry, LibraryApps, NativeApps, Portal, Security
from services.gateway.shared_key import SharedKey

ISSUER = "https://gateway.example"
VERSION = "simulated"
DEADLINE_S = 5.0
"""Source: chassis.rpc.Channel, whose deadline the gateway leaves as it is."""


@dataclass(frozen=True, kw_only=True)
class GatewayHouse(House):
    """What stands behind the doors."""

    forwarder: Forwarder
    portal: Portal
    entry: Entry
    security: Security
    native_apps: NativeApps
    library_apps: LibraryApps


def build(ground: Ground, life: Life) -> GatewayHouse:
    """Return a fresh process; it remembers nothing and owns nothing durable."""

    def channel(peer: str) -> chassis.rpc.Channel:
        return ground.wire.channel(life, peer, caller="gateway", deadline_s=DEADLINE_S)

    audit = AuditLog(channel("telemetry"))
    signals: Any = _Signals(ground.watcher)
    ports = Ports(
        auth=AuthClient(channel("auth")),
        safe=SafeClient(channel("retention")),
        audit=audit,
        upstream=_Upstream(life, ground.amazon, ground.faults),
        policies=Standing(Rules(BUILT_IN)),
        hosts=RegionHosts(base_urls={}),
        allowance=Allowance(),
        buckets=ground.store(life, FakeBuckets(ground.clock, ground.engines.quota_buckets)),
        revisions=FakeRevisions(),
        homes=FakeHomes(),
        signals=signals,
        clock=ground.clock,
        entropy=ground.entropy,
    )
    identities = Identities(auth=ports.auth, clock=ports.clock, entropy=ports.entropy, signals=ports.signals)
    limiter = RateLimiter(
        store=ports.buckets, clock=ports.clock, entropy=ports.entropy, signals=ports.signals
    )
    people, tokens = PeopleClient(channel("auth")), TokensClient(channel("auth"))
    start(life, (audit.run, identities.watch, limiter.run, limiter.tick))
    return GatewayHouse(
        services=(),
        forwarder=Forwarder(
            catalogue=ground.engines.catalogue,
            ports=ports,
            identities=identities,
            limiter=limiter,
            documents=_links(ground, signals),
            user_agent=exchange.user_agent(VERSION),
        ),
        portal=Portal(people=people),
        entry=Entry(ways=EntryClient(channel("auth"))),
        security=Security(keeper=CredentialsClient(channel("auth"))),
        native_apps=NativeApps(
            people=people,
            tokens=tokens,
            authorization=AuthorizationClient(channel("auth")),
            client=NativeClient(CLIENT_ID, "Desktop"),
            issuer=ISSUER,
        ),
        library_apps=LibraryApps(tokens=tokens),
    )


def _links(ground: Ground, signals: Any) -> DocumentLinks:
    """Return what rewrites links; no key comes, because no desktop here asks for a document."""
    key = SharedKey(ground.clock)
    return DocumentLinks(
        catalogue=ground.engines.catalogue,
        table=DocumentTable.load(),
        types=RememberedTypes(FakeDocumentTypes()),
        hosts=DocumentHosts(AMAZON_HOSTS),
        sealing=Capabilities(key=key, clock=ground.clock, origin=ISSUER),
        signals=signals,
    )


class _Upstream:
    """Fits `forward.ports.Upstream`: the way to Amazon, with each call's own time."""

    def __init__(self, life: Life, amazon: Amazon, faults: Faults) -> None:
        self._life = life
        self._amazon = amazon
        self._faults = faults

    async def send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        """Return Amazon's answer; raises UpstreamTimeout when none comes."""
        way = Way(process=self._life, to=AMAZON, lost=UpstreamTimeout, limit_s=timeout_s)
        return await self._faults.around(way, "send", lambda: self._amazon.send(request))


class _Signals(Silence):
    """Drops what is shown, but for the gateway's own mistakes."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def crashed(self, request_id: str, error: Exception) -> None:
        """Tell of a mistake."""
        self._watcher.mistake(f"gateway {request_id}", error)
