"""Decides which members of a body describe a buyer or a recipient, and which are links to documents.

Build-time only; what looks personal and is not told here must be in the reviews (`candidates`). Amazon's
models do not mark personal data, so it is told from names and positions: a field of PLACED counts when it
stands somewhere beneath a place of PLACES, a field of ALWAYS wherever it stands. Names are compared in lower
case; `#name` is a definition's name. Partners' data (sellers, vendors, warehouses, technicians) is not the
buyers' and is not masked.

A customer's member that is a link by its name or by what its model says, and that nobody calls an operation
for (LINKS), leads to what a buyer handed in: words and pictures for a customized product, a prescription.

Source: Amazon's Data Protection Policy, definition of PII (name, address, e-mail, phone, gift
message, tax details, survey answers, purchases); checked against the list of restricted operations.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from services.gateway.catalogue.swagger import ANY_MEMBER, Leaf
from services.gateway.model.buyer_links import Holding
from services.gateway.model.masking import HIDDEN_TEXT

# A place, and the beginnings of the APIs' names in which it is the customer's ("" = everywhere).
PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shippingaddress": ("",),
        "buyerinfo": ("",),
        "#orderbuyerinfo": ("",),
        "buyertaxinformation": ("",),
        "buyertaxinfo": ("",),
        "buyer": ("",),
        "recipient": ("",),
        "shipto": ("",),
        "shiptoaddress": ("",),
        "valueasaddress": ("",),
        "partyinfolist": ("",),
        "taxregistrations": ("orders_",),
        "taxdetails": ("shippingV2",),
        "servicelocation": ("services",),
        "statuslocationaddress": ("vendorDirectFulfillment",),
        "shiptoparty": ("vendorDirectFulfillmentOrders",),
        "destination": ("fulfillmentOutbound",),
        "destinationaddress": ("fulfillmentOutbound",),
        "#getfulfillmentpreviewrequest": ("fulfillmentOutbound",),
    },
)

_CLASSES_PLACED: Mapping[str, str] = MappingProxyType(
    {
        "address_line": "addressline1 addressline2 addressline3 streetname streetnumber complement "
        "neighborhood",
        "locality": "city county district districtorcounty municipality postalcode state stateorregion "
        "stateorprovincecode buyercounty",
        "name": "name attention buyername",
        "phone": "phone phonenumber",
        "email": "email copyemails",
        "company": "companyname legalname companylegalname",
        "geo": "latitude longitude",
        "tax_id": "taxregistrationnumber",
        "buyer_reference": "buyerid purchaseordernumber",
    },
)
_CLASSES_ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "name": "buyername receivedby signedforby",
        "email": "buyeremail notificationemails",
        "address_line": "buyerbusinessaddress",
        "locality": "buyercounty",
        "company": "buyercompanyname buyerlegalcompanyname",
        "tax_id": "buyertaxregistrationid buyertaxoffice",
        "buyer_reference": "buyerpurchaseordernumber",
        "gift_message": "giftmessage giftmessagetext giftwraplabel",
        "ip_address": "ipaddress",
        "customization": "customizedurl",
        "free_text": "additionaladdressnotes addressinstruction addressinstructions deliveryinstructions "
        "deliverynotes displayablecomment displayableordercomment messagetocustomer returncomment",
        "document": "labelstream",
        "document_url": "customertrackinglink deliveryphotourl printabledocumentsurl rmapageurl",
    },
)


def _by_field(classes: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for kind, names in classes.items() for name in names.split()}


PLACED = MappingProxyType(_by_field(_CLASSES_PLACED))
ALWAYS = MappingProxyType(_by_field(_CLASSES_ALWAYS))

# Names that mean something only in what holds them: (member, definition or API, field).
PAIRS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("giftmessage", "content"): "gift_message",
        ("#regulatedinformationfield", "fieldvalue"): "regulated",
        ("prescriptiondetail", "usageinstructions"): "regulated",
        ("dropofflocation", "attributes"): "free_text",
        ("messaging", "text"): "free_text",
        ("#filecontents", "contents"): "document",
        ("#packagedocument", "contents"): "document",
        ("#labeldata", "content"): "document",
        ("#packingslip", "content"): "document",
        ("#customerinvoice", "content"): "document",
        ("document", "content"): "document",
        ("#deliverydocument", "url"): "document_url",
        ("#documentv2", "url"): "document_url",
    },
)
# The same, but only beneath a place of PLACES.
PAIRS_PLACED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("#taxclassification", "value"): "tax_id",
        ("#taxregistrationattribute", "value"): "tax_id",
        ("taxinfo", "number"): "tax_id",
    },
)
# The name of a tax, not of a person.
NOT_PERSONAL = frozenset({("#taxclassification", "name")})

# Members that hold a link which Amazon presigns, to or from Amazon's storage.
# Source: the models' descriptions of these members.
LINKS = frozenset(
    {
        "deliveryphotourl",
        "documenturl",
        "downloadurl",
        "invoicedocumenturl",
        "invoicesdocumenturl",
        "labeldownloadurl",
        "printabledocumentsurl",
        "rmapageurl",
    },
)
LINK_PAIRS = frozenset(
    {
        ("#createfeeddocumentresponse", "url"),
        ("#deliverydocument", "url"),
        ("#documentdownload", "uri"),
        ("#documentv2", "url"),
        ("#feeddocument", "url"),
        ("#reportdocument", "url"),
        ("#servicedocumentuploaddestination", "url"),
        ("#uploaddestination", "url"),
    },
)

# How a member's name tells that it is a link, and how a model says that a text may be one.
_LINK_WORDS = frozenset({"link", "uri", "url"})
_LINK_TEXT = re.compile(r"\b(?:link|URI|URL)s?\b", re.IGNORECASE)
# Links that a customer may open, and that lead to no document: a parcel's page on swiship.com.
PAGES = frozenset({"customertrackinglink"})


def customer_paths(api: str, leaves: Iterable[Leaf]) -> dict[str, list[str]]:
    """Return the paths of customers' members by class: classes sorted, paths in the model's order.

    An object whose members the model does not name is told as a whole.
    """
    found: dict[str, list[str]] = {}
    for leaf in leaves:
        kind = classify(api, leaf)
        if kind is not None and ANY_MEMBER not in leaf.path:
            found.setdefault(kind, []).append(leaf.path)
    return dict(sorted(found.items()))


def unmaskable(api: str, leaves: Iterable[Leaf]) -> list[str]:
    """Return the paths of customers' members whose models do not allow the text that hides others."""
    told = list(leaves)
    customers = {path for paths in customer_paths(api, told).values() for path in paths}
    refusing = (leaf for leaf in told if leaf.pattern and not re.search(leaf.pattern, HIDDEN_TEXT))
    return [leaf.path for leaf in refusing if leaf.path in customers]


