"""Links to documents on the forwarding path: whose they are, and what takes the place of Amazon's."""

import json
from typing import Any

import pytest

from fakes.gateway_document_types import FakeDocumentTypes
from fakes.gateway_ports import json_answer
from services.gateway.forward.document_links import RememberedTypes
from services.gateway.model.calls import Answer, Region, Restriction
from services.gateway.model.documents import DOWNLOAD, UPLOAD, Capability, DocumentClass
from services.gateway.model.policy import Rules
from services.gateway.model.policy_file import parse
from tests.unit.gateway.forwarding import ORIGIN, PII, Rig, error_of

S3 = "https://tortuga-prod-na.s3-external-1.amazonaws.com/doc?X-Amz-Expires=300&X-Amz-Signature=5e"
REPORT = "amzn1.spdoc.1.4.na.one"
REPORT_PATH = f"/reports/2021-06-30/documents/{REPORT}"
PLAIN, RESTRICTED = "GET_MERCHANT_LISTINGS_ALL_DATA", "GET_ORDER_REPORT_DATA_SHIPPING"
REPORT_BODY = f'{{"reportDocumentId": "{REPORT}", "compressionAlgorithm": "GZIP", "url": "{S3}"}}'.encode()


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def ask(rig: Rig, token: str, target: str, reply: bytes, **rest: Any) -> Answer:
    rig.upstream.replies.append(json_answer(reply))
    return await rig.call(token, target, **rest)


async def tell_type(rig: Rig, token: str, type_: str, document_id: str = REPORT) -> None:
    report = {"reportId": "1", "reportType": type_, "reportDocumentId": document_id}
    answer = await ask(rig, token, "/reports/2021-06-30/reports/1", json.dumps(report).encode())
    assert answer.status == 200


def opened(rig: Rig, link: str, method: str = DOWNLOAD) -> Capability:
    assert link.startswith(f"{ORIGIN}/_doc/")
    return rig.capabilities.open(link.rsplit("/", 1)[1], method)


