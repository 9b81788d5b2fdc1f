"""What buyers handed in: links of ours for those who may see it, and Amazon's for nobody."""

import asyncio
import base64
import json
from typing import Any

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.model.buyer_links import LINKS_MAX
from services.gateway.model.calls import Answer
from services.gateway.model.documents import CAPABILITY_S_MAX, DOWNLOAD, Capability, DocumentClass
from services.gateway.model.policy import Rules
from services.gateway.model.policy_file import parse
from tests.unit.gateway.flights import begin, opened, settle
from tests.unit.gateway.forwarding import ORDER, ORIGIN, PII, Rig, error_of

THEIRS = "https://zme-caps.amazon.com/t/bR6qHkzSOxuB/J8nbWhze0Bd3DkajkOdY/1"
BUCKET = "https://1p-df-public-data.s3.amazonaws.com/111-1260745-6291416.zip"
ELSEWHERE = "https://files.example/t/secret-of-janes?key=1"
ITEMS = f"/orders/v0/orders/{ORDER}/orderItems"
REGULATED = f"/orders/v0/orders/{ORDER}/regulatedInfo"
SEARCH = "/orders/2026-01-01/orders?marketplaceIds=ATVPDKIKX0DER"
VENDOR = "/vendor/directFulfillment/orders/2021-12-28/purchaseOrders/P1"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def items(*urls: str) -> bytes:
    listed = [{"ASIN": "B0", "BuyerInfo": {"BuyerCustomizedInfo": {"CustomizedURL": url}}} for url in urls]
    return json.dumps({"payload": {"AmazonOrderId": ORDER, "OrderItems": listed}}).encode()


def page(*urls: str) -> bytes:
    orders = [
        {"orderId": f"{at:03}-1", "orderItems": [{"product": {"customization": {"customizedUrl": url}}}]}
        for at, url in enumerate(urls)
    ]
    return json.dumps({"orders": orders}).encode()


def customized(answer: Answer) -> list[Any]:
    """Return what stands at the links' places of getOrderItems."""
    listed = json.loads(answer.body)["payload"]["OrderItems"]
    return [each["BuyerInfo"]["BuyerCustomizedInfo"].get("CustomizedURL") for each in listed]


def found(answer: Answer) -> list[Any]:
    """Return what stands at the links' places of searchOrders."""
    orders = json.loads(answer.body)["orders"]
    return [order["orderItems"][0]["product"]["customization"]["customizedUrl"] for order in orders]


async def ask(rig: Rig, token: str, target: str, reply: bytes) -> Answer:
    rig.upstream.replies.append(json_answer(reply))
    return await rig.call(token, target)


def opened_by(rig: Rig, link: str) -> Capability:
    assert link.startswith(f"{ORIGIN}/_doc/")
    return rig.capabilities.open(link.rsplit("/", 1)[1], DOWNLOAD)


def follow(rig: Rig, *rules: str) -> None:
    text = ["version = 1", '[[allow]]\noperations = ["*"]', *rules, ""]
    rig.policies.rules = Rules(parse("\n".join(text).encode()))


async def test_who_may_see_it_gets_a_link_of_ours_and_every_other_byte_of_amazons(rig: Rig) -> None:
    token, reply = rig.auth.enrol(scopes=PII), items(THEIRS)
    answer = await ask(rig, token, ITEMS, reply)
    (link,) = customized(answer)
    assert answer.body == reply.replace(THEIRS.encode(), link.encode())
    capability = opened_by(rig, link)
    assert capability.url.reveal() == THEIRS
    assert (capability.operation, capability.device_id) == ("ordersV0.getOrderItems", "device-0")
    assert (capability.document_class, capability.scopes) == (DocumentClass.PERSONAL, PII)
    assert capability.order_id == ORDER


async def test_who_may_not_see_it_has_it_masked_as_any_personal_member(rig: Rig) -> None:
    assert customized(await ask(rig, rig.auth.enrol(), ITEMS, items(THEIRS, ELSEWHERE))) == ["***", "***"]
    assert not rig.signals.hidden_links


@pytest.mark.parametrize(("rule", "shown"), [("masked", "***"), ("dropped", None)])
async def test_its_own_class_decides_about_it_whatever_else_is_seen(rig: Rig, rule: str, shown: Any) -> None:
    follow(
        rig,
        f'[[fields]]\noperations = ["*"]\n{rule} = ["customization"]',
        '[[fields]]\noperations = ["*"]\nscopes = ["pii"]\nfull = ["*"]',
    )
    assert customized(await ask(rig, rig.auth.enrol(scopes=PII), ITEMS, items(THEIRS))) == [shown]


