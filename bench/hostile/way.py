"""The forwarding path over real connections to an origin, with fakes for its other peers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import chassis.clock
import chassis.crypto.tls
import chassis.entropy
from chassis.secrecy import Secret
from fakes.gateway_buckets import FakeBuckets
from fakes.gateway_document_types import FakeDocumentTypes
from fakes.gateway_homes import FakeHomes
from fakes.gateway_ports import FakeAuditLog, FakeAuthPeer, FakeForwardSignals, FakePolicies, FakeSafe
from fakes.gateway_revisions import FakeRevisions
from services.gateway.amazon import Amazon
from services.gateway.capabilities import Capabilities
from services.gateway.catalogue.documents import DocumentTable
from services.gateway.catalogue.table import Catalogue
from services.gateway.forward import Forwarder, Identities, Ports, RateLimiter
from services.gateway.forward.document_links import DocumentLinks
from services.gateway.model.allowance import Allowance
from services.gateway.model.calls import Answer, Call, Region
from services.gateway.model.fields import Fields
from services.gateway.model.links import AMAZON_HOSTS, DocumentHosts
from services.gateway.model.region_hosts import RegionHosts
from services.gateway.shared_key import SharedKey

READ, EFFECT = "GET", "PUT"
# A seller whose first call is fair is at home in a region of its own, with an origin of its own.
FAIR_NAME = "fair"
FAIR_REGION, HOSTILE_REGION = Region.EU, Region.NA
# Larger than a socket's buffers, so that an early answer is early.
EFFECT_BODY = b'"' + b"x" * 4_194_304 + b'"'
SMALL_BODY = b"{}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a desktop heard, and how long it waited."""

    answer: Answer
    wait_s: float


class Way:
    """What desktops of any seller call through."""

    def __init__(self, forwarder: Forwarder, auth: FakeAuthPeer, signals: FakeForwardSignals) -> None:
        self.forwarder = forwarder
        self.signals = signals
        self._auth = auth
        self._tokens: dict[str, str] = {}

    async def call(self, seller_id: str, name: str, method: str = READ, *, is_large: bool = False) -> Heard:
        """Return what a seller's desktop hears of an attack, or of anything else that is fair."""
        if seller_id not in self._tokens:
            region = FAIR_REGION if name == FAIR_NAME else HOSTILE_REGION
            self._tokens[seller_id] = self._auth.enrol(
                seller_id=seller_id, regions=frozenset({region}), marketplace_id=""
            )
        prefix = "/orders/v0/orders/" if method == READ else "/listings/2021-08-01/items/SELLER/"
        call = Call(
            method=method,
            target=prefix + name,
            fields=Fields(),
            body=b"" if method == READ else (EFFECT_BODY if is_large else SMALL_BODY),
            host="gateway.example",
            came_from="192.0.2.1",
            access_token=self._tokens[seller_id],
            proof=None,
            request_id=f"{seller_id}-{name}",
        )
        began_s = time.perf_counter()
        answer = await self.forwarder.handle(call)
        return Heard(answer, time.perf_counter() - began_s)


@asynccontextmanager
async def open_way(folder: Path, *, hostile_port: int, fair_port: int) -> AsyncIterator[Way]:
    """Give the way to two origins on loopback; `folder` holds `ca.pem`."""
    clock, signals = chassis.clock.SystemClock(), FakeForwardSignals()
    auth, entropy = FakeAuthPeer(clock), chassis.entropy.SystemEntropy()
    origins = {HOSTILE_REGION: hostile_port, FAIR_REGION: fair_port}
    base_urls = {region: f"https://localhost:{port}" for region, port in origins.items()}
    tls = chassis.crypto.tls.outward_context(folder / "ca.pem")
    async with Amazon.connect(base_urls=base_urls, tls=tls) as amazon:
        ports = Ports(
            auth=auth,
            safe=FakeSafe(),
            audit=FakeAuditLog(),
            upstream=amazon,
            policies=FakePolicies(),
            hosts=RegionHosts(base_urls={}),
            allowance=Allowance(),
            buckets=FakeBuckets(clock),
            revisions=FakeRevisions(),
            homes=FakeHomes(),
            signals=signals,
            clock=clock,
            entropy=entropy,
        )
        limiter = RateLimiter(store=ports.buckets, clock=clock, entropy=entropy, signals=signals)
        forwarder = _forwarder(ports, limiter)
        work = [limiter.run, limiter.tick, *(each for _, each in forwarder.tasks)]
        tasks = [asyncio.ensure_future(each()) for each in work]
        try:
            yield Way(forwarder, auth, signals)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _forwarder(ports: Ports, limiter: RateLimiter) -> Forwarder:
    catalogue, key = Catalogue.load(), SharedKey(ports.clock)
    key.learn(Secret(bytes(32)))
    documents = DocumentLinks(
        catalogue=catalogue,
        table=DocumentTable.load(),
        types=FakeDocumentTypes(),
        hosts=DocumentHosts(AMAZON_HOSTS),
        sealing=Capabilities(key=key, clock=ports.clock, origin="https://gateway.example"),
        signals=ports.signals,
    )
    return Forwarder(
        catalogue=catalogue,
        ports=ports,
        identities=Identities(
            auth=ports.auth, clock=ports.clock, entropy=ports.entropy, signals=ports.signals
        ),
        limiter=limiter,
        documents=documents,
        user_agent="Sallyport/bench (Language=Python/3.11)",
    )