async def test_the_link_becomes_ours_and_every_other_byte_stays(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    answer = await ask(rig, token, REPORT_PATH, REPORT_BODY)
    link = json.loads(answer.body)["url"]
    assert answer.body == REPORT_BODY.replace(S3.encode(), link.encode())
    capability = opened(rig, link)
    assert capability.url.reveal() == S3
    assert (capability.device_id, capability.seller_id) == ("device-0", "seller-1")
    assert capability.access_token.reveal() == token


async def test_a_report_of_unknown_type_is_refused_before_amazon_is_asked(rig: Rig) -> None:
    answer = await rig.call(rig.auth.enrol(), REPORT_PATH)
    assert (answer.status, error_of(answer)["details"].partition(":")[0]) == (403, "scope_missing")
    assert not rig.upstream.requests
    assert rig.told == [("gateway.operation.refused", "fact", "scope_missing")]


async def test_a_report_that_was_told_to_be_plain_is_everybodys(rig: Rig) -> None:
    token = rig.auth.enrol()
    await tell_type(rig, token, PLAIN)
    answer = await ask(rig, token, REPORT_PATH, REPORT_BODY)
    assert opened(rig, json.loads(answer.body)["url"]).document_class is DocumentClass.PLAIN
    assert rig.auth.lent == [("device-0", Region.NA, None)]


async def test_lists_of_reports_and_feeds_tell_types_too(rig: Rig) -> None:
    token = rig.auth.enrol()
    listed = {"reports": [{"reportType": PLAIN, "reportDocumentId": REPORT}, {"reportType": PLAIN}, 7]}
    await ask(rig, token, "/reports/2021-06-30/reports?reportTypes=A", json.dumps(listed).encode())
    feeds = {"feeds": [{"feedType": "JSON_LISTINGS_FEED", "resultFeedDocumentId": "F1"}]}
    await ask(rig, token, "/feeds/2021-06-30/feeds?feedTypes=A", json.dumps(feeds).encode())
    assert (await ask(rig, token, REPORT_PATH, REPORT_BODY)).status == 200
    body = json.dumps({"feedDocumentId": "F1", "url": S3}).encode()
    assert (await ask(rig, token, "/feeds/2021-06-30/documents/F1", body)).status == 200


async def test_what_one_seller_was_told_says_nothing_about_anothers_T07(rig: Rig) -> None:
    await tell_type(rig, rig.auth.enrol(), PLAIN)
    answer = await rig.call(rig.auth.enrol(seller_id="seller-2"), REPORT_PATH)
    assert error_of(answer)["details"].startswith("scope_missing")


async def test_a_personal_report_that_amazon_does_not_restrict_needs_the_scope(rig: Rig) -> None:
    plain, trusted = rig.auth.enrol(), rig.auth.enrol(scopes=PII)
    await tell_type(rig, plain, "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL")
    assert (await rig.call(plain, REPORT_PATH)).status == 403
    answer = await ask(rig, trusted, REPORT_PATH, REPORT_BODY)
    assert opened(rig, json.loads(answer.body)["url"]).is_personal
    assert rig.auth.lent[-1][2] is None


@pytest.mark.parametrize(
    ("named", "type_", "is_personal"),
    [
        ('"GET_MERCHANT_*"', PLAIN, True),
        ('"GET_ORDER_*"', PLAIN, False),
        ("", "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL", True),
        ("", RESTRICTED, True),
    ],
)
async def test_a_policy_makes_more_reports_personal_and_none_plain(
    rig: Rig, named: str, type_: str, *, is_personal: bool
) -> None:
    text = f'version = 1\n[[allow]]\noperations = ["*"]\n[documents]\npersonal_reports = [{named}]\n'
    rig.policies.rules = Rules(parse(text.encode()))
    token = rig.auth.enrol()
    await tell_type(rig, token, type_)
    answer = await ask(rig, token, REPORT_PATH, REPORT_BODY)
    assert answer.status == (403 if is_personal else 200)


async def test_a_restricted_report_is_fetched_with_a_token_for_its_own_path(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    await tell_type(rig, token, RESTRICTED)
    assert (await ask(rig, token, REPORT_PATH, REPORT_BODY)).status == 200
    assert rig.auth.lent[-1][2] == Restriction("GET", REPORT_PATH)


async def handle_for_report(rig: Rig, token: str) -> str:
    asked = {"restrictedResources": [{"method": "GET", "path": REPORT_PATH}]}
    given = await rig.call(
        token, "/tokens/2021-03-01/restrictedDataToken", "POST", body=json.dumps(asked).encode()
    )
    return str(json.loads(given.body)["restrictedDataToken"])


async def test_a_handle_for_a_report_of_unknown_type_is_taken_at_its_word(rig: Rig) -> None:
    token = rig.auth.enrol(scopes=PII)
    for shown, lent in (
        (token, None),
        (await handle_for_report(rig, token), Restriction("GET", REPORT_PATH)),
    ):
        assert (await ask(rig, shown, REPORT_PATH, REPORT_BODY)).status == 200
        assert rig.auth.lent[-1][2] == lent


async def test_a_handle_makes_no_restricted_report_of_one_that_was_told_to_be_plain(rig: Rig) -> None:
    token = rig.auth.enrol()
    await tell_type(rig, token, PLAIN)
    answer = await ask(rig, await handle_for_report(rig, token), REPORT_PATH, REPORT_BODY)
    assert opened(rig, json.loads(answer.body)["url"]).document_class is DocumentClass.PLAIN
    assert rig.auth.lent[-1][2] is None


async def test_an_uploads_link_is_for_the_declared_content_type(rig: Rig) -> None:
    token = rig.auth.enrol()
    body = json.dumps({"contentType": "text/xml; charset=UTF-8"}).encode()
    reply = json.dumps({"feedDocumentId": "F1", "url": S3}).encode()
    answer = await ask(rig, token, "/feeds/2021-06-30/documents", reply, method="POST", body=body)
    capability = opened(rig, json.loads(answer.body)["url"], UPLOAD)
    assert (capability.content_type, capability.headers) == ("text/xml; charset=UTF-8", ())
    assert rig.told[0][0] == "gateway.operation.called"


async def test_an_uploads_link_carries_the_headers_that_amazon_wants(rig: Rig) -> None:
    wanted = {"Content-MD5": "5d41", "x-amz-server-side-encryption": "aws:kms", "host": "evil", "n": 7}
    reply = json.dumps({"payload": {"uploadDestinationId": "1", "url": S3, "headers": wanted}}).encode()
    target = (
        "/uploads/2020-11-01/uploadDestinations/aplus?marketplaceIds=A&contentMD5=5d41&contentType=image/png"
    )
    answer = await ask(rig, rig.auth.enrol(), target, reply, method="POST")
    capability = opened(rig, json.loads(answer.body)["payload"]["url"], UPLOAD)
    assert capability.content_type == "image/png"
    assert dict(capability.headers) == {"content-md5": "5d41", "x-amz-server-side-encryption": "aws:kms"}


async def test_the_content_type_for_which_an_uploads_link_is_signed_goes_first_and_once(rig: Rig) -> None:
    wanted = {"Content-Type": "image/jpeg", "Content-MD5": "5d41"}
    reply = json.dumps({"payload": {"uploadDestinationId": "1", "url": S3, "headers": wanted}}).encode()
    target = (
        "/uploads/2020-11-01/uploadDestinations/aplus?marketplaceIds=A&contentMD5=5d41&contentType=image/png"
    )
    answer = await ask(rig, rig.auth.enrol(), target, reply, method="POST")
    capability = opened(rig, json.loads(answer.body)["payload"]["url"], UPLOAD)
    assert (capability.content_type, dict(capability.headers)) == ("image/jpeg", {"content-md5": "5d41"})


@pytest.mark.parametrize(
    "url",
    ["http://s3.amazonaws.com/x", "https://evil.example/x", "https://169.254.169.254/x", "javascript:x"],
)
async def test_a_link_to_anywhere_else_does_not_leave_T05_T29(rig: Rig, url: str) -> None:
    body = json.dumps({"reportDocumentId": REPORT, "url": url}).encode()
    answer = await ask(rig, rig.auth.enrol(scopes=PII), REPORT_PATH, body)
    assert (answer.status, error_of(answer)["details"].partition(":")[0]) == (502, "upstream_invalid")
    assert url.encode() not in answer.body


def fulfilment_order(url: str) -> bytes:
    package = {"deliveryInformation": {"deliveryDocumentList": [{"documentType": "SIGNATURE", "url": url}]}}
    shipments = [{"fulfillmentShipmentPackage": [package]}]
    return json.dumps({"payload": {"fulfillmentShipments": shipments, "returnAuthorizations": []}}).encode()


def delivery_url(body: bytes) -> str:
    (shipment,) = json.loads(body)["payload"]["fulfillmentShipments"]
    (package,) = shipment["fulfillmentShipmentPackage"]
    (document,) = package["deliveryInformation"]["deliveryDocumentList"]
    return str(document["url"])


@pytest.mark.parametrize(("scopes", "begins"), [(PII, f"{ORIGIN}/_doc/"), (frozenset({"orders"}), "***")])
async def test_a_link_among_masked_members_is_masked_or_ours(
    rig: Rig, scopes: frozenset[str], begins: str
) -> None:
    token, path = rig.auth.enrol(scopes=scopes), "/fba/outbound/2020-07-01/fulfillmentOrders/1"
    answer = await ask(rig, token, path, fulfilment_order(S3))
    assert delivery_url(answer.body).startswith(begins)


async def test_types_that_cannot_be_shared_make_reports_personal_and_change_no_answer_R05(rig: Rig) -> None:
    token, rig.types.is_down = rig.auth.enrol(), True
    await tell_type(rig, token, PLAIN)
    assert (await rig.call(token, REPORT_PATH)).status == 403
    assert rig.signals.side_failures == [("document_types", "store_unavailable")] * 2
    rig.types.is_down = False
    await tell_type(rig, token, PLAIN)
    assert (await ask(rig, token, REPORT_PATH, REPORT_BODY)).status == 200


async def test_what_one_replica_was_told_another_one_knows_and_storage_hears_it_once() -> None:
    shared = FakeDocumentTypes()
    one, other = RememberedTypes(shared), RememberedTypes(shared)
    for _ in range(3):
        await one.learn("seller-1", {"a": "A", "b": "B"})
    assert shared.told == 1
    assert [await other.find("seller-1", each) for each in ("a", "b", "c")] == ["A", "B", ""]
    assert await other.find("seller-2", "a") == ""
    shared.is_down = True
    assert await other.find("seller-1", "a") == "A"
