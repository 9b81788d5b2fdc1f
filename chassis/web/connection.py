"""One connection from a stranger: deadlines and caps that aiohttp does not have.

- A request's head arrives whole within HEAD_DEADLINE_S of the connection or of its first byte, and
  within HEAD_BYTES_MAX; otherwise 408 or 431 and the connection ends (T-09).
- An answer is taken within ANSWER_DEADLINE_S of being ready, or the connection ends (R-25).
- What cannot be read as HTTP is answered with a problem document that quotes nothing of it.

It reaches into aiohttp's RequestHandler for one fact, whether a head is still incomplete, which has
no public name; the lock file pins aiohttp, and tests drive every deadline over a real socket.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

import chassis.errors
import chassis.log
import chassis.trace
from chassis.web import problem

HEAD_DEADLINE_S = 10.0
HEAD_BYTES_MAX = 64 * 1024
HEAD_LINE_BYTES_MAX = 8190
HEAD_FIELDS_MAX = 100
IDLE_S_MAX = 75.0
ANSWER_DEADLINE_S = 60.0
# How long the unread rest of a refused body is thrown away, so that the client gets to read the answer.
LINGER_S_MAX = 2.0

REQUEST_ID_HEADER = "X-Request-Id"
SERVER_NAME = "sallyport"

_log = chassis.log.get("web")


class Connection(web.RequestHandler):
    """An aiohttp connection that gives up on those who are slow or too large."""

    __slots__ = ("_answer_deadline_s", "_head_bytes", "_head_deadline", "_head_deadline_s")

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        head_deadline_s: float,
        answer_deadline_s: float,
    ) -> None:
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=IDLE_S_MAX,
            access_log=None,  # type: ignore[arg-type] # aiohttp takes None for "no access log"
            max_line_size=HEAD_LINE_BYTES_MAX,
            max_field_size=HEAD_LINE_BYTES_MAX,
            max_headers=HEAD_FIELDS_MAX,
            lingering_time=LINGER_S_MAX,
        )
        self._head_deadline_s = head_deadline_s
        self._answer_deadline_s = answer_deadline_s
        self._head_deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    async def start(self) -> None:
        """Serve; nobody, when the client left before its turn came, which aiohttp takes for a mistake."""
        if self.transport is not None:
            await super().start()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the deadline."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the parser, and watch those that do not yet make a whole head."""
        super().data_received(data)
        is_waiting = self._waiter is not None and not self._waiter.done()
        if self._request_count and not is_waiting:
            self._end_head()
            return
        self._await_head()
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    async def finish_response(
        self,
        request: web.BaseRequest,
        resp: web.StreamResponse,
        start_time: float | None,
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; end the connection when the client does not take it in time."""
        try:
            async with asyncio.timeout(self._answer_deadline_s):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self._abort()
            return resp, True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        _message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not even become a request."""
        if request.writer.output_size > 0:
            raise ConnectionResetError
        error = _reason(status, exc)
        with chassis.trace.bind_request_id(None):
            _log.warning("request_unreadable", code=error.code, error=exc)
            response = problem.as_problem(None, error)
            response.headers[REQUEST_ID_HEADER] = chassis.trace.request_id()
        response.headers["Server"] = SERVER_NAME
        response.headers["Connection"] = "close"
        response.force_close()
        return response

    def _await_head(self) -> None:
        if self._head_deadline is None:
            loop = asyncio.get_running_loop()
            self._head_deadline = loop.call_later(self._head_deadline_s, self._give_up_on_head)

    def _end_head(self) -> None:
        self._head_bytes = 0
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _give_up_on_head(self) -> None:
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.force_close()

    def _refuse(self, status: HTTPStatus) -> None:
        """Say why with nothing but a status line: there is no request to answer in any better form."""
        self._end_head()
        transport: Any = self.transport
        if transport is not None and not transport.is_closing():
            line = f"HTTP/1.1 {status.value} {status.phrase}"
            transport.write(f"{line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii"))
        self.force_close()

    def _abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abort()
        self.force_close()


def _reason(status: int, exc: BaseException | None) -> chassis.errors.SallyportError:
    if isinstance(exc, LineTooLong):
        return problem.HeadTooLarge()
    if status == HTTPStatus.BAD_REQUEST:
        return problem.MalformedRequest()
    return chassis.errors.Internal()
