"""The forwarding path against the simulated Amazon: an order's way to a desktop, kind and hostile."""

import json
from collections.abc import Sequence
from urllib.parse import parse_qsl

import pytest

from chassis.secrecy import Secret
from fakes.clock import START
from fakes.gateway_ports import TOKEN_LIFE_S, Down
from services.gateway.model.calls import (
    AmazonToken,
    Answer,
    Region,
    Restriction,
    UpstreamAnswer,
    UpstreamRequest,
)
from services.gateway.model.documents import DOWNLOAD
from services.gateway.model.faults import UpstreamLost
from tests.unit.gateway.forwarding import PII, error_of, finished, header
from tests.unit.gateway.forwarding import Rig as GatewayRig
from tests.unit.simulator.papers import fetch
from tests.unit.simulator.rig import Rig as AmazonRig
from tests.unit.simulator.rig import StillDial, marketplaces

TOKENS = "/tokens/2021-03-01/restrictedDataToken"
LIST, NEW_LIST = "/orders/v0/orders", "/orders/2026-01-01/orders"


class Together(GatewayRig):
    """The gateway's rig with the simulated Amazon at its far end and in auth's hands."""

    def __init__(self, *, hostility: float = 0.0) -> None:
        super().__init__()
        self.amazon = AmazonRig(hostility=hostility, clock=StillDial(START))
        self.access = self.amazon.access()
        self.marketplaces = marketplaces(self.amazon.sellers[0])
        self.upstream.send = self._send  # type: ignore[method-assign]
        self.auth.lend_amazon_token = self._lend  # type: ignore[method-assign]

    async def _send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        assert timeout_s > 0
        headers = {**dict(request.headers), "x-amz-access-token": request.token.reveal()}
        query = parse_qsl(request.query, keep_blank_values=True)
        answer = self.amazon.send(request.method, request.path, query, headers=headers, body=request.body)
        if answer.is_hung_up:
            raise UpstreamLost
        kept = [(name.lower(), value) for name, value in answer.headers]
        return UpstreamAnswer(answer.status, kept, answer.body)

    async def _lend(
        self,
        device_id: str,
        region: Region,
        restriction: Restriction | None,
        *,
        refused_digest: bytes,
        timeout_s: float,
    ) -> AmazonToken:
        assert device_id
        assert not refused_digest
        assert timeout_s > 0
        assert region in Region
        if restriction is None:
            return AmazonToken(Secret(self.access), TOKEN_LIFE_S)
        resource: dict[str, object] = {"method": restriction.method, "path": restriction.path}
        if restriction.data_elements:
            resource["dataElements"] = list(restriction.data_elements)
        given = self.amazon.post(TOKENS, self.access, {"restrictedResources": [resource]})
        if given.status != 200:
            raise Down
        return AmazonToken(Secret(given.document()["restrictedDataToken"]), TOKEN_LIFE_S)

    async def ask(self, token: str, target: str, method: str = "GET", body: bytes = b"") -> Answer:
        return await finished(self, self.call(token, target, method, body=body))

    def an_order(self) -> str:
        return next(order.order_id for order in self.amazon.orders() if not order.is_amazon_fulfilled)


@pytest.fixture
def together() -> Together:
    return Together()


def names(document: object) -> list[object]:
    """Return every value under a name that holds a person's name, wherever it stands."""
    if isinstance(document, list):
        return [found for entry in document for found in names(entry)]
    if not isinstance(document, dict):
        return []
    mine = [document[key] for key in ("Name", "name", "buyerName", "BuyerName") if key in document]
    return mine + [found for member in document.values() for found in names(member)]


async def test_an_address_reaches_a_trusted_device_whole_and_another_masked(together: Together) -> None:
    path = f"/orders/v0/orders/{together.an_order()}/address"
    whole = await together.ask(together.auth.enrol(scopes=PII), path)
    masked = await together.ask(together.auth.enrol(), path)
    assert (whole.status, masked.status) == (200, 200)
    assert whole.body in together.safe.kept.values()
    (real,), (hidden,) = names(json.loads(whole.body)), names(json.loads(masked.body))
    assert hidden == "***"
    assert isinstance(real, str)
    assert real.encode() not in masked.body


