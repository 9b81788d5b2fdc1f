"""Pages, sign-in and tokens: answered by chassis.web's routes behind the same socket.

The head is built anew from what was parsed, the body framed by us, and opened if it was encoded; the answer
goes out byte for byte. What a body may hold, how long it may take and how errors look is the routes' affair.
One request of ours is one request there, so nothing in it can be taken for another.
"""

import asyncio
import contextlib
from typing import Any

from chassis.errors import SallyportError
from chassis.web import Inlet, SocketlessSite
from services.gateway.door import answers, pace
from services.gateway.door.exchange import Exchange
from services.gateway.door.faults import ClientGone, MalformedRequest
from services.gateway.door.heads import CHUNKED
from services.gateway.door.ways import Way

_ENCODING = "content-encoding"
# Said between us and the client about the connection, or said anew.
_OURS = frozenset(
    {
        "connection",
        _ENCODING,
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Pages:
    """Hands requests to a site without a socket."""

    def __init__(self, site: SocketlessSite) -> None:
        self._site = site

    def ways(self) -> list[Way]:
        """Return the ways in: the site's routes."""
        return [Way(route.method, route.path, self) for route in self._site.routes]

    async def handle(self, request: Exchange) -> None:
        """Have a page answer; an answer that breaks off ends the connection."""
        if request.head.fields.value(_ENCODING):
            try:
                request.collect(await request.receive(self._site.body_bytes_max))
            except SallyportError as error:
                _refuse(request, error)
                return
        visit = _Visit(request)
        inlet = self._site.open(visit)
        request.line.follow(inlet)
        inlet.feed(_head(request))
        sending: set[asyncio.Task[None]] = set()
        try:
            if request.is_body_whole:
                inlet.feed(request.collected)
            elif request.framing.length <= self._site.body_bytes_max:
                sending.add(asyncio.create_task(visit.send_body(inlet)))
            is_kept = await visit.answered
        finally:
            await _cancel(sending)
            inlet.connection_lost(None)
        if is_kept is not None:
            request.hand_over(is_last=not is_kept)


class _Visit:
    """What the site is told about one request, and tells; chassis.web's Outlet."""

    def __init__(self, request: Exchange) -> None:
        self._request = request
        self._is_begun = False
        self._may_send = asyncio.Event()
        self._may_send.set()
        # Whether the connection may go on after the answer; None when there is no whole answer.
        self.answered: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()

    async def send_body(self, inlet: Inlet) -> None:
        """Hand over the body as it comes, no faster than it is taken."""
        is_chunked = self._request.framing.length == CHUNKED
        try:
            async for part in self._request.parts(pace.endless()):
                await self._may_send.wait()
                inlet.feed(answers.chunk(part) if is_chunked else part)
        except MalformedRequest as error:
            self._refuse(error)
            return
        if is_chunked:
            inlet.feed(answers.LAST_CHUNK)

    def write(self, data: bytes) -> None:
        if self.answered.done():
            return  # The line is another request's by now.
        self._is_begun = True
        # Who has gone is told about by connection_lost.
        with contextlib.suppress(ClientGone):
            self._request.line.write(data)

    def pause_body(self) -> None:
        self._may_send.clear()

    def resume_body(self) -> None:
        self._may_send.set()

    def end(self, *, is_kept: bool) -> None:
        if not self.answered.done():
            self.answered.set_result(is_kept)

    def break_off(self) -> None:
        if not self.answered.done():
            self.answered.set_result(None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._request.line.transport.get_extra_info(name, default)

    def _refuse(self, error: MalformedRequest) -> None:
        """Answer in the page's stead: what came is no body, so no page will see it whole."""
        if self._is_begun:
            self.break_off()
        else:
            self.write(self._request.house.last_words(error))
            self.end(is_kept=False)


def _head(request: Exchange) -> bytes:
    head, framing = request.head, request.framing
    lines = [f"{head.method} {head.target} HTTP/1.{0 if framing.is_old else 1}"]
    lines += [f"{name}: {value}" for name, value in head.fields if name not in _OURS]
    length = len(request.collected) if request.is_body_whole else framing.length
    if length == CHUNKED:
        lines.append("transfer-encoding: chunked")
    elif length:
        lines.append(f"content-length: {length}")
    if not framing.is_kept or request.house.is_draining:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _refuse(request: Exchange, error: SallyportError) -> None:
    """Answer in the page's stead."""
    with contextlib.suppress(ClientGone):
        request.line.write(request.house.last_words(error))
        request.hand_over(is_last=True)


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
