"""The documents' face: what stands under /_doc/ is a capability, and its bytes go one way.

Whoever comes here is a library's plain HTTP client: no token, no proof, no certificate of its own. Ranges are
not served, a document comes whole, as Amazon's storage answers those libraries too; nor is HEAD, for which
no link of Amazon's is ever signed.
"""

from typing import Protocol

from services.gateway.door.request import Head, Request
from services.gateway.door.ways import ANY_METHOD, Way
from services.gateway.forward.document_ports import Receiver
from services.gateway.forward.documents import Upload
from services.gateway.model import storage_faults
from services.gateway.model.calls import Answer
from services.gateway.model.documents import DOWNLOAD, FORM, PATH, UPLOAD, MethodNotServed

PATTERN = f"{PATH}{{capability:.*}}"


class Documents(Protocol):
    """Who serves capabilities."""

    async def send(self, spelled: str, request_id: str, receiver: Receiver) -> None:
        """Move a document to a desktop."""
        ...

    async def take(self, spelled: str, request_id: str, upload: Upload) -> None:
        """Move a document from a desktop to Amazon."""
        ...

    async def take_form(self, spelled: str, request_id: str, upload: Upload) -> None:
        """Move a document in a form from a desktop to Amazon."""
        ...


class DocumentsFace:
    """Documents on their way."""

    def __init__(self, *, documents: Documents) -> None:
        self._documents = documents

    def ways(self) -> list[Way]:
        """Return the ways in."""
        return [
            Way(UPLOAD, PATTERN, self, "gateway.document.written", storage_faults.render),
            Way(FORM, PATTERN, self, "gateway.document.written", storage_faults.render),
            Way(ANY_METHOD, PATTERN, self, "gateway.document.read", storage_faults.render),
        ]

    async def handle(self, request: Request) -> None:
        """See Face.

        Raises:
            MethodNotServed: neither a download nor an upload.
            SallyportError: see `forward.documents`, and the request's own errors.
        """
        head = request.head
        spelled = head.target.partition("?")[0].removeprefix(PATH)
        if head.method == DOWNLOAD:
            await self._documents.send(spelled, request.request_id, request)
        elif head.method == UPLOAD:
            await self._documents.take(spelled, request.request_id, _upload(request))
            request.answer(Answer(200, [], b""))
        elif head.method == FORM:
            await self._documents.take_form(spelled, request.request_id, _upload(request))
            # As Amazon's storage answers by itself; what it says besides names bucket and key.
            request.answer(Answer(204, [], b""))
        else:
            request.add_header("allow", f"{DOWNLOAD}, {UPLOAD}, {FORM}")
            raise MethodNotServed


def _upload(request: Request) -> Upload:
    fields = request.head.fields
    return Upload(
        content_type=fields.value("content-type"),
        content_encoding=", ".join(fields.values("content-encoding")),
        length_bytes=_length(request.head),
        chunks=request.chunks(),
    )


def _length(head: Head) -> int | None:
    told = head.fields.value("content-length")
    return int(told) if told.isascii() and told.isdigit() else None
