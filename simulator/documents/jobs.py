"""What is asked for now and done later: reports, feeds and Data Kiosk's queries have one life.

A job waits in the queue, is worked on, and ends DONE, CANCELLED or FATAL. When each happens is decided and
written to the journal as it is created, so its state is a function of virtual time and survives a restart.
"""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.events import JobCancelled, JobCreated
from simulator.ledger import Ledger
from simulator.orders.paging import instant, stamp
from simulator.sealing import NotSealed, Sealer
from simulator.seed import Mint

# Source: SP-API documentation, "Reports API": kept up to 90 days.
JOBS_LIVE = timedelta(days=90)
PAGE_JOBS_MAX = 100
PAGE_JOBS_DEFAULT = 10
STAGE_S_MAX = 86_400.0
OUTCOMES_ORDERED_MAX = 1_000
QUEUED_S = 1.0
WORKING_S = 2.0
ANY_TYPE = "*"

Document = dict[str, Any]


class Status(StrEnum):
    """How far a job is."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FATAL = "FATAL"


class Kind(StrEnum):
    """What sort of job it is."""

    REPORT = "report"
    FEED = "feed"
    QUERY = "query"


ENDINGS = (Status.DONE, Status.CANCELLED, Status.FATAL)
# Endings that leave a document: what was made, or why it could not be.
_LEAVING = frozenset({Status.DONE, Status.FATAL})


@dataclass
class Pace:
    """How long new jobs wait, and how long they take, in seconds of virtual time."""

    queued_s: float = QUEUED_S
    working_s: float = WORKING_S


@dataclass(frozen=True)
class Spoken:
    """How one of the three APIs calls a job's members."""

    kind: Kind
    id_name: str
    type_name: str
    document_name: str


