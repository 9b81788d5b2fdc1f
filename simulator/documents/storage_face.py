"""The storage as its callers meet it: GET and PUT of single objects by presigned links, POST of forms.

Errors are XML. Source: S3 API reference: error responses; an upload needs a Content-Length and takes no
chunked encoding.
"""

import hashlib
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

import simulator.faults
from simulator.documents.forms import Forms
from simulator.documents.storage import BUCKET, Storage, StorageRefusal
from simulator.exchange import Answer, Request
from simulator.hostility import Fault, Hostility, Kind
from simulator.notes import Note

UPLOAD_BYTES_MAX = 64 * 1_048_576
XML_TYPE = "application/xml"
_OPERATIONS = {"GET": "storage.getObject", "PUT": "storage.putObject", "POST": "storage.postObject"}


def is_for_storage(path: str) -> bool:
    """Return whether a request to a path is meant for the storage."""
    return path.startswith(f"{BUCKET}/")


class StorageFace:
    """The storage behind HTTP."""

    def __init__(self, *, storage: Storage, forms: Forms, hostility: Hostility) -> None:
        self._storage = storage
        self._forms = forms
        self._hostility = hostility

    def answer(self, request: Request, note: Note, now: datetime) -> Answer:
        """Return the answer to a request, and tell `note` what the record should say of it."""
        note.operation = _OPERATIONS.get(request.method, "storage.getObject")
        fault = self._hostility.decide(note.operation, note.face)
        note.fault = fault.kind
        try:
            _refuse_for(fault)
            answer = self._done(request, note, now)
        except StorageRefusal as refusal:
            return _refused(refusal)
        if fault.kind is Kind.LOST:
            return _refused(_SLOW_DOWN)
        return simulator.faults.spoilt(answer, fault)

    def _done(self, request: Request, note: Note, now: datetime) -> Answer:
        if request.method not in _OPERATIONS:
            raise StorageRefusal(405, "MethodNotAllowed", "The specified method is not allowed.")
        if request.method == "POST":
            _check_length(request)
            taken = self._forms.take(request, now)
            note.seller_id = taken.seller_id
            told = (("ETag", _tag(taken.file)), ("Location", f"{self._storage.origin}{taken.path}"))
            return Answer(204, headers=told)
        self._storage.check(request, now)
        if request.method == "PUT":
            _check_length(request)
            note.seller_id = self._storage.put(request.path, request.body)
            return Answer(200, headers=(("ETag", _tag(request.body)),))
        content = self._storage.fetch(request.path)
        note.seller_id = content.seller_id
        headers = [
            ("Content-Type", content.content_type),
            ("ETag", _tag(content.body)),
            ("Last-Modified", format_datetime(now, usegmt=True)),
            ("Accept-Ranges", "bytes"),
        ]
        if encoding := request.first("response-content-encoding"):
            headers.append(("Content-Encoding", encoding))
        return Answer(200, content.body, tuple(headers))


def _check_length(request: Request) -> None:
    if "transfer-encoding" in request.headers:
        text = "A header you provided implies functionality that is not implemented"
        raise StorageRefusal(501, "NotImplemented", text, Header="Transfer-Encoding")
    if "content-length" not in request.headers:
        raise StorageRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")


def _refuse_for(fault: Fault) -> None:
    refusals = {
        Kind.THROTTLE: _SLOW_DOWN,
        Kind.UNAVAILABLE: _SLOW_DOWN,
        Kind.FAIL: StorageRefusal(
            500, "InternalError", "We encountered an internal error. Please try again."
        ),
        Kind.DENY: StorageRefusal(403, "AccessDenied", "Access Denied"),
    }
    if fault.kind in refusals:
        raise refusals[fault.kind]


def _refused(refusal: StorageRefusal) -> Answer:
    elements = {"Code": refusal.code, "Message": refusal.text, **refusal.elements}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Answer(refusal.status, body.encode(), (("Content-Type", XML_TYPE),))


def _tag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


_SLOW_DOWN = StorageRefusal(503, "SlowDown", "Please reduce your request rate.")
