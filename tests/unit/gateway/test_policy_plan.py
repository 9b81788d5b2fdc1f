"""Who may call what, and with which of Amazon's tokens."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Denied
from services.gateway.catalogue.table import Catalogue
from services.gateway.model.application_policy import BUILT_IN
from services.gateway.model.audit import Kind
from services.gateway.model.calls import Device, Loan, Profile, Region, Restriction
from services.gateway.model.documents import DocumentClass
from services.gateway.model.faults import (
    OperationNotForSellers,
    RestrictionMismatch,
    ScopeMissing,
)
from services.gateway.model.operations import Operation
from services.gateway.model.policy import Plan, Rules, check_search
from services.gateway.model.policy_file import parse
from services.gateway.model.restrictions import is_restriction_of

CATALOGUE = Catalogue.load()
DEVICE = Device(
    device_id="d",
    seller_id="s",
    profile=Profile.COMPAT,
    scopes=frozenset({"orders"}),
    key_thumbprint="",
    expires_in_s=3_600.0,
    restrictions=(),
    regions=frozenset({Region.NA, Region.EU}),
    default_marketplace_id="ATVPDKIKX0DER",
)
TRUSTED = replace(DEVICE, scopes=frozenset({"orders", "pii"}))
ORDERS = "/orders/v0/orders"


def operation(name: str) -> Operation:
    return next(each for each in CATALOGUE if each.name == name)


RULES = Rules(BUILT_IN)
UNSTATED = "unstated"


def planned(name: str, device: Device, path: str = "") -> Plan:
    found = operation(name)
    return RULES.plan(found, device, path=path or found.path, purpose=UNSTATED)


def search(name: str, device: Device, names: set[str]) -> None:
    found = operation(name)
    check_search(RULES.view(found, device, UNSTATED), names)


def test_an_always_restricted_read_is_made_for_everybody_and_masked_without_the_scope() -> None:
    wanted = Restriction("GET", "/orders/v0/orders/{orderId}/address")
    hiding, showing = (
        planned("ordersV0.getOrderAddress", DEVICE),
        planned("ordersV0.getOrderAddress", TRUSTED),
    )
    assert (hiding.loan, hiding.is_masked, hiding.audit_kind) == (wanted, True, Kind.PII_MASKED)
    assert (showing.loan, showing.is_masked, showing.audit_kind) == (wanted, False, Kind.PII_READ)
    assert hiding.view.mask is operation("ordersV0.getOrderAddress").mask
    assert showing.view.mask is None


def test_a_search_by_personal_data_needs_the_scope() -> None:
    search("ordersV0.getOrders", TRUSTED, {"BuyerEmail", "MarketplaceIds"})
    search("ordersV0.getOrders", DEVICE, {"MarketplaceIds"})
    with pytest.raises(ScopeMissing):
        search("ordersV0.getOrders", DEVICE, {"BuyerEmail", "MarketplaceIds"})


def test_a_list_is_read_with_the_ordinary_token_unless_a_handle_asks_for_more() -> None:
    assert planned("ordersV0.getOrders", TRUSTED).loan is None
    handle = Restriction("GET", ORDERS, ("buyerInfo", "shippingAddress"))
    asking = replace(TRUSTED, restrictions=(handle,))
    assert planned("ordersV0.getOrders", asking).loan == handle


def test_a_handle_without_the_scope_fetches_no_more_than_the_ordinary_token() -> None:
    asking = replace(DEVICE, restrictions=(Restriction("GET", ORDERS, ("buyerInfo",)),))
    plan = planned("ordersV0.getOrders", asking)
    assert (plan.loan, plan.is_masked, plan.audit_kind) == (None, True, Kind.PII_MASKED)
    assert plan.withheld == ("buyerInfo",)


def test_a_handle_without_data_elements_is_an_ordinary_read() -> None:
    asking = replace(TRUSTED, restrictions=(Restriction("GET", ORDERS),))
    assert planned("ordersV0.getOrders", asking).loan is None


def test_a_handle_is_good_only_for_what_it_names() -> None:
    asking = replace(TRUSTED, restrictions=(Restriction("GET", ORDERS, ("buyerInfo",)),))
    with pytest.raises(RestrictionMismatch):
        planned("ordersV0.getOrderAddress", asking)


def test_what_was_decided_for_one_order_is_decided_anew_for_the_next() -> None:
    handle = Restriction("GET", f"{ORDERS}/1/address")
    asking = replace(TRUSTED, restrictions=(handle,))
    for _ in range(2):
        assert planned("ordersV0.getOrderAddress", asking, handle.path).loan
        with pytest.raises(RestrictionMismatch):
            planned("ordersV0.getOrderAddress", asking, f"{ORDERS}/2/address")


def test_handles_that_ask_for_different_data_elements_are_told_apart() -> None:
    for elements in [("buyerInfo",), (), ("buyerInfo", "shippingAddress"), ("shippingAddress",)]:
        handle = Restriction("GET", ORDERS, elements)
        loan = planned("ordersV0.getOrders", replace(TRUSTED, restrictions=(handle,))).loan
        assert loan == (handle if elements else None)


def test_handles_for_different_applications_are_told_apart() -> None:
    name, generic = "ordersV0.getOrderAddress", operation("ordersV0.getOrderAddress").path
    for application in ["one", "", "two"]:
        handle = (Restriction("GET", generic),)
        asking = replace(TRUSTED, restrictions=handle, target_application=application)
        assert planned(name, asking).loan == Restriction("GET", generic, (), application)


@pytest.mark.parametrize(
    ("theirs", "ours", "fits"),
    [
        ("/orders/v0/orders/{orderId}", "/orders/v0/orders/1", True),
        ("/orders/v0/orders/1", "/orders/v0/orders/1", True),
        ("/orders/v0/orders/1", "/orders/v0/orders/2", False),
        ("/orders/v0/orders/{orderId}", "/orders/v0/orders/1/address", False),
        ("/orders/v0/orders/{orderId}/address", "/orders/v0/orders/1", False),
    ],
)
def test_specific_and_generic_paths_name_calls(theirs: str, ours: str, *, fits: bool) -> None:
    assert is_restriction_of(Restriction("GET", theirs), "GET", ours) is fits
    assert not is_restriction_of(Restriction("PUT", theirs), "GET", ours)


def test_personal_data_that_comes_with_the_ordinary_token_is_masked_too() -> None:
    assert planned("orders_2026-01-01.searchOrders", DEVICE).is_masked
    assert not planned("orders_2026-01-01.searchOrders", TRUSTED).is_masked


def test_only_what_shows_personal_data_or_changes_something_is_audited() -> None:
    assert planned("catalogItems_2022-04-01.searchCatalogItems", DEVICE).audit_kind is None
    assert planned("feeds_2021-06-30.createFeed", DEVICE).audit_kind is Kind.OPERATION_CALLED


LINKED = "reports_2021-06-30.getReportDocument"


def linked(document_class: DocumentClass, device: Device, name: str = LINKED) -> Plan:
    found = operation(name)
    return RULES.plan(found, device, path=REPORT_PATH, purpose=UNSTATED, document_class=document_class)


REPORT_PATH = "/reports/2021-06-30/documents/amzn1.spdoc.1.4.na.1"


@pytest.mark.parametrize("device", [DEVICE, TRUSTED])
def test_a_link_to_a_plain_document_is_everybodys_with_an_ordinary_token(device: Device) -> None:
    plan = linked(DocumentClass.PLAIN, device)
    assert (plan.loan, plan.audit_kind) == (None, None)


def test_a_link_to_a_personal_document_needs_the_scope() -> None:
    assert linked(DocumentClass.PERSONAL, TRUSTED).loan is None
    with pytest.raises(ScopeMissing):
        linked(DocumentClass.PERSONAL, DEVICE)


def test_a_restricted_report_is_asked_for_by_its_own_path_and_with_the_scope() -> None:
    assert linked(DocumentClass.RESTRICTED, TRUSTED).loan == Restriction("GET", REPORT_PATH)
    with pytest.raises(ScopeMissing):
        linked(DocumentClass.RESTRICTED, DEVICE)


def test_what_is_remembered_of_one_document_lets_nobody_at_another() -> None:
    rules, report = Rules(BUILT_IN), operation(LINKED)

    def loan(device: Device, path: str, document_class: DocumentClass) -> Loan:
        return rules.plan(report, device, path=path, purpose=UNSTATED, document_class=document_class).loan

    for _ in range(2):
        assert loan(DEVICE, "/1", DocumentClass.PLAIN) is None
        assert loan(TRUSTED, "/2", DocumentClass.PERSONAL) is None
        with pytest.raises(ScopeMissing):
            loan(DEVICE, "/2", DocumentClass.PERSONAL)
        for path in ("/3", "/4"):
            assert loan(TRUSTED, path, DocumentClass.RESTRICTED) == Restriction("GET", path)


OF_ALL_KINDS = parse(
    b"""
