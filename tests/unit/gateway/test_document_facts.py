"""What is known about documents: which types are personal, which way their bytes go, what uploads need."""

import json

import orjson
import pytest

from services.gateway.catalogue.documents import FILE, DocumentTable
from services.gateway.catalogue.table import Catalogue
from services.gateway.model import uploads
from services.gateway.model.documents import (
    DOCUMENT_ID_CHARS_MAX,
    DOWNLOAD,
    TYPE_CHARS_MAX,
    TYPES_MAX,
    UPLOAD,
    DocumentClass,
    told_types,
)
from services.gateway.model.tripwire import CredentialsNotAccepted

TABLE = DocumentTable.load()
REPORT, FEED = "reports_2021-06-30.getReportDocument", "feeds_2021-06-30.getFeedDocument"
FACTS = orjson.loads(FILE.read_bytes())


def test_every_fact_has_its_source_and_stands_once_in_order() -> None:
    assert all(table["source"] for table in FACTS.values())
    for name in ("restricted_reports", "plain_reports", "plain_feeds"):
        rows = FACTS[name]["rows"]
        assert rows == sorted(set(rows))
    assert not set(FACTS["restricted_reports"]["rows"]) & set(FACTS["plain_reports"]["rows"])


@pytest.mark.parametrize(
    ("operation", "type_", "expected"),
    [
        (REPORT, "GET_MERCHANT_LISTINGS_ALL_DATA", DocumentClass.PLAIN),
        (REPORT, "GET_ORDER_REPORT_DATA_SHIPPING", DocumentClass.RESTRICTED),
        (REPORT, "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL", DocumentClass.PERSONAL),
        (REPORT, "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA", DocumentClass.PERSONAL),
        (REPORT, "GET_SELLER_FEEDBACK_DATA", DocumentClass.PERSONAL),
        (REPORT, "GET_WHAT_NOBODY_HAS_SEEN_YET", DocumentClass.PERSONAL),
        (REPORT, "JSON_LISTINGS_FEED", DocumentClass.PERSONAL),
        (REPORT, "", DocumentClass.PERSONAL),
        (FEED, "JSON_LISTINGS_FEED", DocumentClass.PLAIN),
        (FEED, "POST_EASYSHIP_DOCUMENTS", DocumentClass.PERSONAL),
        (FEED, "GET_MERCHANT_LISTINGS_ALL_DATA", DocumentClass.PERSONAL),
        (FEED, "", DocumentClass.PERSONAL),
        ("feeds_2021-06-30.createFeedDocument", "", DocumentClass.PLAIN),
        ("InvoicesApiModel_2024-06-19.getInvoicesDocument", "", DocumentClass.PERSONAL),
        ("of.noKnownOperation", "", DocumentClass.PERSONAL),
    ],
)
def test_what_is_not_known_to_be_plain_is_personal(
    operation: str, type_: str, expected: DocumentClass
) -> None:
    assert TABLE.document_class(operation, type_) is expected


def test_amazons_restricted_report_types_are_restricted_without_a_word_of_a_policys() -> None:
    # Source: SP-API Developer Guide, "Restricted report types".
    restricted = (
        "GET_AMAZON_FULFILLED_SHIPMENTS_DATA_INVOICING GET_AMAZON_FULFILLED_SHIPMENTS_DATA_TAX "
        "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING GET_FLAT_FILE_ORDER_REPORT_DATA_SHIPPING "
        "GET_FLAT_FILE_ORDER_REPORT_DATA_INVOICING GET_FLAT_FILE_ORDER_REPORT_DATA_TAX "
        "GET_FLAT_FILE_ORDERS_RECONCILIATION_DATA_TAX GET_FLAT_FILE_ORDERS_RECONCILIATION_DATA_INVOICING "
        "GET_FLAT_FILE_ORDERS_RECONCILIATION_DATA_SHIPPING GET_ORDER_REPORT_DATA_INVOICING "
        "GET_ORDER_REPORT_DATA_TAX GET_ORDER_REPORT_DATA_SHIPPING GET_EASYSHIP_DOCUMENTS "
        "GET_GST_MTR_B2B_CUSTOM GET_VAT_TRANSACTION_DATA SC_VAT_TAX_REPORT"
    )
    for type_ in restricted.split():
        assert TABLE.document_class(REPORT, type_) is DocumentClass.RESTRICTED


def test_links_that_are_asked_for_by_creating_a_destination_are_for_uploads() -> None:
    uploading = {name for name in TABLE if TABLE.method(name) == UPLOAD}
    assert uploading == {
        "feeds_2021-06-30.createFeedDocument",
        "services.createServiceDocumentUploadDestination",
        "uploads_2020-11-01.createUploadDestinationForResource",
    }
    assert {TABLE.method(name) for name in set(TABLE) - uploading} == {DOWNLOAD}


