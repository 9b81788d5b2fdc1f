from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.unit.simulator.papers import REPORTS, fetch, finished_report, upload
from tests.unit.simulator.rig import Rig

FEED_DOCUMENTS = "/feeds/2021-06-30/documents"
TYPE = "text/tab-separated-values; charset=UTF-8"


def a_link(rig: Rig) -> str:
    access = rig.access()
    report = finished_report(rig, access)
    url: str = rig.get(f"{REPORTS}/documents/{report['reportDocumentId']}", access).document()["url"]
    return url


def a_slot(rig: Rig) -> str:
    url: str = rig.post(FEED_DOCUMENTS, rig.access(), {"contentType": TYPE}).document()["url"]
    return url


def altered(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    query = [(key, value if key == name else old) for key, old in parse_qsl(parts.query)]
    return parts._replace(query=urlencode(query)).geturl()


def test_a_link_ends_after_five_minutes() -> None:
    rig = Rig()
    url = a_link(rig)
    rig.clock.advance(seconds=299)
    assert fetch(rig, url).status == 200
    rig.clock.advance(seconds=1)
    ended = fetch(rig, url)
    assert ended.status == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in ended.body
    assert ended.header("Content-Type") == "application/xml"


@pytest.mark.parametrize("name", ["X-Amz-Expires", "X-Amz-Signature", "X-Amz-Credential"])
def test_an_altered_link_is_refused(name: str) -> None:
    rig = Rig()
    refused = fetch(rig, altered(a_link(rig), name, "3600"))
    assert refused.status == 403
    assert b"SignatureDoesNotMatch" in refused.body


def test_a_link_is_good_for_its_own_object_only() -> None:
    rig = Rig()
    parts = urlsplit(a_link(rig))
    for path in (parts.path + "x", "/simulated-documents/uploads/x"):
        assert fetch(rig, parts._replace(path=path).geturl()).status == 403


def test_what_is_no_link_at_all_is_denied() -> None:
    rig = Rig()
    assert fetch(rig, "https://storage.example/simulated-documents/reports/x").status == 403


def test_a_request_with_credentials_of_its_own_is_refused() -> None:
    rig = Rig()
    assert fetch(rig, a_link(rig), authorization="Bearer x").status == 400


def test_an_upload_needs_the_declared_content_type() -> None:
    rig = Rig()
    url = a_slot(rig)
    assert upload(rig, url, b"a\tb\r\n").status == 403
    wrong = upload(rig, url, b"a\tb\r\n", content_type="text/xml")
    assert (wrong.status, b"SignatureDoesNotMatch" in wrong.body) == (403, True)
    assert upload(rig, url, b"a\tb\r\n", content_type=TYPE).status == 200


def test_an_upload_without_a_length_is_refused_as_s3_does() -> None:
    rig = Rig()
    parts = urlsplit(a_slot(rig))
    headers = {"host": parts.netloc, "content-type": TYPE}
    chunked = {**headers, "transfer-encoding": "chunked"}
    query = parse_qsl(parts.query)
    assert rig.send("PUT", parts.path, query, headers=headers).status == 411
    assert rig.send("PUT", parts.path, query, headers=chunked, body=b"x").status == 501


def test_links_for_fetching_take_no_uploads_nor_the_other_way_round() -> None:
    rig = Rig()
    assert upload(rig, a_link(rig), b"x").status == 403
    assert fetch(rig, a_slot(rig)).status == 403


def test_faults_of_the_storage_are_told_in_its_own_words_R28() -> None:
    rig = Rig()
    url = a_link(rig)
    for kind in ("unavailable", "truncated", "hang_up", "drip"):
        rig.controls.script_fault({"operation": "storage.getObject", "kind": kind, "delay_s": 0.5})
    slow, cut, gone, dripping, whole = (fetch(rig, url) for _ in range(5))
    assert (slow.status, b"<Code>SlowDown</Code>" in slow.body) == (503, True)
    assert cut.sent_bytes == len(whole.body) // 2
    assert gone.is_hung_up
    assert (dripping.drip_s, dripping.body) == (0.5, whole.body)


def test_calls_of_the_storage_are_recorded_with_their_seller_and_without_their_query() -> None:
    rig = Rig()
    fetch(rig, a_link(rig))
    call = rig.shelf.calls[-1]
    assert (call.face, call.operation, call.status) == ("storage", "storage.getObject", 200)
    assert call.seller_id == rig.sellers[0].seller_id
    assert "?" not in call.path