async def test_its_own_class_in_full_is_enough(rig: Rig) -> None:
    follow(rig, '[[fields]]\noperations = ["*"]\nscopes = ["pii"]\nfull = ["customization"]')
    (link,) = customized(await ask(rig, rig.auth.enrol(scopes=PII), ITEMS, items(THEIRS)))
    assert opened_by(rig, link).url.reveal() == THEIRS


async def test_a_vendors_link_is_told_in_base64_as_amazons_is(rig: Rig) -> None:
    told = base64.b64encode(BUCKET.encode()).decode()
    item = {"buyerCustomizedInfo": {"customizedUrl": told}}
    reply = json.dumps({"purchaseOrderNumber": "P1", "orderDetails": {"items": [item]}}).encode()
    answer = await ask(rig, rig.auth.enrol(scopes=PII), VENDOR, reply)
    shown = json.loads(answer.body)["orderDetails"]["items"][0]["buyerCustomizedInfo"]["customizedUrl"]
    assert opened_by(rig, base64.b64decode(shown).decode()).url.reveal() == BUCKET


async def test_of_a_regulated_orders_fields_only_attachments_become_links(rig: Rig) -> None:
    values = ("Rex", BUCKET, ELSEWHERE, "")
    fields = [{"FieldId": str(at), "FieldValue": value} for at, value in enumerate(values)]
    reply = json.dumps({"payload": {"RegulatedInformation": {"Fields": fields}}}).encode()
    answer = await ask(rig, rig.auth.enrol(scopes=PII), REGULATED, reply)
    listed = json.loads(answer.body)["payload"]["RegulatedInformation"]["Fields"]
    text, link, hidden, empty = (field["FieldValue"] for field in listed)
    assert (text, hidden, empty) == ("Rex", "***", "")
    assert opened_by(rig, link).url.reveal() == BUCKET
    assert rig.signals.hidden_links == [("ordersV0.getOrderRegulatedInfo", [""])]


async def test_a_link_to_anywhere_else_is_hidden_told_by_its_host_and_costs_no_page_T05_T28(rig: Rig) -> None:
    answer = await ask(rig, rig.auth.enrol(scopes=PII), SEARCH, page(ELSEWHERE, THEIRS, "no link", ""))
    hidden, link, unread, empty = found(answer)
    assert (answer.status, hidden, unread, empty) == (200, "***", "***", "")
    assert opened_by(rig, link).url.reveal() == THEIRS
    assert rig.signals.hidden_links == [("orders_2026-01-01.searchOrders", ["files.example", ""])]


async def test_an_order_with_more_links_than_any_has_the_rest_hidden_T32(rig: Rig) -> None:
    urls = [f"{THEIRS}/{at}" for at in range(LINKS_MAX + 2)]
    shown = customized(await ask(rig, rig.auth.enrol(scopes=PII), ITEMS, items(*urls, urls[0])))
    assert [each == "***" for each in shown] == [False] * LINKS_MAX + [True, True, False]
    assert shown[0] == shown[-1]
    assert len(rig.signals.hidden_links[0][1]) == 2


async def test_a_page_without_links_comes_byte_for_byte(rig: Rig) -> None:
    for reply in (page(""), page(), b'{ "orders" : [{"orderId":"1-1", "n":1.0}] }'):
        assert (await ask(rig, rig.auth.enrol(scopes=PII), SEARCH, reply)).body == reply


async def test_without_the_key_of_links_the_call_is_refused_because_it_can_be_made_again(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    await rig.clock.advance(CAPABILITY_S_MAX)
    answer = await ask(rig, token, ITEMS, items(THEIRS))
    assert (answer.status, error_of(answer)["details"].partition(":")[0]) == (503, "key_service_unavailable")
    assert (await ask(rig, token, ITEMS, items(""))).status == 200


async def test_desktops_that_share_an_answer_get_links_of_their_own_T07(rig: Rig) -> None:
    tokens = [rig.auth.enrol(scopes=PII), rig.auth.enrol(scopes=PII), rig.auth.enrol()]
    async with opened(rig) as amazon:
        amazon.body = items(THEIRS)
        calls = [begin(rig, token, ITEMS) for token in tokens]
        await settle()
        amazon.gate.set()
        one, other, plain = await asyncio.gather(*calls)
    assert rig.signals.coalesced_reads == ["ordersV0.getOrderItems"]
    devices = [opened_by(rig, customized(answer)[0]).device_id for answer in (one, other)]
    assert (devices, customized(plain)) == (["device-0", "device-1"], ["***"])


async def test_an_object_where_a_link_is_expected_does_not_leave_T29(rig: Rig) -> None:
    reply = items(THEIRS).replace(json.dumps(THEIRS).encode(), json.dumps([THEIRS]).encode())
    answer = await ask(rig, rig.auth.enrol(scopes=PII), ITEMS, reply)
    assert (answer.status, THEIRS.encode() in answer.body) == (502, False)
