import gzip
from typing import Any

import pytest

from simulator.exchange import Answer
from tests.unit.simulator.papers import (
    PLAIN_ORDERS,
    REPORTS,
    SHIPPING,
    create_report,
    fetch,
    finished_report,
    restricted_to,
)
from tests.unit.simulator.rig import PLAIN, MemoryJournal, Rig, error


def text_of(rig: Rig, document: dict[str, Any]) -> str:
    """Return a report's text, unpacked as its document says."""
    body = fetch(rig, document["url"]).body
    is_gzip = document.get("compressionAlgorithm") == "GZIP"
    return (gzip.decompress(body) if is_gzip else body).decode()


def read(rig: Rig, token: str, report: dict[str, Any], **query: str) -> Answer:
    return rig.get(f"{REPORTS}/documents/{report['reportDocumentId']}", token, **query)


def test_a_report_waits_is_worked_on_and_is_done() -> None:
    rig = Rig()
    token = rig.access()
    path = f"{REPORTS}/reports/{create_report(rig, token).document()['reportId']}"
    seen = []
    for _ in range(5):
        seen.append(rig.get(path, token).document()["processingStatus"])
        rig.clock.advance(seconds=1)
    assert seen == ["IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS", "DONE", "DONE"]


def test_the_controls_shorten_the_wait_and_decide_the_end() -> None:
    rig = Rig()
    token = rig.access()
    rig.documents.set({"queued_s": 0, "working_s": 0})
    rig.documents.order_outcome({"type": PLAIN_ORDERS, "outcome": "FATAL"})
    rig.documents.order_outcome({"outcome": "CANCELLED"})
    ends = [finished_report(rig, token)["processingStatus"] for _ in range(3)]
    assert ends == ["FATAL", "CANCELLED", "DONE"]


def test_a_report_of_orders_that_finds_none_is_cancelled() -> None:
    rig = Rig()
    report = finished_report(
        rig, rig.access(), dataStartTime="2020-01-01T00:00:00Z", dataEndTime="2020-01-02"
    )
    assert report["processingStatus"] == "CANCELLED"
    assert "reportDocumentId" not in report


def test_a_restricted_report_needs_a_token_that_names_its_document() -> None:
    rig = Rig()
    access = rig.access()
    first, second = (finished_report(rig, access, SHIPPING) for _ in range(2))
    other = restricted_to(rig, access, second["reportDocumentId"])
    assert read(rig, access, first).status == 403
    assert read(rig, other, first).status == 403
    assert read(rig, restricted_to(rig, access, first["reportDocumentId"]), first).status == 200


def test_restricted_reports_hold_every_buyer_and_others_none() -> None:
    rig = Rig()
    access = rig.access()
    personal, plain = finished_report(rig, access, SHIPPING), finished_report(rig, access)
    full = text_of(
        rig, read(rig, restricted_to(rig, access, personal["reportDocumentId"]), personal).document()
    )
    bare = text_of(rig, read(rig, access, plain).document())
    for order in rig.orders():
        assert order.order_id in full
        assert order.order_id in bare
        assert order.buyer.marker in full
        assert not any(needle in bare for needle in order.buyer.needles())


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_files_compression_is_told_and_its_bytes_are_the_same_each_time(compression: str) -> None:
    rig = Rig()
    access = rig.access()
    rig.documents.set({"compression": compression})
    report = finished_report(rig, access)
    documents = [read(rig, access, report).document() for _ in range(2)]
    assert documents[0].get("compressionAlgorithm") == ("GZIP" if compression == "gzip" else None)
    assert fetch(rig, documents[0]["url"]).body == fetch(rig, documents[1]["url"]).body
    assert text_of(rig, documents[0]).startswith("order-id\t")


def test_a_report_stays_as_it_was_when_its_orders_move_on() -> None:
    rig = Rig()
    access = rig.access()
    report = finished_report(rig, access)
    before = text_of(rig, read(rig, access, report).document())
    rig.controls.ship(rig.orders()[23].order_id)
    rig.clock.advance(days=20)
    again = rig.access()
    assert text_of(rig, read(rig, again, report).document()) == before


