"""The operations of Feeds 2021-06-30, and the processing report that a feed leaves.

What was uploaded is looked at when the feed is created: how many messages it holds is all that is kept of it.
"""

import json
from typing import Any
from xml.sax.saxutils import escape

from simulator import exchange
from simulator.call import Call
from simulator.documents.jobs import Jobs, Kind, Spoken, Status, document_id
from simulator.documents.storage import Content, Storage
from simulator.events import JobCreated
from simulator.seed import Mint

FOLDER = "feed-results"
TEXT_SIZE_MAX = 256

SPOKEN = Spoken(Kind.FEED, "feedId", "feedType", "resultFeedDocumentId")

Document = dict[str, Any]


class Feeds:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, *, jobs: Jobs, storage: Storage, mint: Mint) -> None:
        self._jobs = jobs
        self._storage = storage
        self._mint = mint
        storage.serve(FOLDER, self._content)

    def create_document(self, call: Call) -> Document:
        """Return the answer of createFeedDocument: where to upload, with the declared Content-Type only."""
        content_type = _text(call.body(), "contentType")
        seller = call.access.seller
        name = document_id(self._mint, seller.region)
        url = self._storage.slot(name, seller.seller_id, call.now, headers={"content-type": content_type})
        return {"feedDocumentId": name, "url": url}

    def create(self, call: Call) -> Document:
        """Return the answer of createFeed.

        A feed whose document was never uploaded, or is empty, ends FATAL.

        Raises:
            Refusal: 400, the document was not given out to this seller, or the request is incomplete.
        """
        body = call.body()
        feed_type, name = _text(body, "feedType"), _text(body, "inputFeedDocumentId")
        marketplace_ids = body.get("marketplaceIds")
        if not isinstance(marketplace_ids, list) or not marketplace_ids:
            raise exchange.invalid_input("Invalid Input", "marketplaceIds must be specified.")
        try:
            uploaded = self._storage.uploaded(name, call.access.seller.seller_id)
        except KeyError as error:
            raise exchange.invalid_input("Invalid Input", "inputFeedDocumentId is invalid.") from error
        outcome = Status.DONE if uploaded else Status.FATAL
        asked = {"marketplaceIds": [str(each) for each in marketplace_ids]}
        job = self._jobs.create(
            Kind.FEED,
            call,
            type_name=feed_type,
            outcome=outcome,
            asked=asked,
            found=messages_in(uploaded or b""),
        )
        return {"feedId": job.job_id}

    def one(self, call: Call) -> Document:
        """Return the answer of getFeed."""
        job = self._jobs.one(Kind.FEED, call.parameters["feedId"], call)
        return self._jobs.shown(SPOKEN, job, call.now)

    def several(self, call: Call) -> Document:
        """Return the answer of getFeeds.

        Raises:
            Refusal: 400, neither types nor a token are given.
        """
        if not (call.request.listed("feedTypes") or call.request.first("nextToken")):
            raise exchange.invalid_input("Invalid Input", "feedTypes or nextToken must be specified.")
        jobs, token = self._jobs.page(SPOKEN, call)
        listed = [self._jobs.shown(SPOKEN, job, call.now) for job in jobs]
        return {"feeds": listed} | ({"nextToken": token} if token else {})

    def cancel(self, call: Call) -> None:
        """Take a feed back that is in the queue."""
        self._jobs.cancel(Kind.FEED, call.parameters["feedId"], call)

    def document(self, call: Call) -> Document:
        """Return the answer of getFeedDocument, for a feed's processing report."""
        job = self._jobs.document_of(Kind.FEED, call.parameters["feedDocumentId"], call)
        url = self._storage.link(FOLDER, job.document_id, call.now)
        return {"feedDocumentId": job.document_id, "url": url}

    def _content(self, name: str) -> Content | None:
        job = self._jobs.behind(name)
        return _processing_report(job) if job else None


def messages_in(uploaded: bytes) -> int:
    """Return how many messages a feed holds; in columns, the lines below the head."""
    text = uploaded.decode("utf-8", "replace")
    if text.lstrip().startswith("<"):
        return text.count("<Message>")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return max(len(text.splitlines()) - 1, 0)
    listed = document.get("messages") if isinstance(document, dict) else None
    return len(listed) if isinstance(listed, list) else 0


def _processing_report(job: JobCreated) -> Content:
    """Return what a feed's result says, in the form that belongs to its type."""
    is_done = job.outcome == Status.DONE
    errors = 0 if is_done else 1
    if job.type_name.startswith("JSON_"):
        summary = {
            "errors": errors,
            "warnings": 0,
            "messagesProcessed": job.found,
            "messagesAccepted": job.found if is_done else 0,
            "messagesInvalid": 0 if is_done else job.found,
        }
        header = {"sellerId": job.seller_id, "version": "2.0", "feedId": job.job_id}
        issues = [] if is_done else [_ISSUE]
        body = json.dumps({"header": header, "issues": issues, "summary": summary}).encode()
        return Content(body, "application/json; charset=UTF-8", job.seller_id)
    counts = {
        "MessagesProcessed": job.found,
        "MessagesSuccessful": job.found if is_done else 0,
        "MessagesWithError": 0 if is_done else job.found,
        "MessagesWithWarning": 0,
    }
    inner = "".join(f"<{name}>{count}</{name}>" for name, count in counts.items())
    told = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope><MessageType>ProcessingReport</MessageType>'
        f"<Message><ProcessingReport><DocumentTransactionID>{escape(job.job_id)}</DocumentTransactionID>"
        f"<StatusCode>Complete</StatusCode><ProcessingSummary>{inner}</ProcessingSummary>"
        "</ProcessingReport></Message></AmazonEnvelope>"
    )
    return Content(told.encode(), "text/xml; charset=UTF-8", job.seller_id)


_ISSUE = {
    "messageId": 0,
    "code": "4000001",
    "severity": "ERROR",
    "message": "The feed could not be processed.",
}


def _text(body: Document, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= TEXT_SIZE_MAX or not value.isprintable():
        raise exchange.invalid_input("Invalid Input", f"{name} must be specified.")
    return value
