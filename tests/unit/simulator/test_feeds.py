import json
from typing import Any

import pytest

from tests.unit.simulator.papers import FEEDS, fetch, shops, upload
from tests.unit.simulator.rig import Rig, error

TYPE = "application/json; charset=UTF-8"
MESSAGES = {"header": {}, "messages": [{"messageId": number} for number in (1, 2, 3)]}


def handed_in(rig: Rig, token: str, feed_type: str, body: bytes, content_type: str = TYPE) -> dict[str, Any]:
    """Return a feed whose time is over."""
    place = rig.post(f"{FEEDS}/documents", token, {"contentType": content_type})
    assert place.status == 201
    if body:
        assert upload(rig, place.document()["url"], body, content_type=content_type).status == 200
    asked = {
        "feedType": feed_type,
        "marketplaceIds": shops(rig),
        "inputFeedDocumentId": place.document()["feedDocumentId"],
    }
    created = rig.post(f"{FEEDS}/feeds", token, asked)
    assert created.status == 202
    rig.clock.advance(seconds=10)
    feed: dict[str, Any] = rig.get(f"{FEEDS}/feeds/{created.document()['feedId']}", token).document()
    return feed


def result_of(rig: Rig, token: str, feed: dict[str, Any]) -> bytes:
    answer = rig.get(f"{FEEDS}/documents/{feed['resultFeedDocumentId']}", token)
    return fetch(rig, answer.document()["url"]).body


def test_a_feed_is_processed_and_its_report_counts_its_messages() -> None:
    rig = Rig()
    token = rig.access()
    feed = handed_in(rig, token, "JSON_LISTINGS_FEED", json.dumps(MESSAGES).encode())
    assert feed["processingStatus"] == "DONE"
    summary = json.loads(result_of(rig, token, feed))["summary"]
    assert (summary["messagesProcessed"], summary["errors"]) == (3, 0)


@pytest.mark.parametrize(
    ("feed_type", "body"),
    [
        ("POST_INVENTORY_AVAILABILITY_DATA", b"<AmazonEnvelope><Message></Message></AmazonEnvelope>"),
        ("POST_FLAT_FILE_INVLOADER_DATA", b"sku\tquantity\r\nMUG-BL\t4\r\n"),
    ],
)
def test_other_feeds_are_reported_on_in_xml(feed_type: str, body: bytes) -> None:
    rig = Rig()
    token = rig.access()
    feed = handed_in(rig, token, feed_type, body, "text/xml; charset=UTF-8")
    assert b"<MessagesProcessed>1</MessagesProcessed>" in result_of(rig, token, feed)


def test_a_feed_whose_document_was_never_uploaded_is_fatal_and_says_so() -> None:
    rig = Rig()
    token = rig.access()
    feed = handed_in(rig, token, "JSON_LISTINGS_FEED", b"")
    assert feed["processingStatus"] == "FATAL"
    assert json.loads(result_of(rig, token, feed))["summary"]["errors"] == 1


def test_a_document_of_another_seller_cannot_be_handed_in() -> None:
    rig = Rig()
    place = rig.post(f"{FEEDS}/documents", rig.access(1), {"contentType": TYPE}).document()
    asked = {
        "feedType": "X_FEED",
        "marketplaceIds": shops(rig),
        "inputFeedDocumentId": place["feedDocumentId"],
    }
    refused = rig.post(f"{FEEDS}/feeds", rig.access(), asked)
    assert (refused.status, error(refused)["code"]) == (400, "InvalidInput")


def test_uploads_are_shown_by_size_and_digest() -> None:
    rig = Rig()
    handed_in(rig, rig.access(), "JSON_LISTINGS_FEED", b"{}")
    (shown,) = rig.documents.uploads()["uploads"]
    assert (shown["bytes"], shown["seller_id"]) == (2, rig.sellers[0].seller_id)


def test_feeds_are_listed_and_cancelled_like_reports() -> None:
    rig = Rig()
    token = rig.access()
    feed = handed_in(rig, token, "JSON_LISTINGS_FEED", b"{}")
    listed = rig.get(f"{FEEDS}/feeds", token, feedTypes="JSON_LISTINGS_FEED").document()["feeds"]
    assert listed == [feed]
    path = f"{FEEDS}/feeds/{feed['feedId']}"
    assert rig.send("DELETE", path, headers={"x-amz-access-token": token}).status == 400
