"""Whatever is sent, the simulator answers it, and never with a fault of its own."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.operations import OPERATIONS
from tests.unit.simulator.rig import APPLICATION, Rig

RIG = Rig()
ACCESS = RIG.access()
TOKENS = ["", "Atza|x", ACCESS, RIG.restricted(ACCESS)]
ORDER = RIG.orders()[23]
NAMES = [
    *(
        "CreatedAfter",
        "LastUpdatedBefore",
        "MarketplaceIds",
        "NextToken",
        "MaxResultsPerPage",
        "AmazonOrderIds",
    ),
    *("createdAfter", "lastUpdatedAfter", "includedData", "paginationToken", "maxResultsPerPage"),
    *("application_id", "state", "redirect_uri", "amazon_state", "version"),
]
FIELDS = [
    *("restrictedResources", "targetApplication", "method", "path", "dataElements"),
    *("marketplaceId", "packageDetail", "packageReferenceId", "carrierCode", "trackingNumber", "shipDate"),
    *("orderItems", "orderItemId", "quantity", "shipmentStatus", "grant_type", "client_id", "scope", "code"),
]
texts = st.text(max_size=20) | st.sampled_from(
    [
        *("2025-12-01", "GET", "/orders/v0/orders", "buyerInfo", "refresh_token", "authorization_code"),
        *(ORDER.order_id, ORDER.marketplace.marketplace_id, ORDER.items[0].item_id),
        *(APPLICATION.application_id, APPLICATION.client_id, APPLICATION.client_secret),
    ]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | texts, inner, max_size=6)
    ),
    max_leaves=12,
)
paths = st.sampled_from(
    [
        *(operation.path.replace("{orderId}", ORDER.order_id) for operation in OPERATIONS),
        *(
            "/auth/o2/token",
            "/apps/authorize/consent",
            f"/apps/authorize/confirm/{APPLICATION.application_id}",
        ),
    ]
) | st.text(max_size=30).map(lambda text: f"/{text}")


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "HEAD"]),
    path=paths,
    query=st.lists(st.tuples(st.sampled_from(NAMES) | texts, texts), max_size=4),
    token=st.sampled_from(TOKENS),
    body=st.binary(max_size=40) | values.map(lambda value: json.dumps(value).encode()),
    content_type=st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""]),
)
def test_every_request_is_answered_without_a_fault(
    method: str, path: str, query: list[tuple[str, str]], token: str, body: bytes, content_type: str
) -> None:
    headers = {"x-amz-access-token": token, "content-type": content_type, "host": "localhost"}
    sent = b"" if method in {"GET", "HEAD"} else body
    answer = RIG.send(method, path, query, headers=headers, body=sent)
    assert answer.status < 500
    assert answer.header("x-amzn-RequestId")
