"""A Forwarder with fakes around it, and the calls that desktops make."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import Any

from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.gateway_ports import (
    FakeAuditLog,
    FakeAuthPeer,
    FakeForwardSignals,
    FakePolicies,
    FakeSafe,
    FakeUpstream,
)
from services.gateway.catalogue.table import Catalogue
from services.gateway.forward import Forwarder, Identities, Ports
from services.gateway.model.calls import Answer, Call, Proof

CATALOGUE = Catalogue.load()
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


class Rig:
    """Everything that a forwarded call touches."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.auth = FakeAuthPeer(self.clock)
        self.safe = FakeSafe()
        self.audit = FakeAuditLog()
        self.upstream = FakeUpstream()
        self.policies = FakePolicies()
        self.signals = FakeForwardSignals()
        entropy = FakeEntropy()
        self.identities = Identities(auth=self.auth, clock=self.clock, entropy=entropy, signals=self.signals)
        self.forwarder = Forwarder(
            catalogue=CATALOGUE,
            ports=Ports(
                auth=self.auth,
                safe=self.safe,
                audit=self.audit,
                upstream=self.upstream,
                policies=self.policies,
                signals=self.signals,
                clock=self.clock,
                entropy=entropy,
            ),
            identities=self.identities,
            user_agent="Sallyport/test (Language=Python/3.11)",
        )

    async def call(self, token: str, target: str, method: str = "GET", **rest: Any) -> Answer:
        return await self.forwarder.handle(call(token, target, method, **rest))

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Kind, phase and result of each audit event."""
        return [(event.kind, event.phase, event.result) for event in self.audit.events]


def call(token: str, target: str, method: str = "GET", **rest: Any) -> Call:
    """Return a call as the doors make it; `headers`, `body`, `host`, `thumbprint` as wanted."""
    thumbprint = rest.get("thumbprint")
    return Call(
        method=method,
        target=target,
        headers=[("x-amz-access-token", token), *rest.get("headers", ())],
        body=rest.get("body", b""),
        host=rest.get("host", "gateway.example"),
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