version = 1
[purposes]
default = "handling"
others = ["tax"]
[[allow]]
operations = ["ordersV0.*", "reports_2021-06-30.*"]
[[allow]]
operations = ["sellers.*"]
profiles = ["bound"]
[[fields]]
operations = ["*"]
scopes = ["pii"]
purposes = ["tax"]
full = ["name", "document"]
[[fields]]
operations = ["*"]
scopes = ["pii"]
profiles = ["bound"]
full = ["*"]
[[grantless]]
operations = ["notifications.*"]
devices = ["018f6a3e-1c2d-7000-8000-3b9a1f0c5d21"]
[[delegates]]
application = "amzn1.sellerapps.app.labels"
operations = ["*"]
"""
)
ONE_DEVICE = "018f6a3e-1c2d-7000-8000-3b9a1f0c5d21"
SELLERS, DESTINATIONS = "sellers.getMarketplaceParticipations", "notifications.getDestinations"
# What a decision may hang on.
FACETS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(
        ["ordersV0.getOrders", "ordersV0.getOrderAddress", SELLERS, DESTINATIONS, LINKED]
    ),
    "device_id": st.sampled_from(["another", ONE_DEVICE]),
    "profile": st.sampled_from(Profile),
    "scopes": st.sampled_from([DEVICE.scopes, TRUSTED.scopes]),
    "restrictions": st.sampled_from([(), (Restriction("GET", ORDERS, ("buyerTaxInformation",)),)]),
    "target_application": st.sampled_from(["", "amzn1.sellerapps.app.labels", "amzn1.sellerapps.app.other"]),
    "path": st.sampled_from([ORDERS, "/another"]),
    "purpose": st.sampled_from(["handling", "tax"]),
    "document_class": st.none() | st.sampled_from(DocumentClass),
}
OF_DEVICE = ("device_id", "profile", "scopes", "restrictions", "target_application")


def decided(rules: Rules, call: dict[str, Any]) -> object:
    """Return the plan of a call, or why there is none; its mask follows from what is shown."""
    device = replace(DEVICE, **{facet: call[facet] for facet in OF_DEVICE})
    told = {facet: call[facet] for facet in ("path", "purpose", "document_class")}
    try:
        plan = rules.plan(operation(call["name"]), device, **told)
    except Denied as refusal:
        return type(refusal)
    return replace(plan, view=replace(plan.view, mask=None))


@settings(deadline=None)
@given(call=st.fixed_dictionaries(FACETS), other=st.fixed_dictionaries(FACETS))
def test_what_is_remembered_of_a_call_decides_none_that_differs_in_anything_T05_T15(
    call: dict[str, Any], other: dict[str, Any]
) -> None:
    rules = Rules(OF_ALL_KINDS)
    for each in (call, *({**call, facet: other[facet]} for facet in FACETS)):
        assert decided(rules, each) == decided(Rules(OF_ALL_KINDS), each)


def test_where_links_are_masked_with_the_rest_the_answer_is_everybodys() -> None:
    plan = linked(DocumentClass.PERSONAL, DEVICE, "fulfillmentOutbound_2020-07-01.getFulfillmentOrder")
    assert plan.is_masked


def test_an_operation_of_the_application_is_refused() -> None:
    with pytest.raises(OperationNotForSellers):
        planned("application_2023-11-30.rotateApplicationClientSecret", TRUSTED)


def test_a_device_without_any_scope_is_refused() -> None:
    with pytest.raises(ScopeMissing):
        planned("sellers.getMarketplaceParticipations", replace(DEVICE, scopes=frozenset()))
