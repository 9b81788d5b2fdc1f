"""What happens to a request between its head and its answer; the same for every face.

It gets an id, a span and a place among those that are served at once; its error, if there is one, is
rendered; and one log line names the way's event kind, never the path, query, headers or body.
"""

import asyncio
import time

import chassis.errors
import chassis.log
import chassis.trace
from chassis.web import Places
from chassis.web.problem import understood
from services.gateway.door import answers
from services.gateway.door.exchange import Exchange
from services.gateway.door.faults import ClientGone
from services.gateway.door.ports import Signals
from services.gateway.door.ways import Way, Ways
from services.gateway.model import faults

REQUEST_ID_HEADER = "x-request-id"

_log = chassis.log.get("door")


class Serving:
    """Carries requests to their faces."""

    def __init__(self, ways: Ways, signals: Signals, requests_max: int, *, is_strict_transport: bool) -> None:
        self._ways = ways
        self._signals = signals
        self._places = Places(requests_max)
        self._is_strict_transport = is_strict_transport

    async def carry(self, request: Exchange) -> None:
        """Have one request answered, whatever happens."""
        head = request.head
        way = self._ways.find(head.method, head.target)
        try:
            if not way.event:
                await way.face.handle(request)
                return
            began_s = time.monotonic()
            given = head.fields.first.get(REQUEST_ID_HEADER)
            with chassis.trace.serving(given, event=way.event, method=head.method) as request.request_id:
                raised = await self._answer(request, way)
                self._tell(request, way, began_s=began_s, raised=raised)
        finally:
            request.leave()

    def last_words(self, error: chassis.errors.SallyportError) -> bytes:
        """Return the last answer of a connection, as no face would give it; it quotes nothing that came."""
        self._signals.refused(error.code)
        with chassis.trace.bind_request_id(None) as request_id:
            _log.info("request_unreadable", code=error.code)
            answer = faults.render(error, request_id)
            head = answers.head(
                answer.status,
                answer.headers,
                length=len(answer.body),
                request_id=request_id,
                is_last=True,
                is_strict_transport=self._is_strict_transport,
            )
            return head + answer.body

    def _tell(self, request: Exchange, way: Way, *, began_s: float, raised: Exception | None) -> None:
        """Leave the log line of one request."""
        told = {
            "kind": way.event,
            "method": request.head.method,
            "status": request.status,
            "duration_ms": int((time.monotonic() - began_s) * 10_000) / 10,
        }
        if raised is None:
            _log.info("request_served" if request.is_ended else "request_abandoned", **told)
            return
        shown = understood(raised)
        self._signals.refused(shown.code)
        level = chassis.errors.treatment_of(shown).log_level
        # Only what nobody foresaw is told with the places it passed; a refusal has said its reason.
        details = {"error": raised} if level == "error" else {}
        _log.at(level, "request_refused", **told, code=shown.code, **details)

    async def _answer(self, request: Exchange, way: Way) -> Exception | None:
        """Return what was raised instead of an answer, if anything was; the client has been told."""
        try:
            self._places.take()
            try:
                await way.face.handle(request)
            finally:
                self._places.leave()
            if not request.is_ended:
                raise RuntimeError("a face has not answered")  # noqa: TRY301 - told like what the face raises
        except ClientGone:
            return None
        except asyncio.CancelledError:
            if not request.is_abandoned:
                raise
            return None
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened becomes an answer
            if not request.is_begun:
                _refuse(request, understood(error), way)
            return error
        return None


def _refuse(request: Exchange, error: chassis.errors.SallyportError, way: Way) -> None:
    try:
        request.refuse(error, way.render(error, request.request_id))
    except ClientGone:
        return
