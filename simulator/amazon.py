"""The simulated Amazon as one function: a request in, an answer out, a line in the record.

No socket, no task and no clock of its own: the same seed and the same requests at the same virtual times
give the same bytes. Five faces share one set of paths: `consent` (Seller Central), `lwa` (Login with
Amazon), `queue` (SQS, where the vendor has a queue), `storage` (S3, where documents lie), `api` (the Selling
Partner API).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime

import simulator.consent
import simulator.documents.storage_face
import simulator.events
import simulator.faults
import simulator.queue_face
import simulator.seed
import simulator.tokens
from simulator import exchange, operations
from simulator.api import Api
from simulator.clock import Clock
from simulator.consent import Consents
from simulator.documents.storage_face import StorageFace
from simulator.exchange import Answer, Request
from simulator.lwa_face import LwaFace
from simulator.notes import Note
from simulator.queue_face import QueueFace
from simulator.record import Call, Record

FACES = frozenset({"consent", "lwa", "queue", "storage", "api"})
BODY_BYTES_MAX = 1_048_576
TEXT_SIZE_MAX = 512


@dataclass(frozen=True)
class Faces:
    """Whoever answers what comes in at each face."""

    consents: Consents
    lwa: LwaFace
    queue: QueueFace
    storage: StorageFace
    api: Api


class Amazon:
    """Answers every request and records it."""

    def __init__(
        self,
        *,
        clock: Clock,
        record: Record,
        request_ids: Callable[[int], str],
        faces: Faces,
    ) -> None:
        self._clock = clock
        self._record = record
        self._request_ids = request_ids
        self._faces = faces

    def answer(self, request: Request, faces: frozenset[str] = FACES) -> Answer:
        """Return the answer to a request that came in where only `faces` are served."""
        now = self._clock.now()
        note = Note(face=face_of(request))
        request_id = self._request_ids(self._record.ordinal + 1)
        is_strict = note.face != "storage"
        fault = exchange.strict_http_fault(request) if is_strict else None
        answer = fault or self._faced(request, note, faces=faces, now=now)
        name = "x-amzn-RequestId" if is_strict else "x-amz-request-id"
        answer = simulator.faults.with_header(answer, name, request_id)
        answer = simulator.faults.with_header(answer, "Date", format_datetime(now, usegmt=True))
        self._record.add(self._call(request, answer, note, request_id=request_id, now=now))
        answer = simulator.faults.with_header(answer, "Server", "Server" if is_strict else "AmazonS3")
        return replace(answer, ordinal=self._record.ordinal)

    def awaits_letter(self, request: Request) -> float:
        """Return for how many more seconds a caller would wait for what is not there yet; 0 for none."""
        if face_of(request) != "queue":
            return 0.0
        return self._faces.queue.awaits_letter(request, self._clock.now())

    def end(self, ordinal: int, ended_s: float) -> None:
        """Take note that a call's answer has left, or cannot any more."""
        self._record.end(ordinal, ended_s)

    def _faced(self, request: Request, note: Note, *, faces: frozenset[str], now: datetime) -> Answer:
        if note.face not in faces:
            return exchange.html_answer(404, "<html><body><h1>404 Not Found</h1></body></html>")
        if note.face == "consent":
            return self._faces.consents.answer(request, now)
        if note.face == "lwa":
            return self._faces.lwa.answer(request, note, now)
        if note.face == "queue":
            return self._faces.queue.answer(request, note, now)
        if note.face == "storage":
            return self._faces.storage.answer(request, note, now)
        return self._faces.api.answer(request, note, now)

    def _call(self, request: Request, answer: Answer, note: Note, *, request_id: str, now: datetime) -> Call:
        token = request.headers.get(simulator.tokens.TOKEN_HEADER, "")
        return Call(
            ordinal=self._record.ordinal + 1,
            at=now.isoformat(),
            request_id=request_id,
            face=note.face,
            method=request.method,
            path=request.path[:TEXT_SIZE_MAX],
            query_names=tuple(exchange.names(request.query)),
            header_names=tuple(exchange.names(tuple(request.headers.items()))),
            client=request.client,
            user_agent=request.headers.get("user-agent", "")[:TEXT_SIZE_MAX],
            operation=note.operation,
            application_id=note.application_id,
            seller_id=note.seller_id,
            grant_type=note.grant_type,
            token_kind=simulator.tokens.kind_of(token),
            token_digest=simulator.events.digest(token)[:16] if token else "",
            status=0 if answer.is_hung_up else answer.status,
            fault=note.fault.value,
            is_over_plan=note.is_over_plan,
            began_s=request.began_s,
        )


def face_of(request: Request) -> str:
    """Return the face that serves a request."""
    if simulator.queue_face.is_for_queue(request):
        return "queue"
    if simulator.documents.storage_face.is_for_storage(request.path):
        return "storage"
    if request.path == operations.LWA_TOKEN.path:
        return "lwa"
    return "consent" if request.path.startswith("/apps/authorize/") else "api"


def body_bytes_max(path: str) -> int:
    """Return how large a request's body may be."""
    if simulator.documents.storage_face.is_for_storage(path):
        return simulator.documents.storage_face.UPLOAD_BYTES_MAX
    return BODY_BYTES_MAX


def request_id_maker(seed: simulator.seed.Seed, boot: int) -> Callable[[int], str]:
    """Return what names the n-th call of the `boot`-th life of a simulator."""

    def request_id(ordinal: int) -> str:
        return simulator.seed.uuid_text(seed.digest("request", boot, ordinal))

    return request_id
