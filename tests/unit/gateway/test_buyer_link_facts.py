"""Where answers link to what buyers handed in: told from the models, for every member that could."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.gateway.catalogue import pii, swagger
from services.gateway.catalogue.swagger import Leaf
from services.gateway.catalogue.table import Catalogue
from services.gateway.forward.journey import KEPT
from services.gateway.model.buyer_links import Holding
from services.gateway.model.kept_answers import may_be_kept

LINKED = [operation for operation in Catalogue.load() if operation.buyer_links]
MODELS = Path(__file__).parents[4] / "shared" / "spapi" / "models"
# How a model speaks of a link to a file.
_FILE = r"\b(?:attachment|document|file|label|photo|zip)s?\b"
_SPEAKS = re.compile(rf"pre-?signed|\bUR[IL]s?\b.*{_FILE}|{_FILE}.*\bUR[IL]s?\b", re.IGNORECASE | re.DOTALL)

ITEM = Leaf("$.Item.CustomizedURL", ("item", "customizedurl"), "string", "Where a ZIP file is.")
PAGE = Leaf("$.customerTrackingLink", ("customertrackinglink",), "string", "Link to a parcel's page.")
PICTURE = Leaf("$.ImageURL", ("imageurl",), "string", "A product's picture.")
ASKED_FOR = Leaf("$.LabelUrl", ("#documentv2", "url"), "string", "A presigned URL.")


def field(text: str) -> Leaf:
    return Leaf("$.FieldValue", ("#regulatedinformationfield", "fieldvalue"), "string", text)


def test_seven_operations_link_to_what_buyers_handed_in() -> None:
    found = {operation.name: set(operation.buyer_links) for operation in LINKED}
    assert found == {
        "ordersV0.getOrderItems": {Holding.LINK},
        "ordersV0.getOrderItemsBuyerInfo": {Holding.LINK},
        "ordersV0.getOrderRegulatedInfo": {Holding.MIXED},
        "orders_2026-01-01.getOrder": {Holding.LINK},
        "orders_2026-01-01.searchOrders": {Holding.LINK},
        "vendorDirectFulfillmentOrders_2021-12-28.getOrder": {Holding.LINK},
        "vendorDirectFulfillmentOrders_2021-12-28.getOrders": {Holding.LINK},
    }


def test_whoever_may_not_see_such_a_link_has_it_masked() -> None:
    for operation in LINKED:
        hidden = {path for paths in operation.pii.values() for path in paths}
        assert hidden.issuperset(path for paths in operation.buyer_links.values() for path in paths)


def test_no_answer_that_is_kept_links_to_a_document_because_links_end() -> None:
    named = {operation.name for operation in LINKED}
    named |= {operation.name for operation in Catalogue.load() if operation.document_links}
    assert not named & KEPT
    assert not any(may_be_kept(operation) for operation in Catalogue.load() if operation.name in named)


@pytest.mark.parametrize(
    ("leaf", "found"),
    [
        (ITEM, {"link": ["$.Item.CustomizedURL"]}),
        (field("A text, or a URL of an attachment."), {"mixed": ["$.FieldValue"]}),
        (field("What the buyer wrote."), {}),
        (PAGE, {}),
        (PICTURE, {}),
        (ASKED_FOR, {}),
    ],
)
def test_a_customers_member_is_a_link_by_its_name_or_its_models_words(
    leaf: Leaf, found: dict[str, list[str]]
) -> None:
    assert pii.buyer_links("ordersV0", [leaf]) == found


def told_links() -> Iterator[tuple[str, str]]:
    """Yield each member of the models' answers that is a link to a file by its model's words."""
    for operation in swagger.read(MODELS):
        for leaf in operation.answer_leaves():
            if leaf.form != swagger.CLOSED and _SPEAKS.search(leaf.text):
                yield f"{operation.method} {operation.path}", leaf.path


@pytest.mark.skipif(not MODELS.exists(), reason="the reference data is not here")
def test_every_link_to_a_file_of_which_a_model_speaks_is_known() -> None:
    known = {
        (operation.key, path)
        for operation in Catalogue.load()
        for paths in (operation.document_links, *operation.buyer_links.values())
        for path in paths
    }
    told = set(told_links())
    assert len(told) > len(LINKED)
    assert told <= known