def test_the_parameter_that_names_a_typed_document_is_in_its_operations_path() -> None:
    paths = {operation.name: operation.path for operation in Catalogue.load()}
    typed = {name: TABLE.type_parameter(name) for name in TABLE if TABLE.type_parameter(name)}
    assert set(typed) == {REPORT, FEED}
    assert all(f"{{{parameter}}}" in paths[name] for name, parameter in typed.items())


@pytest.mark.parametrize(
    "document",
    [None, 7, [], {}, {"reports": None}, {"reports": [None, 7, {}]}, {"reports": [{"reportType": "A"}]}],
)
def test_an_answer_of_another_shape_tells_no_types(document: object) -> None:
    assert told_types("reports_2021-06-30.getReports", document) == {}
    assert told_types("reports_2021-06-30.getReport", document) == {}


def test_no_more_types_are_told_than_a_page_holds() -> None:
    row = {"reportType": "A"}
    many = {"reports": [{**row, "reportDocumentId": str(at)} for at in range(500)]}
    assert len(told_types("reports_2021-06-30.getReports", many)) == TYPES_MAX


@pytest.mark.parametrize("id_chars", [0, 1, DOCUMENT_ID_CHARS_MAX, DOCUMENT_ID_CHARS_MAX + 1])
@pytest.mark.parametrize("type_chars", [0, 1, TYPE_CHARS_MAX, TYPE_CHARS_MAX + 1])
def test_no_type_is_told_that_is_empty_or_absurdly_long_nor_one_of_such_a_document(
    id_chars: int, type_chars: int
) -> None:
    document_id, type_ = "d" * id_chars, "T" * type_chars
    told = told_types("reports_2021-06-30.getReport", {"reportDocumentId": document_id, "reportType": type_})
    is_fit = 0 < id_chars <= DOCUMENT_ID_CHARS_MAX and 0 < type_chars <= TYPE_CHARS_MAX
    assert told == ({document_id: type_} if is_fit else {})


@pytest.mark.parametrize(
    ("one", "many", "row"),
    [
        ("reports_2021-06-30.getReport", "reports", {"reportDocumentId": "d", "reportType": "T"}),
        ("feeds_2021-06-30.getFeed", "feeds", {"resultFeedDocumentId": "d", "feedType": "T"}),
    ],
)
def test_a_report_or_feed_tells_its_documents_type_alone_and_in_a_list(
    one: str, many: str, row: dict[str, str]
) -> None:
    assert told_types(one, row) == told_types(f"{one}s", {many: [row]}) == {"d": "T"}


@pytest.mark.parametrize(
    ("body", "queried", "expected"),
    [
        (
            b'{"contentType":"text/tab-separated-values; charset=UTF-8"}',
            "",
            "text/tab-separated-values; charset=UTF-8",
        ),
        (b"", "image/jpeg", "image/jpeg"),
        (b'{"contentType":"PNG"}', "", ""),
        (b'{"contentType":7}', "", ""),
        (b'{"contentType":"text/xml\\r\\nx: y"}', "", ""),
        (b"[]", "", ""),
        (b"{}", "a b/c", ""),
    ],
)
def test_only_a_media_type_counts_as_declared_T30(body: bytes, queried: str, expected: str) -> None:
    assert uploads.declared_type(body, queried) == expected


def test_only_plain_headers_that_belong_to_an_upload_are_wanted_T30() -> None:
    given = {
        "Content-Type": "image/png",
        "X-Amz-Meta-Owner": "A1",
        "Host": "evil.example",
        "Authorization": "AWS4",
        "Transfer-Encoding": "chunked",
        "x-amz-acl": "private\r\nhost: evil.example",
        "x-amz-expires": 300,
    }
    expected = {"content-type": "image/png", "x-amz-meta-owner": "A1"}
    for document in ({"headers": given}, {"payload": {"headers": given}}):
        assert dict(uploads.wanted_headers(json.loads(json.dumps(document)))) == expected
    many = {str(number): "x" for number in range(99)}
    others: list[object] = [[], {"headers": []}, {"payload": None}, {"headers": many}]
    for other in others:
        assert uploads.wanted_headers(other) == ()


@pytest.mark.parametrize(
    ("declared", "sent", "is_same"),
    [
        ("text/xml; charset=UTF-8", "text/xml;charset=utf-8", True),
        ("text/xml; charset=UTF-8", "text/xml", False),
        ("text/xml", "text/csv", False),
    ],
)
def test_a_content_type_may_be_written_with_other_blanks_or_case(
    declared: str, sent: str, *, is_same: bool
) -> None:
    assert uploads.is_same_type(declared, sent) is is_same


@pytest.mark.parametrize("part", [b"Atza|x", b"Atzr%7Cx", b"Atz.sprdt%257Cx", b"\x00amzn1.oa2-cs.v1.x\xff"])
def test_a_credential_in_a_part_of_an_upload_is_refused_T06(part: bytes) -> None:
    uploads.check_credentials(b"Atzgerd's oa2-csv")
    with pytest.raises(CredentialsNotAccepted):
        uploads.check_credentials(b"x" * 1_000 + part)