class Jobs:
    """Every job there is, of all three kinds."""

    def __init__(self, *, ledger: Ledger, mint: Mint, sealer: Sealer) -> None:
        self.pace = Pace()
        self._ledger = ledger
        self._mint = mint
        self._sealer = sealer
        self._ordered: dict[str, deque[Status]] = {}

    def order_outcome(self, type_name: str, outcome: Status, count: int) -> None:
        """Let the next `count` jobs of a type, or of ANY_TYPE, end in a certain way."""
        self._ordered.setdefault(type_name, deque(maxlen=OUTCOMES_ORDERED_MAX)).extend([outcome] * count)

    def ordered(self) -> dict[str, list[str]]:
        """Return the outcomes that wait to be used, by type."""
        return {name: [each.value for each in waiting] for name, waiting in self._ordered.items() if waiting}

    def create(
        self, kind: Kind, call: Call, *, type_name: str, outcome: Status, asked: Document, found: int = 0
    ) -> JobCreated:
        """Record a new job.

        Args:
            kind: what it is.
            call: who asks; its body may name marketplaces.
            type_name: of report or feed.
            outcome: how it ends, unless another outcome was ordered.
            asked: what was asked, to be shown and worked on later.
            found: how many messages were in what was handed in.
        """
        outcome = self._next_outcome(type_name) or outcome
        region = call.access.seller.region
        starts_at = call.now + timedelta(seconds=self.pace.queued_s)
        job = JobCreated(
            job_id=self._mint.number(size=12),
            kind=kind,
            type_name=type_name,
            application_id=call.access.application.application_id,
            seller_id=call.access.seller.seller_id,
            marketplace_ids=tuple(asked.get("marketplaceIds", ())),
            asked=json.dumps(asked),
            found=found,
            created_at=call.now,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(seconds=self.pace.working_s),
            outcome=outcome,
            document_id=document_id(self._mint, region) if outcome in _LEAVING else "",
            expires_at=call.now + JOBS_LIVE,
        )
        self._ledger.commit(job)
        return job

    def one(self, kind: Kind, job_id: str, call: Call) -> JobCreated:
        """Return a job of the caller's.

        Raises:
            Refusal: 404, there is none.
        """
        job = self._ledger.state.jobs.get(job_id)
        if job is None or not self._is_visible(job, kind, call):
            raise exchange.not_found()
        return job

    def page(self, spoken: Spoken, call: Call) -> tuple[list[JobCreated], str | None]:
        """Return a page of the caller's jobs, newest first, as a request's filters ask, and the next token.

        Raises:
            Refusal: 400, a filter or the token makes no sense.
        """
        request = call.request
        if text := request.first("nextToken") or request.first("paginationToken"):
            asked = self._opened(spoken, text)
        else:
            asked = _filters(spoken, call)
        jobs = [job for job in self._ledger.state.jobs.values() if self._is_visible(job, spoken.kind, call)]
        found = [job for job in reversed(jobs) if self._fits(job, asked, call.now)]
        begin, size = asked["begin"], asked["size"]
        page, is_last = found[begin : begin + size], begin + size >= len(found)
        following = asked | {"begin": begin + size}
        return page, None if is_last else self._sealer.seal(f"{spoken.kind} page", following)

    def cancel(self, kind: Kind, job_id: str, call: Call) -> None:
        """Take a job back.

        Raises:
            Refusal: 404, there is none; 400, its turn has come.
        """
        job = self.one(kind, job_id, call)
        if self.status(job, call.now) is not Status.IN_QUEUE:
            raise exchange.invalid_input("Invalid Input", "It is not in the queue any more.")
        self._ledger.commit(JobCancelled(job_id, cancelled_at=call.now, expires_at=job.expires_at))

    def behind(self, name: str) -> JobCreated | None:
        """Return the job that left a document, or will."""
        return self._ledger.state.documents.get(name)

    def document_of(self, kind: Kind, name: str, call: Call) -> JobCreated:
        """Return the job behind one of the caller's documents.

        Raises:
            Refusal: 404, there is no such document, or not yet.
        """
        job = self.behind(name)
        if job is None or not self._is_visible(job, kind, call) or self.status(job, call.now) not in _LEAVING:
            raise exchange.not_found()
        return job

    def status(self, job: JobCreated, now: datetime) -> Status:
        """Return how far a job is."""
        if job.job_id in self._ledger.state.cancelled:
            return Status.CANCELLED
        if now < job.starts_at:
            return Status.IN_QUEUE
        return Status.IN_PROGRESS if now < job.ends_at else Status(job.outcome)

    def shown(self, spoken: Spoken, job: JobCreated, now: datetime) -> Document:
        """Return a job as its API shows it."""
        status = self.status(job, now)
        document: Document = {
            spoken.id_name: job.job_id,
            **({spoken.type_name: job.type_name} if spoken.type_name else {}),
            **json.loads(job.asked),
            "createdTime": stamp(job.created_at),
            "processingStatus": status.value,
        }
        if status is not Status.IN_QUEUE and job.job_id not in self._ledger.state.cancelled:
            document["processingStartTime"] = stamp(job.starts_at)
        if status in ENDINGS:
            document["processingEndTime"] = stamp(self._ledger.state.cancelled.get(job.job_id, job.ends_at))
        if status in _LEAVING:
            document[spoken.document_name] = job.document_id
        return document

    def _is_visible(self, job: JobCreated, kind: Kind, call: Call) -> bool:
        owner = (call.access.application.application_id, call.access.seller.seller_id)
        return job.kind == kind and (job.application_id, job.seller_id) == owner and call.now < job.expires_at

    def _next_outcome(self, type_name: str) -> Status | None:
        for name in (type_name, ANY_TYPE):
            if waiting := self._ordered.get(name):
                return waiting.popleft()
        return None

    def _fits(self, job: JobCreated, asked: Mapping[str, Any], now: datetime) -> bool:
        return (
            (not asked["types"] or job.type_name in asked["types"])
            and (not asked["statuses"] or self.status(job, now).value in asked["statuses"])
            and (not asked["marketplaces"] or not set(asked["marketplaces"]).isdisjoint(job.marketplace_ids))
            and instant(asked["since"]) <= job.created_at <= instant(asked["until"])
        )

    def _opened(self, spoken: Spoken, text: str) -> Document:
        try:
            return self._sealer.open(f"{spoken.kind} page", text)
        except NotSealed as error:
            raise exchange.invalid_input("Invalid Input", "nextToken is invalid.") from error


def document_id(mint: Mint, region: str) -> str:
    """Return a new document's id, in the shape that Amazon gives them."""
    return f"amzn1.spdoc.1.4.{region}.{mint.identifier()}.{mint.code('T', size=13)}.{mint.number(size=5)}"


def _filters(spoken: Spoken, call: Call) -> Document:
    """Return what a listing asks for, ready to be sealed into a page token."""
    request = call.request
    statuses = request.listed("processingStatuses")
    if not set(statuses) <= set(Status):
        raise exchange.invalid_input("Invalid Input", "Invalid input in processing status")
    try:
        size = int(request.first("pageSize") or PAGE_JOBS_DEFAULT)
        since = instant(request.first("createdSince") or stamp(call.now - JOBS_LIVE))
        until = instant(request.first("createdUntil") or call.now.isoformat())
    except ValueError as error:
        raise exchange.invalid_input("Invalid Input", "A filter is not a number or a date.") from error
    if not 1 <= size <= PAGE_JOBS_MAX:
        raise exchange.invalid_input("Invalid Input", f"pageSize must lie between 1 and {PAGE_JOBS_MAX}.")
    return {
        "types": request.listed(f"{spoken.type_name}s") if spoken.type_name else [],
        "statuses": statuses,
        "marketplaces": request.listed("marketplaceIds"),
        "since": since.isoformat(),
        "until": until.isoformat(),
        "size": size,
        "begin": 0,
    }
