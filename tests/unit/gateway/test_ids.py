"""Which members and parameters count as ids, and how much of an answer is looked at for them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.catalogue.table import Catalogue
from services.gateway.model import targets
from services.gateway.model.ids import BODY_BYTES_MAX, ID_CHARS_MAX, IDS_MAX, Ids
from services.gateway.model.operations import Operation

CATALOGUE = Catalogue.load()
IDS = Ids(CATALOGUE)


def operation(name: str) -> Operation:
    return next(each for each in CATALOGUE if each.name == name)


GET_REPORT = operation("reports_2021-06-30.getReport")
GET_REPORTS = operation("reports_2021-06-30.getReports")


def named(target: str, method: str = "GET") -> str:
    """Return the id that a call names."""
    parsed = targets.parse(target)
    meant, parameters = CATALOGUE.match(method, parsed.segments)
    return IDS.named(meant, parameters, parsed.pairs)


def test_these_parameters_alone_say_where_a_call_belongs() -> None:
    found: dict[str, set[str]] = {}
    for each in CATALOGUE:
        parts = [part[1:-1] for part in each.path.split("/") if part.startswith("{")]
        if name := IDS.named(each, {part: part for part in parts}, ()):
            found.setdefault(each.api, set()).add(name)
    by_purchase_order, by_transaction = {"purchaseOrderNumber"}, {"transactionId"}
    assert found == {
        "InvoicesApiModel_2024-06-19": {"exportId", "invoicesDocumentId"},
        "appIntegrations-2024-04-01": {"notificationId"},
        "awd_2024-05-09": {"orderId", "shipmentId"},
        "dataKiosk_2023-11-15": {"documentId", "queryId"},
        "externalFulfillmentReturns_2024-09-11": {"returnId"},
        "externalFulfillmentShipments_2024-09-11": {"shipmentId"},
        "feeds_2021-06-30": {"feedDocumentId", "feedId"},
        "financesV0": {"eventGroupId", "orderId"},
        "fulfillmentInboundV0": {"shipmentId"},
        "fulfillmentInbound_2024-03-20": {"inboundPlanId", "operationId"},
        "fulfillmentOutbound_2020-07-01": {"sellerFulfillmentOrderId"},
        "fulfillmentOutbound_2026-07-04": {"orderId"},
        "merchantFulfillmentV0": {"shipmentId"},
        "notifications": {"destinationId", "subscriptionId"},
        "ordersV0": {"orderId"},
        "orders_2026-01-01": {"orderId"},
        "reports_2021-06-30": {"reportDocumentId", "reportId", "reportScheduleId"},
        "services": {"serviceJobId"},
        "shipmentInvoicingV0": {"shipmentId"},
        "shipping": {"shipmentId", "trackingId"},
        "shippingV2": {"collectionFormId", "shipmentId"},
        "supplySources_2020-07-01": {"supplySourceId"},
        "vendorDirectFulfillmentOrdersV1": by_purchase_order,
        "vendorDirectFulfillmentOrders_2021-12-28": by_purchase_order,
        "vendorDirectFulfillmentSandboxData_2021-10-28": by_transaction,
        "vendorDirectFulfillmentShippingV1": by_purchase_order,
        "vendorDirectFulfillmentShipping_2021-12-28": by_purchase_order,
        "vendorDirectFulfillmentTransactionsV1": by_transaction,
        "vendorDirectFulfillmentTransactions_2021-12-28": by_transaction,
        "vendorOrders": by_purchase_order,
        "vendorTransactionStatus": by_transaction,
    }


def test_the_outermost_id_of_a_path_is_named() -> None:
    assert named("/inbound/fba/2024-03-20/inboundPlans/p1/shipments/s1/boxes") == "p1"
    assert named("/notifications/v1/subscriptions/ORDER_CHANGE/s1") == "s1"
    assert named("/catalog/2022-04-01/items/B000") == ""
    assert named("/listings/2021-08-01/items/SELLER/SKU") == ""


def test_a_pages_token_is_named_as_it_was_told() -> None:
    (token,) = IDS.told(GET_REPORTS, b"", rb'{"nextToken": "a\/b+c=\u003d"}')
    assert token == "a/b+c=="
    assert named("/reports/2021-06-30/reports?nextToken=a%2Fb%2Bc%3D%3D") == token
    assert named("/reports/2021-06-30/reports/7?nextToken=a%2Fb%2Bc%3D%3D") == "7"


def test_an_answer_tells_ids_once_and_in_its_order_however_amazon_calls_them() -> None:
    feed = {"resultFeedDocumentId": "out", "feedId": "7", "feedType": "A", "errors": [{"feedId": "7"}]}
    assert IDS.told(operation("feeds_2021-06-30.getFeed"), b"", json.dumps(feed).encode()) == ["out", "7"]
    orders = b'{"payload": {"Orders": [{"AmazonOrderId" : "o1", "SellerOrderId": "s1"}]}}'
    assert IDS.told(operation("ordersV0.getOrders"), b"", orders) == ["o1"]


def test_what_lies_within_something_else_is_not_told_by_itself() -> None:
    options = b'{"placementOptions": [{"placementOptionId": "o", "fees": [], "shipmentIds": ["s"]}]}'
    assert IDS.told(operation("fulfillmentInbound_2024-03-20.listPlacementOptions"), b"", options) == []


def test_what_a_text_quotes_is_not_told() -> None:
    body = json.dumps(
        {"reportType": '"reportId":"1"', "a": "reportId", "b": {"reportId": 2}, "c": ""}
    ).encode()
    assert IDS.told(GET_REPORT, b"", body) == []
    assert IDS.told(GET_REPORT, b"", rb'{"reportId": "\ud800", "reportScheduleId": "s"}') == ["s"]


def test_only_so_many_ids_of_only_such_a_length_are_told_from_the_beginning_of_an_answer_R23() -> None:
    many = {"reports": [{"reportId": str(number)} for number in range(IDS_MAX + 1)]}
    assert len(IDS.told(GET_REPORTS, b"", json.dumps(many).encode())) == IDS_MAX
    long = json.dumps([{"reportId": "x" * (ID_CHARS_MAX + 1)}, {"reportId": "x" * ID_CHARS_MAX}]).encode()
    assert [len(each) for each in IDS.told(GET_REPORTS, b"", long)] == [ID_CHARS_MAX]
    late = b" " * BODY_BYTES_MAX + b'{"reportId": "7"}'
    assert IDS.told(GET_REPORTS, b"", late) == []


@given(
    text=st.text(min_size=1, max_size=50),
    indent=st.none() | st.just(1),
)
def test_any_text_is_told_as_it_is_meant(text: str, indent: int | None) -> None:
    for is_ascii in (True, False):
        body = json.dumps({"reportId": text}, indent=indent, ensure_ascii=is_ascii).encode()
        assert IDS.told(GET_REPORT, b"", body) == [text]


@given(body=st.binary(max_size=200) | st.text('{}[]":,\\ reportId', max_size=60).map(str.encode))
def test_no_bytes_are_too_odd_to_be_looked_at_T10(body: bytes) -> None:
    assert all(0 < len(each) <= ID_CHARS_MAX for each in IDS.told(GET_REPORT, b"", body))
