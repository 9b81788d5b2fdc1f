import json

import pytest

from simulator.exchange import Answer
from tests.unit.simulator.papers import fetch, upload
from tests.unit.simulator.rig import Rig

KIOSK = "/dataKiosk/2023-11-15"
QUERY = "{ analytics_salesAndTraffic_2024_04_24 { salesAndTrafficByDate { startDate } } }"
UPLOADS = "/uploads/2020-11-01/uploadDestinations/messaging"
DIGEST = "XrY7u+Ae7tCTyyK7j1rNww=="


def finished_query(rig: Rig, token: str, query: str = QUERY) -> Answer:
    created = rig.post(f"{KIOSK}/queries", token, {"query": query})
    assert created.status == 202
    rig.clock.advance(seconds=10)
    return rig.get(f"{KIOSK}/queries/{created.document()['queryId']}", token)


def test_a_query_leaves_lines_of_json() -> None:
    rig = Rig()
    token = rig.access()
    query = finished_query(rig, token).document()
    assert (query["processingStatus"], query["query"]) == ("DONE", QUERY)
    document = rig.get(f"{KIOSK}/documents/{query['dataDocumentId']}", token).document()
    lines = fetch(rig, document["documentUrl"]).body.splitlines()
    assert len(lines) == 30
    assert {"startDate", "childAsin", "orderedUnits"} == json.loads(lines[0]).keys()


def test_a_query_that_is_none_is_fatal_and_says_why() -> None:
    rig = Rig()
    token = rig.access()
    query = finished_query(rig, token, "{ open").document()
    assert query["processingStatus"] == "FATAL"
    document = rig.get(f"{KIOSK}/documents/{query['errorDocumentId']}", token).document()
    assert b"not valid" in fetch(rig, document["documentUrl"]).body


def test_queries_are_listed_and_cancelled_while_they_wait() -> None:
    rig = Rig()
    token = rig.access()
    query_id = rig.post(f"{KIOSK}/queries", token, {"query": QUERY}).document()["queryId"]
    path = f"{KIOSK}/queries/{query_id}"
    assert rig.send("DELETE", path, headers={"x-amz-access-token": token}).status == 204
    (listed,) = rig.get(f"{KIOSK}/queries", token).document()["queries"]
    assert (listed["queryId"], listed["processingStatus"]) == (query_id, "CANCELLED")
    assert rig.get(path, rig.access(1)).status == 404


@pytest.mark.parametrize("query", [None, "", "x" * 8_001])
def test_a_query_of_no_size_or_too_much_is_refused(query: str | None) -> None:
    rig = Rig()
    assert rig.post(f"{KIOSK}/queries", rig.access(), {"query": query}).status == 400


def test_an_upload_destination_wants_the_headers_that_it_names() -> None:
    rig = Rig()
    asked = [("marketplaceIds", "ATVPDKIKX0DER"), ("contentMD5", DIGEST), ("contentType", "text/html")]
    made = rig.send("POST", UPLOADS, asked, headers={"x-amz-access-token": rig.access()})
    place = made.document()["payload"]
    assert (made.status, place["headers"]) == (201, {"Content-MD5": DIGEST, "Content-Type": "text/html"})
    assert upload(rig, place["url"], b"x", content_type="text/html").status == 403
    assert upload(rig, place["url"], b"x", content_type="text/html", content_md5=DIGEST).status == 200
    assert rig.send("POST", UPLOADS, asked[:1], headers={"x-amz-access-token": rig.access()}).status == 400


def test_a_service_document_has_a_destination_of_its_own() -> None:
    rig = Rig()
    asked = {"contentType": "PNG", "contentLength": 3, "contentMD5": DIGEST}
    made = rig.post("/service/v1/documents", rig.access(), asked).document()["payload"]
    assert made["encryptionDetails"]["standard"] == "AES"
    assert upload(rig, made["url"], b"abc", content_type="PNG").status == 200
    assert rig.post("/service/v1/documents", rig.access(), {}).status == 400