def document_links(leaves: Iterable[Leaf]) -> list[str]:
    """Return the paths of the members that hold links to documents, in the model's order."""
    return [
        leaf.path
        for leaf in leaves
        if leaf.field in LINKS or any((holder, leaf.field) in LINK_PAIRS for holder in leaf.holders)
    ]


def buyer_links(api: str, leaves: Iterable[Leaf]) -> dict[str, list[str]]:
    """Return the paths of customers' members that hold links to what buyers handed in, by `Holding`."""
    told = list(leaves)
    settled = set(document_links(told))
    found: dict[str, list[str]] = {}
    for leaf in told:
        is_customers = classify(api, leaf) is not None and ANY_MEMBER not in leaf.path
        holding = _holding(leaf)
        if is_customers and holding and leaf.path not in settled and leaf.field not in PAGES:
            found.setdefault(holding.value, []).append(leaf.path)
    return dict(sorted(found.items()))


def classify(api: str, leaf: Leaf) -> str | None:
    """Return the class of a leaf, or None when it is not told to be a customer's."""
    pairs = {(holder, leaf.field) for holder in (*leaf.holders, api)}
    if kind := _paired(pairs, PAIRS) or ALWAYS.get(leaf.field):
        return kind
    is_placed = any(api.startswith(PLACES[place]) for place in leaf.places if place in PLACES)
    if not is_placed or pairs & NOT_PERSONAL:
        return None
    return _paired(pairs, PAIRS_PLACED) or PLACED.get(leaf.field)


def _holding(leaf: Leaf) -> Holding | None:
    """Return whether a leaf holds links, or links and texts; None when nothing says so."""
    if not _LINK_WORDS.isdisjoint(leaf.words):
        return Holding.LINK
    return Holding.MIXED if _LINK_TEXT.search(leaf.text) else None


def _paired(pairs: set[tuple[str, str]], classes: Mapping[tuple[str, str], str]) -> str | None:
    return next((classes[pair] for pair in sorted(pairs) if pair in classes), None)
