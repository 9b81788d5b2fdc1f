"""A Forwarder with fakes around it, and the calls that desktops make."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from chassis.secrecy import Secret
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.gateway_buckets import FakeBuckets
from fakes.gateway_document_types import FakeDocumentTypes
from fakes.gateway_homes import FakeHomes
from fakes.gateway_ports import (
    FakeAuditLog,
    FakeAuthPeer,
    FakeForwardSignals,
    FakePolicies,
    FakeSafe,
    FakeUpstream,
)
from fakes.gateway_revisions import FakeRevisions
from services.gateway.capabilities import Capabilities
from services.gateway.catalogue.documents import DocumentTable
from services.gateway.catalogue.table import Catalogue
from services.gateway.forward import Forwarder, Identities, Ports, RateLimiter
from services.gateway.forward.document_links import DocumentLinks, RememberedTypes
from services.gateway.model.allowance import Allowance
from services.gateway.model.calls import Answer, Call, Proof
from services.gateway.model.fields import Fields
from services.gateway.model.links import AMAZON_HOSTS, DocumentHosts
from services.gateway.model.region_hosts import RegionHosts
from services.gateway.shared_key import SharedKey

CATALOGUE = Catalogue.load()
ORIGIN = "https://gateway.example"
DOCUMENT_KEY = Secret(b"d" * 32)
# Calls go to no production.
ANY_HOST = RegionHosts(base_urls={})
PII = frozenset({"orders", "pii"})
ORDER = "114-3941689-8772232"
ADDRESS_PATH = f"/orders/v0/orders/{ORDER}/address"
ADDRESS: Mapping[str, Any] = {
    "payload": {
        "AmazonOrderId": ORDER,
        "ShippingAddress": {"Name": "Jane Roe", "AddressLine1": "1 Cedar Way", "CountryCode": "US"},
    }
}
ADDRESS_BYTES = json.dumps(ADDRESS).encode()
# The words on which one library renews its token and calls again, wider than its own expression.
LOOPING = re.compile("access token.*expired", re.IGNORECASE | re.DOTALL)


class Rig:
    """Everything that a forwarded call touches."""

    def __init__(self, hosts: RegionHosts = ANY_HOST) -> None:
        self.clock = FakeClock()
        self.allowance = Allowance()
        self.auth = FakeAuthPeer(self.clock)
        self.safe = FakeSafe()
        self.audit = FakeAuditLog()
        self.upstream = FakeUpstream()
        self.policies = FakePolicies()
        self.signals = FakeForwardSignals()
        entropy = FakeEntropy()
        self.buckets = FakeBuckets(self.clock)
        self.revisions = FakeRevisions()
        self.homes = FakeHomes()
        self.limiter = RateLimiter(
            store=self.buckets, clock=self.clock, entropy=FakeEntropy(), signals=self.signals
        )
        self.identities = Identities(auth=self.auth, clock=self.clock, entropy=entropy, signals=self.signals)
        self.document_key = SharedKey(self.clock)
        self.document_key.learn(DOCUMENT_KEY)
        self.capabilities = Capabilities(key=self.document_key, clock=self.clock, origin=ORIGIN)
        self.types = FakeDocumentTypes()
        self.forwarder = Forwarder(
            catalogue=CATALOGUE,
            ports=Ports(
                auth=self.auth,
                safe=self.safe,
                audit=self.audit,
                upstream=self.upstream,
                policies=self.policies,
                hosts=hosts,
                allowance=self.allowance,
                buckets=self.buckets,
                revisions=self.revisions,
                homes=self.homes,
                signals=self.signals,
                clock=self.clock,
                entropy=entropy,
            ),
            identities=self.identities,
            limiter=self.limiter,
            documents=DocumentLinks(
                catalogue=CATALOGUE,
                table=DocumentTable.load(),
                types=RememberedTypes(self.types),
                hosts=DocumentHosts(AMAZON_HOSTS),
                sealing=self.capabilities,
                signals=self.signals,
            ),
            user_agent="Sallyport/test (Language=Python/3.11)",
        )

    async def call(self, token: str, target: str, method: str = "GET", **rest: Any) -> Answer:
        async with talking(self.limiter):
            return await self.forwarder.handle(call(token, target, method, **rest))

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Kind, phase and result of each audit event."""
        return [(event.kind, event.phase, event.result) for event in self.audit.events]


@asynccontextmanager
async def talking(*replicas: RateLimiter) -> AsyncIterator[None]:
    """Let each replica's quota talk to its store while inside, as its process's tasks do."""
    tasks = [asyncio.create_task(work()) for limiter in replicas for work in (limiter.run, limiter.tick)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def call(token: str, target: str, method: str = "GET", **rest: Any) -> Call:
    """Return a call as the doors make it; `headers`, `body`, `host`, `came_from`, `thumbprint` as wanted."""
    thumbprint = rest.get("thumbprint")
    return Call(
        method=method,
        target=target,
        fields=Fields([("x-amz-access-token", token), *rest.get("headers", ())]),
        body=rest.get("body", b""),
        host=rest.get("host", "gateway.example"),
        came_from=rest.get("came_from", "192.0.2.1"),
        access_token=token,
        proof=None if thumbprint is None else Proof(thumbprint),
        request_id="request-1",
    )


def error_of(answer: Answer) -> dict[str, str]:
    """Return the one error that an answer tells."""
    (error,) = json.loads(answer.body)["errors"]
    assert set(error) == {"code", "message", "details"}
    return dict(error)


def header(answer: Answer, name: str) -> str | None:
    return next((value for known, value in answer.headers if known == name), None)


async def finished(rig: Rig, calling: Coroutine[Any, Any, Answer]) -> Answer:
    """Return a call's answer, letting time pass as long as it waits."""
    task = asyncio.create_task(calling)
    while not task.done():
        await rig.clock.advance(0.5)
    return task.result()
