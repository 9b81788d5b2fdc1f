"""What Amazon wants to see with an upload: its declared type, headers that were signed, and no credential."""

import re
from typing import Any

import orjson

from services.gateway.model import tripwire

# Of the headers that Amazon asks for; longer or more of them no model describes.
HEADERS_MAX = 16
HEADER_CHARS_MAX = 1_024
CONTENT_TYPE = "content-type"
OCTETS = "application/octet-stream"
TYPE_PARAMETERS = frozenset({"contentType"})

# The parts of credentials' marks that no layer of encoding changes when somebody pastes one.
_ANCHORS = (b"Atz", b"oa2-cs")

_NAME = re.compile(r"content-(?:type|md5|disposition|encoding)|x-amz-[a-z0-9-]{1,64}")
_VALUE = re.compile(rf"[\x20-\x7e]{{1,{HEADER_CHARS_MAX}}}")
_MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?:\s*;[\x20-\x7e]{0,128})?"
)


def declared_type(body: bytes, queried: str) -> str:
    """Return the content type for which a link was asked; empty when none, or no media type, was named.

    Args:
        body: of the call that asked for the link, JSON or empty.
        queried: what its query names instead.

    Source: Feeds API model, CreateFeedDocumentSpecification; Uploads API model, `contentType`.
    """
    document = orjson.loads(body) if body else {}
    named = document.get("contentType") if isinstance(document, dict) else None
    wanted = named or queried
    return media_type(wanted) if isinstance(wanted, str) else ""


def media_type(text: str) -> str:
    """Return a text if it is a media type, with parameters or without; else an empty text."""
    return text if _MEDIA_TYPE.fullmatch(text) else ""


def wanted_headers(document: Any) -> tuple[tuple[str, str], ...]:
    """Return the headers that an answer asks for beside its link, names in lower case.

    Source: Uploads and Services API models, UploadDestination: "headers to include in the upload request".
    """
    payload = document.get("payload", document) if isinstance(document, dict) else {}
    listed = payload.get("headers") if isinstance(payload, dict) else None
    given = listed.items() if isinstance(listed, dict) else ()
    lowered = {name.lower(): value for name, value in given}
    return tuple(
        (name, value)
        for name, value in list(lowered.items())[:HEADERS_MAX]
        if _NAME.fullmatch(name) and isinstance(value, str) and _VALUE.fullmatch(value)
    )


def is_same_type(declared: str, sent: str) -> bool:
    """Return whether two content types are one, written with other blanks or another case."""
    return "".join(declared.split()).lower() == "".join(sent.split()).lower()


def plain(value: str) -> str:
    """Return a client's header value if it may be passed on; else an empty text."""
    return value if _VALUE.fullmatch(value) else ""


def check_credentials(data: bytes) -> None:
    """Let a part of an upload pass.

    Only where a part looks like it is a closer look taken: a document is large, and most of it is packed.

    Raises:
        CredentialsNotAccepted: it holds one of Amazon's credentials, perhaps with its marks percent-encoded.
    """
    if any(anchor in data for anchor in _ANCHORS):
        tripwire.check([data])