def test_a_link_can_be_asked_for_that_tells_its_encoding() -> None:
    rig = Rig()
    access = rig.access()
    rig.documents.set({"compression": "gzip"})
    report = finished_report(rig, access)
    told = read(rig, access, report, enableContentEncodingUrlHeader="true").document()
    assert fetch(rig, told["url"]).header("Content-Encoding") == "gzip"
    assert fetch(rig, read(rig, access, report).document()["url"]).header("Content-Encoding") is None


def test_files_can_be_made_large() -> None:
    rig = Rig()
    access = rig.access()
    rig.documents.set({"compression": "none", "bytes_min": 2_000_000})
    body = fetch(rig, read(rig, access, finished_report(rig, access)).document()["url"]).body
    assert 2_000_000 <= len(body) < 3_000_000


def test_reports_are_listed_newest_first_page_by_page_by_type_and_status() -> None:
    rig = Rig()
    token = rig.access()
    made = [create_report(rig, token).document()["reportId"] for _ in range(3)]
    create_report(rig, token, "GET_MERCHANT_LISTINGS_ALL_DATA")
    first = rig.get(f"{REPORTS}/reports", token, reportTypes=PLAIN_ORDERS, pageSize="2").document()
    second = rig.get(f"{REPORTS}/reports", token, nextToken=first["nextToken"]).document()
    listed = [each["reportId"] for page in (first, second) for each in page["reports"]]
    assert listed == made[::-1]
    assert "nextToken" not in second
    asked = {"reportTypes": PLAIN_ORDERS, "processingStatuses": "DONE"}
    assert rig.get(f"{REPORTS}/reports", token, **asked).document()["reports"] == []
    assert rig.get(f"{REPORTS}/reports", token).status == 400


def test_only_a_report_in_the_queue_can_be_cancelled() -> None:
    rig = Rig()
    token = rig.access()
    path = f"{REPORTS}/reports/{create_report(rig, token).document()['reportId']}"
    cancelled = rig.send("DELETE", path, headers={"x-amz-access-token": token})
    assert (cancelled.status, cancelled.body) == (200, b"")
    rig.clock.advance(seconds=10)
    assert rig.get(path, token).document()["processingStatus"] == "CANCELLED"
    assert rig.send("DELETE", path, headers={"x-amz-access-token": token}).status == 400


def test_reports_are_absent_for_other_sellers_and_other_applications() -> None:
    rig = Rig()
    report = finished_report(rig, rig.access())
    for token in (rig.access(1), rig.access(application=PLAIN)):
        assert rig.get(f"{REPORTS}/reports/{report['reportId']}", token).status == 404
        assert read(rig, token, report).status == 404
    assert rig.get(f"{REPORTS}/reports/1", rig.access()).status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"reportType": "small"},
        {"reportType": None},
        {"marketplaceIds": []},
        {"marketplaceIds": ["A1PA6795UKMFR9"]},
        {"dataStartTime": "soon"},
        {"dataStartTime": "2026-01-04", "dataEndTime": "2026-01-03"},
    ],
)
def test_a_report_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    rig = Rig()
    refused = create_report(rig, rig.access(), **wrong)
    assert (refused.status, error(refused)["code"]) == (400, "InvalidInput")


def test_reports_survive_a_restart() -> None:
    journal = MemoryJournal()
    rig = Rig(journal=journal)
    report = finished_report(rig, rig.access())
    again = Rig(journal=journal, clock=rig.clock)
    found = again.get(f"{REPORTS}/reports/{report['reportId']}", again.access())
    assert found.document() == report


def test_schedules_are_kept_until_they_are_cancelled() -> None:
    rig = Rig()
    token = rig.access()
    body = {"reportType": PLAIN_ORDERS, "marketplaceIds": ["ATVPDKIKX0DER"], "period": "P1D"}
    made = rig.post(f"{REPORTS}/schedules", token, body)
    path = f"{REPORTS}/schedules/{made.document()['reportScheduleId']}"
    assert made.status == 201
    assert rig.get(path, token).document()["period"] == "P1D"
    listed = rig.get(f"{REPORTS}/schedules", token, reportTypes=PLAIN_ORDERS).document()["reportSchedules"]
    assert [each["reportType"] for each in listed] == [PLAIN_ORDERS]
    assert rig.get(path, rig.access(1)).status == 404
    assert rig.send("DELETE", path, headers={"x-amz-access-token": token}).status == 200
    assert rig.get(path, token).status == 404
