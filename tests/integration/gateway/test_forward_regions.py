"""A seller at home in two regions, through one address, against the simulated Amazon of both."""

import json
from typing import Any

import pytest

from services.gateway.model.calls import AmazonToken, Region, Restriction
from tests.integration.gateway.test_forward_simulator import LIST, Together
from tests.unit.gateway.forwarding import PII
from tests.unit.simulator.papers import PLAIN_ORDERS, REPORTS

NA, EU = Region.NA, Region.EU
QUERIES = "/dataKiosk/2023-11-15"
SINCE = "CreatedAfter=2026-10-01T00:00:00Z"


class Everywhere(Together):
    """The rig with an account in each of two regions; each is absent in the other's."""

    def __init__(self) -> None:
        super().__init__()
        self.amazon.core.storage.origin = "https://tortuga-prod-eu.s3-eu-west-1.amazonaws.com"
        self.amazon.documents.set({"queued_s": 0, "working_s": 0})
        self.accesses = {NA: self.access, EU: self.amazon.access(1)}
        self.abroad = self.amazon.sellers[1].marketplaces[0].marketplace_id
        self.desktop = self.auth.enrol(scopes=PII, regions=frozenset(self.accesses))

    async def _lend(
        self,
        device_id: str,
        region: Region,
        restriction: Restriction | None,
        *,
        refused_digest: bytes,
        timeout_s: float,
    ) -> AmazonToken:
        self.access = self.accesses[region]
        return await super()._lend(
            device_id, region, restriction, refused_digest=refused_digest, timeout_s=timeout_s
        )

    async def fetch(self, target: str, body: object = None) -> dict[str, Any]:
        """Return the answer to a call that succeeds; with a body it creates."""
        method = "GET" if body is None else "POST"
        written = b"" if body is None else json.dumps(body).encode()
        answer = await self.ask(self.desktop, target, method, written)
        assert answer.status in {200, 202}, answer.body
        document: dict[str, Any] = json.loads(answer.body)
        return document


@pytest.fixture
def everywhere() -> Everywhere:
    return Everywhere()


async def test_orders_that_were_listed_abroad_are_read_by_their_ids(everywhere: Everywhere) -> None:
    listed = await everywhere.fetch(f"{LIST}?MarketplaceIds={everywhere.abroad}&{SINCE}")
    for order in listed["payload"]["Orders"][:3]:
        for part in ("", "/orderItems", "/address"):
            read = await everywhere.fetch(f"{LIST}/{order['AmazonOrderId']}{part}")
            assert read["payload"]["AmazonOrderId"] == order["AmazonOrderId"]
    at_home = everywhere.an_order()
    assert (await everywhere.fetch(f"{LIST}/{at_home}"))["payload"]["AmazonOrderId"] == at_home


async def test_a_report_that_was_created_abroad_is_polled_listed_and_read(everywhere: Everywhere) -> None:
    asked = {"reportType": PLAIN_ORDERS, "marketplaceIds": [everywhere.abroad]}
    made = [(await everywhere.fetch(f"{REPORTS}/reports", asked))["reportId"] for _ in range(2)]
    reports = [await everywhere.fetch(f"{REPORTS}/reports/{report_id}") for report_id in made]
    assert [report["processingStatus"] for report in reports] == ["DONE", "DONE"]
    document = await everywhere.fetch(f"{REPORTS}/documents/{reports[0]['reportDocumentId']}")
    assert document["reportDocumentId"] == reports[0]["reportDocumentId"]
    query = f"reportTypes={PLAIN_ORDERS}&marketplaceIds={everywhere.abroad}&pageSize=1"
    first = await everywhere.fetch(f"{REPORTS}/reports?{query}")
    second = await everywhere.fetch(f"{REPORTS}/reports?nextToken={first['nextToken']}")
    assert [page["reports"][0]["reportId"] for page in (first, second)] == made[::-1]


async def test_a_query_that_was_created_abroad_is_polled_and_read(everywhere: Everywhere) -> None:
    text = f'query {{sales(startDate:"2026-03-01" marketplaceIds:["{everywhere.abroad}"]){{date}}}}'
    made = await everywhere.fetch(f"{QUERIES}/queries", {"query": text})
    query = await everywhere.fetch(f"{QUERIES}/queries/{made['queryId']}")
    assert query["processingStatus"] == "DONE"
    document = await everywhere.fetch(f"{QUERIES}/documents/{query['dataDocumentId']}")
    assert document["documentId"] == query["dataDocumentId"]
