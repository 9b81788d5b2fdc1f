"""The table of restricted operations. Its rows are repeated here, so that changing one is a decision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.model.refusals import DataElementsDenied, InvalidRestriction
from services.auth.model.restricted import OPERATIONS, Restriction, Rule

DIRECT = "/vendor/directFulfillment"
RESTRICTED = """
POST /easyShip/2022-03-23/packages/bulk
GET /mfn/v0/shipments/{shipmentId}
DELETE /mfn/v0/shipments/{shipmentId}
POST /mfn/v0/shipments
GET /orders/v0/orders buyerInfo buyerTaxInformation shippingAddress
GET /orders/v0/orders/{orderId} buyerInfo buyerTaxInformation shippingAddress
GET /orders/v0/orders/{orderId}/buyerInfo
GET /orders/v0/orders/{orderId}/address
GET /orders/v0/orders/{orderId}/orderItems buyerInfo
GET /orders/v0/orders/{orderId}/orderItems/buyerInfo
GET /orders/v0/orders/{orderId}/regulatedInfo
GET /reports/2021-06-30/documents/{reportDocumentId}
GET /fba/outbound/brazil/v0/shipments/{shipmentId}
GET /shipping/v1/shipments/{shipmentId}
GET DIRECT/orders/v1/purchaseOrders
GET DIRECT/orders/v1/purchaseOrders/{purchaseOrderNumber}
GET DIRECT/orders/2021-12-28/purchaseOrders
GET DIRECT/orders/2021-12-28/purchaseOrders/{purchaseOrderNumber}
GET DIRECT/shipping/v1/shippingLabels
GET DIRECT/shipping/v1/shippingLabels/{purchaseOrderNumber}
GET DIRECT/shipping/v1/customerInvoices
GET DIRECT/shipping/v1/customerInvoices/{purchaseOrderNumber}
GET DIRECT/shipping/v1/packingSlips
GET DIRECT/shipping/v1/packingSlips/{purchaseOrderNumber}
GET DIRECT/shipping/2021-12-28/shippingLabels
GET DIRECT/shipping/2021-12-28/shippingLabels/{purchaseOrderNumber}
POST DIRECT/shipping/2021-12-28/shippingLabels/{purchaseOrderNumber}
GET DIRECT/shipping/2021-12-28/customerInvoices
GET DIRECT/shipping/2021-12-28/customerInvoices/{purchaseOrderNumber}
GET DIRECT/shipping/2021-12-28/packingSlips
GET DIRECT/shipping/2021-12-28/packingSlips/{purchaseOrderNumber}
""".replace("DIRECT", DIRECT)
ROWS = [row.split() for row in RESTRICTED.strip().splitlines()]
KNOWN = [operation for operations in OPERATIONS.values() for operation in operations]


def test_the_table_has_amazons_31_operations_with_their_data_elements() -> None:
    known = {(one.method, one.path, *sorted(one.data_elements)) for one in KNOWN}
    assert known == {tuple(row) for row in ROWS}
    assert len(KNOWN) == 31


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_every_operation_is_asked_for_by_its_template(row: list[str]) -> None:
    method, template, *elements = row
    specific = template.replace("{", "").replace("}", "-1")
    asked = Restriction(method=method, path=specific, data_elements=tuple(elements))
    if "documents" in template:
        assert asked.lendable(sees_buyers=True) == asked
    else:
        assert asked.lendable(sees_buyers=True).path == template
    for foreign in {"GET", "PUT", "POST", "DELETE"} - {other for other, path, *_ in ROWS if path == template}:
        with pytest.raises(InvalidRestriction):
            Restriction(method=foreign, path=specific).check()


@pytest.mark.parametrize(
    "restriction",
    [
        Restriction(method="PATCH", path="/orders/v0/orders"),
        Restriction(method="GET", path="/orders/2026-01-01/orders"),
        Restriction(method="GET", path="/orders/v0/orders/{id}"),
        Restriction(method="GET", path="/orders/v0/orders/1}"),
        Restriction(method="GET", path="/orders/v0/orders/{orderId}/"),
        Restriction(method="GET", path="/Orders/v0/orders/1/address"),
        Restriction(method="GET", path="/orders/v0/orders/1/address", data_elements=("shippingAddress",)),
        Restriction(method="GET", path="/orders/v0/orders/1/orderItems", data_elements=("shippingAddress",)),
        Restriction(method="GET", path="/orders/v0/orders", data_elements=("buyerInfo", "everything")),
    ],
)
def test_what_is_not_in_the_table_is_not_asked_for_T05(restriction: Restriction) -> None:
    with pytest.raises(InvalidRestriction):
        restriction.check()


def test_data_elements_need_a_device_that_sees_buyers_and_are_needed() -> None:
    asked = Restriction(method="GET", path="/orders/v0/orders", data_elements=("buyerInfo",))
    assert asked.lendable(sees_buyers=True) == asked
    with pytest.raises(DataElementsDenied):
        asked.lendable(sees_buyers=False)
    none = Restriction(method="GET", path="/orders/v0/orders")
    assert none.check().rule is Rule.DATA
    with pytest.raises(InvalidRestriction):
        none.lendable(sees_buyers=True)


def test_a_literal_goes_before_a_parameter() -> None:
    asked = Restriction(method="GET", path="/orders/v0/orders/1/orderItems/buyerInfo")
    assert asked.check().path == "/orders/v0/orders/{orderId}/orderItems/buyerInfo"


@given(st.text(max_size=60), st.text(max_size=10), st.lists(st.text(max_size=12), max_size=3))
def test_no_text_makes_a_check_stumble_T10(path: str, method: str, elements: list[str]) -> None:
    for text in (path, f"/orders/v0/orders/{path}"):
        try:
            Restriction(method=method, path=text, data_elements=tuple(elements)).check()
        except InvalidRestriction:
            continue