@pytest.mark.parametrize(
    ("path", "query", "is_told"),
    [
        (LIST, "MarketplaceIds={}&CreatedAfter=2026-10-01T00:00:00Z", True),
        (NEW_LIST, "marketplaceIds={}&createdAfter=2026-10-01T00:00:00Z&includedData=FULFILLMENT", True),
        (NEW_LIST, "marketplaceIds={}&createdAfter=2026-10-01T00:00:00Z&includedData=BUYER", False),
    ],
)
async def test_orders_are_listed_and_their_clocks_told_what_was_said_R18(
    together: Together, path: str, query: str, is_told: bool
) -> None:
    answer = await together.ask(together.auth.enrol(), f"{path}?{query.format(together.marketplaces)}")
    assert answer.status == 200, answer.body
    assert bool(together.safe.observed) is is_told
    assert header(answer, "x-amzn-ratelimit-limit") is not None


async def test_a_handle_brings_the_buyers_into_a_list(together: Together) -> None:
    token = together.auth.enrol(scopes=PII)
    query = f"MarketplaceIds={together.marketplaces}&CreatedAfter=2026-10-01T00:00:00Z"
    plain = await together.ask(token, f"{LIST}?{query}")
    asked = {"method": "GET", "path": LIST, "dataElements": ["buyerInfo", "shippingAddress"]}
    body = json.dumps({"restrictedResources": [asked]}).encode()
    given = await together.ask(token, TOKENS, "POST", body)
    handle = json.loads(given.body)["restrictedDataToken"]
    full = await together.ask(handle, f"{LIST}?{query}")
    assert not names(json.loads(plain.body))
    assert names(json.loads(full.body))


async def test_a_prescription_is_fetched_from_behind_a_link_of_the_gateways(together: Together) -> None:
    together.amazon.core.storage.origin = "https://simulated.s3.amazonaws.com"
    order = next(order for order in together.amazon.orders() if order.is_regulated)
    path = f"/orders/v0/orders/{order.order_id}/regulatedInfo"
    whole = await together.ask(together.auth.enrol(scopes=PII), path)
    fields = json.loads(whole.body)["payload"]["RegulatedInformation"]["Fields"]
    *texts, link = (field["FieldValue"] for field in fields)
    assert f"Rex {order.buyer.marker}" in texts
    capability = together.capabilities.open(link.rsplit("/", 1)[1], DOWNLOAD)
    assert order.buyer.name.encode() in fetch(together.amazon, capability.url.reveal()).body
    assert b"amazonaws" not in whole.body


async def test_a_foreign_order_is_as_absent_as_none_T07(together: Together) -> None:
    token = together.auth.enrol(scopes=PII)
    foreign = together.amazon.orders(1)[0].order_id
    answers = [
        await together.ask(token, f"/orders/v0/orders/{order_id}/address")
        for order_id in (foreign, "999-0000000-0000000")
    ]
    assert [answer.status for answer in answers] == [404, 404]
    assert error_of(answers[0]) == error_of(answers[1])


async def test_amazon_sees_only_what_the_gateway_writes(together: Together) -> None:
    token = together.auth.enrol()
    await together.ask(token, f"/orders/v0/orders/{together.an_order()}?marketplace_ids=X&path=Y")
    seen = together.amazon.shelf.calls[-1]
    assert seen.query_names == ()
    assert "authorization" not in seen.header_names
    assert token not in repr(seen)


async def test_a_hostile_amazon_is_survived_without_a_leak_T06_R28() -> None:
    together = Together(hostility=0.4)
    token, orders = together.auth.enrol(scopes=PII), together.amazon.orders()[:12]
    answers = [
        await together.ask(token, f"/orders/v0/orders/{order.order_id}/{part}")
        for order in orders
        for part in ("address", "buyerInfo", "orderItems")
    ]
    assert_documented(answers)
    assert sum(answer.status == 200 for answer in answers) > len(answers) / 2
    assert not together.signals.crashes


def assert_documented(answers: Sequence[Answer]) -> None:
    for answer in answers:
        assert answer.status in {200, 400, 403, 404, 429, 500, 502, 503, 504}
        assert b"Atza" not in answer.body
        assert b"Atz.sprdt" not in answer.body
        assert b"<html" not in answer.body
