"""A call that names nothing but an id goes to the region that told it, and never past what is connected."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.gateway_homes import FakeHomes
from fakes.gateway_ports import json_answer
from services.gateway.model.calls import Answer, Region, SafeKey
from services.gateway.model.documents import DOWNLOAD
from services.gateway.model.region_hosts import RegionHosts
from tests.unit.gateway.forwarding import ADDRESS_BYTES, ADDRESS_PATH, ORDER, ORIGIN, PII, Rig

NA, EU, FE = Region
BOTH = frozenset({NA, EU})
US, GERMANY = "ATVPDKIKX0DER", "A1PA6795UKMFR9"
S3 = "https://tortuga-prod-eu.s3-eu-west-1.amazonaws.com/doc?X-Amz-Expires=300&X-Amz-Signature=5e"
REPORTS, FEEDS, KIOSK = "/reports/2021-06-30", "/feeds/2021-06-30", "/dataKiosk/2023-11-15"
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def told(rig: Rig, **members: object) -> None:
    """Have Amazon answer the next call with some members."""
    rig.upstream.replies.append(json_answer(json.dumps(members).encode()))


async def create(rig: Rig, token: str, path: str, **members: object) -> Answer:
    """Create something for Germany, as libraries do."""
    body = json.dumps({"marketplaceIds": [GERMANY], **members}).encode()
    answer = await rig.call(token, path, "POST", body=body)
    assert answer.status == 200
    return answer


async def went(rig: Rig, token: str, target: str, method: str = "GET", **rest: Any) -> Region:
    """Return the region that a call went to."""
    asked = len(rig.upstream.requests)
    await rig.call(token, target, method, **rest)
    (request,) = rig.upstream.requests[asked:]
    return request.region


async def test_a_report_is_polled_and_its_document_fetched_where_it_was_created(rig: Rig) -> None:
    token = rig.auth.enrol(regions=BOTH)
    told(rig, reportId="7")
    await create(rig, token, f"{REPORTS}/reports", reportType="A")
    told(rig, reportId="7", reportType="GET_MERCHANT_LISTINGS_ALL_DATA", reportDocumentId="d.eu")
    assert await went(rig, token, f"{REPORTS}/reports/7") is EU
    told(rig, reportDocumentId="d.eu", url=S3)
    answer = await rig.call(token, f"{REPORTS}/documents/d.eu")
    assert rig.upstream.requests[-1].region is EU
    link = json.loads(answer.body)["url"]
    assert link.startswith(f"{ORIGIN}/_doc/")
    assert rig.capabilities.open(link.rsplit("/", 1)[1], DOWNLOAD).url.reveal() == S3
    assert await went(rig, token, f"{REPORTS}/reports/7", "DELETE") is EU
    assert await went(rig, token, f"{REPORTS}/reports/8") is NA


async def test_a_feed_is_polled_and_its_result_fetched_where_it_was_created(rig: Rig) -> None:
    token = rig.auth.enrol(regions=BOTH)
    told(rig, feedId="7")
    await create(rig, token, f"{FEEDS}/feeds", feedType="JSON_LISTINGS_FEED", inputFeedDocumentId="in")
    told(rig, feedId="7", feedType="JSON_LISTINGS_FEED", resultFeedDocumentId="out")
    assert await went(rig, token, f"{FEEDS}/feeds/7") is EU
    assert await went(rig, token, f"{FEEDS}/documents/out") is EU
    assert await went(rig, token, f"{FEEDS}/feeds/7", "DELETE") is EU


async def test_a_data_kiosk_query_is_polled_and_its_document_fetched_where_it_was_created(rig: Rig) -> None:
    token = rig.auth.enrol(regions=BOTH, scopes=PII)
    query = f'query {{sales(startDate:"2026-03-01" marketplaceIds:["{GERMANY}"]){{date}}}}'
    told(rig, queryId="7")
    body = json.dumps({"query": query}).encode()
    assert await went(rig, token, f"{KIOSK}/queries", "POST", body=body) is EU
    told(rig, queryId="7", dataDocumentId="data", pagination={"nextToken": "more"})
    assert await went(rig, token, f"{KIOSK}/queries/7") is EU
    assert await went(rig, token, f"{KIOSK}/documents/data") is EU
    assert await went(rig, token, f"{KIOSK}/queries/7", "DELETE") is EU


PLANS = "/inbound/fba/2024-03-20"
PLAN = {"inboundPlanId": "7", "operationId": "8"}


@pytest.mark.parametrize(
    ("creating", "answer", "method", "naming"),
    [
        (f"{REPORTS}/schedules", {"reportScheduleId": "7"}, "GET", f"{REPORTS}/schedules/7"),
        (f"{PLANS}/inboundPlans", PLAN, "GET", f"{PLANS}/inboundPlans/7/shipments/9/boxes"),
        (f"{PLANS}/inboundPlans", PLAN, "GET", f"{PLANS}/operations/8"),
        (
            "/vendor/shipping/v1/shipmentConfirmations",
            {"payload": {"transactionId": "7"}},
            "GET",
            "/vendor/transactions/v1/transactions/7",
        ),
        (
            "/shipping/v2/shipments",
            {"payload": {"shipmentId": "7"}},
            "PUT",
            "/shipping/v2/shipments/7/cancel",
        ),
    ],
)
async def test_what_amazon_made_in_one_region_is_found_there(
    rig: Rig, creating: str, answer: dict[str, object], method: str, naming: str
) -> None:
    token = rig.auth.enrol(regions=BOTH)
    told(rig, **answer)
    await create(rig, token, creating)
    assert await went(rig, token, naming, method) is EU


async def test_an_id_of_the_sellers_own_is_told_by_the_call_that_creates(rig: Rig) -> None:
    token, path = rig.auth.enrol(regions=BOTH), "/fba/outbound/2020-07-01/fulfillmentOrders"
    body = {"marketplaceId": GERMANY, "sellerFulfillmentOrderId": "mine"}
    await rig.call(token, path, "POST", body=json.dumps(body).encode())
    assert await went(rig, token, f"{path}/mine") is EU


async def test_an_order_of_a_list_is_read_where_the_list_was(rig: Rig) -> None:
    token = rig.auth.enrol(regions=BOTH)
    told(rig, payload={"Orders": [{"AmazonOrderId": ORDER}], "NextToken": "a/b=="})
    assert await went(rig, token, f"/orders/v0/orders?MarketplaceIds={GERMANY}") is EU
    assert await went(rig, token, f"/orders/v0/orders/{ORDER}/orderItems") is EU
    assert await went(rig, token, "/orders/v0/orders?NextToken=a%2Fb%3D%3D") is EU
    assert await went(rig, token, "/orders/v0/orders?NextToken=other") is NA


async def test_the_next_page_of_a_list_is_where_its_first_one_was(rig: Rig) -> None:
    token = rig.auth.enrol(regions=BOTH)
    told(rig, reports=[{"reportId": "7"}], nextToken="more")
    await rig.call(token, f"{REPORTS}/reports?reportTypes=A&marketplaceIds={GERMANY}")
    assert await went(rig, token, f"{REPORTS}/reports?nextToken=more") is EU
    assert await went(rig, token, f"{REPORTS}/reports/7") is EU


async def test_a_marketplace_that_an_operation_does_not_know_chooses_the_region_and_stays_here(
    rig: Rig,
) -> None:
    token = rig.auth.enrol(regions=BOTH)
    told(rig, feedDocumentId="in", url=S3)
    target = f"{FEEDS}/documents?marketplaceIds={GERMANY}"
    await rig.call(token, target, "POST", body=b'{"contentType": "text/xml"}')
    assert (rig.upstream.requests[-1].region, rig.upstream.requests[-1].query) == (EU, "")


async def test_what_a_call_states_itself_is_stronger_than_what_is_remembered(rig: Rig) -> None:
    token, report = rig.auth.enrol(regions=BOTH), f"{REPORTS}/reports/7"
    told(rig, reportId="7")
    await create(rig, token, f"{REPORTS}/reports")
    looks = rig.homes.looks
    assert await went(rig, token, report, host="sellingpartnerapi-na.amazon.com") is NA
    assert await went(rig, token, f"{report}?marketplaceIds={US}") is NA
    assert rig.homes.looks == looks


async def test_a_region_with_a_name_of_its_own_is_called_by_it_whatever_the_call_names() -> None:
    rig = Rig(RegionHosts(base_urls={}, own={"eu.gateway.example": EU}))
    token, documents = rig.auth.enrol(regions=BOTH), f"{FEEDS}/documents"
    assert await went(rig, token, documents, "POST", body=b"{}", host="eu.gateway.example:8443") is EU
    assert await went(rig, token, f"{FEEDS}/feeds?marketplaceIds={US}", host="eu.gateway.example") is EU
    assert await went(rig, token, documents, "POST", body=b"{}", host="gateway.example") is NA


async def test_another_replica_knows_what_one_was_told(rig: Rig) -> None:
    other = Rig()
    other.homes.told = rig.homes.told
    told(rig, reportId="7")
    await create(rig, rig.auth.enrol(regions=BOTH), f"{REPORTS}/reports")
    token = other.auth.enrol(regions=BOTH)
    for _ in range(3):
        assert await went(other, token, f"{REPORTS}/reports/7") is EU
    assert (rig.homes.looks, rig.homes.writes, other.homes.looks) == (0, 1, 1)


async def test_storage_hears_once_of_what_is_told_again_and_again(rig: Rig) -> None:
    token = rig.auth.enrol(regions=BOTH)
    for _ in range(3):
        told(rig, reportId="7", reportDocumentId="d")
        await create(rig, token, f"{REPORTS}/reports")
    assert rig.homes.writes == 1


async def test_a_seller_with_one_region_is_not_looked_up_and_nothing_is_kept(rig: Rig) -> None:
    token = rig.auth.enrol()
    told(rig, reportId="7")
    await rig.call(token, f"{REPORTS}/reports", "POST", body=b'{"reportType":"A"}')
    assert await went(rig, token, f"{REPORTS}/reports/7") is NA
    assert (rig.homes.looks, rig.homes.writes) == (0, 0)


async def test_calls_that_name_no_id_are_not_looked_up(rig: Rig) -> None:
    token = rig.auth.enrol(regions=BOTH)
    for target in (PARTICIPATIONS, f"{REPORTS}/reports", "/catalog/2022-04-01/items/B000"):
        assert await went(rig, token, target) is NA
    assert rig.homes.looks == 0


async def test_what_one_seller_was_told_says_nothing_about_anothers_T07(rig: Rig) -> None:
    told(rig, reportId="7")
    await create(rig, rig.auth.enrol(regions=BOTH), f"{REPORTS}/reports")
    other = rig.auth.enrol(seller_id="seller-2", regions=BOTH)
    assert await went(rig, other, f"{REPORTS}/reports/7") is NA


async def test_a_region_that_is_not_connected_any_more_is_not_gone_to(rig: Rig) -> None:
    told(rig, reportId="7")
    await create(rig, rig.auth.enrol(regions=BOTH), f"{REPORTS}/reports")
    later = rig.auth.enrol(regions=frozenset({NA, FE}))
    assert await went(rig, later, f"{REPORTS}/reports/7") is NA


async def test_an_id_that_two_regions_told_decides_nothing(rig: Rig) -> None:
    token, path = rig.auth.enrol(regions=BOTH), "/fba/outbound/2020-07-01/fulfillmentOrders"
    for marketplace_id in (US, GERMANY):
        body = {"marketplaceId": marketplace_id, "sellerFulfillmentOrderId": "mine"}
        await rig.call(token, path, "POST", body=json.dumps(body).encode())
    assert await went(rig, token, f"{path}/mine") is NA


async def test_a_refusal_tells_nothing_and_one_of_a_moment_ago_takes_nothing_back(rig: Rig) -> None:
    token, report = rig.auth.enrol(regions=BOTH), f"{REPORTS}/reports/7"
    rig.upstream.replies.append(json_answer(b'{"errors":[{"code":"NotFound"}],"reportId":"7"}', 404))
    await rig.call(token, f"{report}?marketplaceIds={GERMANY}")
    assert await went(rig, token, report) is NA
    told(rig, reportId="7")
    await create(rig, token, f"{REPORTS}/reports")
    rig.upstream.replies.append(json_answer(b'{"errors":[{"code":"NotFound"}]}', 404))
    assert await went(rig, token, report) is EU
    assert await went(rig, token, report) is EU


async def test_what_the_safe_answers_tells_nothing_of_a_region(rig: Rig) -> None:
    key = SafeKey("seller-1", ORDER, "ordersV0.getOrderAddress")
    rig.safe.kept[key] = ADDRESS_BYTES
    await rig.call(rig.auth.enrol(regions=BOTH, scopes=PII), ADDRESS_PATH)
    assert not rig.upstream.requests
    assert not rig.homes.told


async def test_without_storage_calls_go_where_their_devices_say_and_no_answer_changes_R05(rig: Rig) -> None:
    token, rig.homes.is_down = rig.auth.enrol(regions=BOTH), True
    assert await went(rig, token, f"{REPORTS}/reports/8") is NA
    told(rig, reportId="7")
    await create(rig, token, f"{REPORTS}/reports")
    assert await went(rig, token, f"{REPORTS}/reports/7") is EU
    assert rig.signals.side_failures == [("homes", "store_unavailable")] * 2


MARKETPLACES = {NA: US, EU: GERMANY, FE: "A1VC38T7YXB528"}
# What happens: a region tells one of a few ids through one of two replicas, somebody asks a replica by it, a
# replica begins anew, storage goes or comes back.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["tell", "tell", "ask", "ask", "restart", "lose", "regain"]),
        st.integers(0, 1),
        st.sampled_from(["seller-1", "seller-2"]),
        st.sampled_from("ab"),
        st.sampled_from(list(Region)),
    ),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, connected=st.sets(st.sampled_from(list(Region)), min_size=1), data=st.data())
async def test_an_id_leads_nowhere_but_to_a_connected_region_that_told_its_seller_T07(
    steps: list[tuple[str, int, str, str, Region]], connected: set[Region], data: st.DataObject
) -> None:
    default = data.draw(st.sampled_from(sorted(connected)))
    shared, replicas = FakeHomes(), [Rig(), Rig()]
    for rig in replicas:
        rig.homes.told = shared.told
    told_by: dict[tuple[str, str], set[Region]] = {}
    was_lost = False
    for what, at, seller_id, id_, region in steps:
        rig = replicas[at]
        token = rig.auth.enrol(
            seller_id=seller_id, regions=frozenset(connected), marketplace_id=MARKETPLACES[default]
        )
        if what == "tell" and region in connected:
            told(rig, reportId=id_)
            target = f"{REPORTS}/reports?marketplaceIds={MARKETPLACES[region]}"
            assert await went(rig, token, target) is region
            told_by.setdefault((seller_id, id_), set()).add(region)
        elif what == "ask":
            by = told_by.get((seller_id, id_), set())
            gone_to = await went(rig, token, f"{REPORTS}/reports/{id_}")
            assert gone_to in by | {default}
            if len(by) == 1 and not was_lost:
                assert gone_to in by
        elif what == "restart":
            replicas[at] = Rig()
            replicas[at].homes.told, replicas[at].homes.is_down = shared.told, rig.homes.is_down
        elif what in {"lose", "regain"}:
            was_lost = was_lost or what == "lose"
            for each in replicas:
                each.homes.is_down = what == "lose"
    if len(connected) == 1:
        assert not shared.told
