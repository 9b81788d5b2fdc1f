"""Documents: what they hold, what a capability lets its holder do with one, and what can go wrong.

Amazon answers some operations with a presigned link to or from its storage. A desktop never sees one: it
gets a link to this gateway, whose last segment is a capability, and the gateway moves the bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeGuard

from chassis.errors import Gone, InvalidInput, LimitExceeded, NotFound, Unavailable
from chassis.secrecy import Secret

# A form is an upload too; Amazon's link decides which of the two it takes.
DOWNLOAD, UPLOAD, FORM = "GET", "PUT", "POST"
PATH = "/_doc/"

# As long as Amazon's own links to reports and feeds. Source: Reports and Feeds API models, `url`.
CAPABILITY_S_MAX = 300.0
# A document's type is told of at most as many reports or feeds as a page holds.
# Source: Reports and Feeds API models: pageSize.
TYPES_MAX = 100
TYPE_CHARS_MAX = 128
DOCUMENT_ID_CHARS_MAX = 256

# Which answers tell a document's type: the member that lists, the document's id, the type.
_TYPED: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "reports_2021-06-30.getReport": ("", "reportDocumentId", "reportType"),
        "reports_2021-06-30.getReports": ("reports", "reportDocumentId", "reportType"),
        "feeds_2021-06-30.getFeed": ("", "resultFeedDocumentId", "feedType"),
        "feeds_2021-06-30.getFeeds": ("feeds", "resultFeedDocumentId", "feedType"),
    }
)


class DocumentClass(StrEnum):
    """What a document holds.

    Attributes:
        PLAIN: nobody's personal data.
        PERSONAL: buyers' or recipients' data, or nobody knows.
        RESTRICTED: such data, and Amazon gives its link for a restricted data token only.
    """

    PLAIN = "plain"
    PERSONAL = "personal"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a link of ours lets its holder do, while it lives.

    Attributes:
        url: Amazon's presigned link.
        method: DOWNLOAD, UPLOAD or FORM.
        content_type: that was declared for an upload; empty: none was, the client's own goes to Amazon.
        headers: what Amazon wants to see with an upload, names in lower case.
        operation: whose answer the link came in, e.g. "reports_2021-06-30.getReportDocument".
        purpose: what that call was for.
        scopes: that the device had; of those it must have lost none to move a personal document.
        access_token: with which the device asked; the capability stands and falls with it.
        order_id: that the path of that call named; empty when it named none.
    """

    url: Secret[str]
    method: str
    content_type: str
    headers: Sequence[tuple[str, str]] = field(repr=False)
    operation: str
    purpose: str
    document_class: DocumentClass
    device_id: str
    seller_id: str
    scopes: frozenset[str]
    access_token: Secret[str]
    order_id: str = ""

    @property
    def is_personal(self) -> bool:
        """Whether the document may hold customers' data."""
        return self.document_class is not DocumentClass.PLAIN


class DocumentUnknown(NotFound):
    """No capability of ours, or not one for this: guessed, altered, of another method or key."""

    code = "document_unknown"
    text = "There is no document under this link."


class DocumentEnded(Gone):
    """The capability, Amazon's own link, or the token with which it was asked for has ended."""

    code = "document_ended"
    text = "The link to this document has ended. Ask for the document again."


class DocumentMissing(NotFound):
    """Amazon's storage does not hold the document."""

    code = "document_missing"
    text = "Amazon does not have this document, or not any more."


class DocumentRefused(InvalidInput):
    """Amazon's storage does not take the upload."""

    code = "document_refused"
    text = "Amazon did not take this document. Check its checksum, length and content type."


class DocumentFormInvalid(InvalidInput):
    """The upload is not a form that Amazon's storage would take, or says what only Amazon may say."""

    code = "document_form_invalid"
    text = (
        "The document must be sent as multipart/form-data: none but the fields of its link, "
        "then one part named file, and nothing after it."
    )


class ContentTypeDiffers(InvalidInput):
    """The upload is of another content type than was declared, so Amazon would not take it."""

    code = "content_type_differs"
    text = "The document must be sent with the content type that was declared for it."


class LengthRequired(InvalidInput):
    """The upload does not say how long it is; Amazon's storage takes none like that."""

    code = "length_required"
    text = "The document must be sent with its Content-Length, not chunked."
    http_status = 411


class DocumentTooLarge(InvalidInput):
    """More than is streamed in either direction."""

    code = "document_too_large"
    text = "The document is larger than any that passes here."
    http_status = 413


class MethodNotServed(InvalidInput):
    """Something else than a download or an upload."""

    code = "method_not_allowed"
    text = "A document is read with GET, or written with PUT, or with POST where Amazon takes a form."
    http_status = 405


class DocumentsBusy(LimitExceeded):
    """As many documents as may be are on their way already."""

    code = "documents_busy"
    text = "Too many documents are on their way. Try again when one has arrived."


class StorageUnavailable(Unavailable):
    """Amazon's storage fails, or asks to be left alone for a while."""

    code = "storage_unavailable"
    text = "Amazon's storage does not answer right now."


def told_types(operation: str, document: Any) -> Mapping[str, str]:
    """Return which documents' types an answer tells: document id → type; at most TYPES_MAX.

    Args:
        operation: by name.
        document: its successful answer, parsed.
    """
    if operation not in _TYPED or not isinstance(document, dict):
        return {}
    listing, id_member, type_member = _TYPED[operation]
    entries = document.get(listing) if listing else [document]
    return dict(_typed(entries, id_member, type_member)) if isinstance(entries, list) else {}


def tells_types(operation: str) -> bool:
    """Return whether answers of an operation tell documents' types."""
    return operation in _TYPED


def _typed(entries: Sequence[Any], id_member: str, type_member: str) -> Iterator[tuple[str, str]]:
    for entry in entries[:TYPES_MAX]:
        if isinstance(entry, dict):
            document_id, type_ = entry.get(id_member), entry.get(type_member)
            if _is_short(document_id, DOCUMENT_ID_CHARS_MAX) and _is_short(type_, TYPE_CHARS_MAX):
                yield document_id, type_


def _is_short(value: object, chars_max: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= chars_max
