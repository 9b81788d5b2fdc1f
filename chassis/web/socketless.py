"""Routes for requests that another server has read: the same handling as a site's, without a socket.

Each request is handed over as bytes, head first, and has an aiohttp connection of its own in memory, so no
two can be taken for one. The answer's bytes come back as they would go out.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiohttp import web

from chassis.web import connection
from chassis.web.serving import DEFAULT_LIMITS, Limits, Route, Serving

# After the grace: how long handlers get to end.
CLOSE_S_MAX = 1.0


class Outlet(Protocol):
    """Where an answer goes, and what the answering side says about the request."""

    def write(self, data: bytes) -> None:
        """Send bytes of the answer."""
        ...

    def pause_body(self) -> None:
        """Hand over no more of the body for now."""
        ...

    def resume_body(self) -> None:
        """Hand over more."""
        ...

    def end(self, *, is_kept: bool) -> None:
        """Hear that the whole answer is out, and whether the connection may go on; called once."""
        ...

    def break_off(self) -> None:
        """Hear that the answer will not become whole."""
        ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known about the client's connection, as transports do."""
        ...


class SocketlessSite:
    """Serves routes to requests that come from another server.

    Args:
        routes: all of them.
        body_bytes_max: largest body, after decompression.
        is_strict_transport: see `serving.security_headers`; clients speak TLS to the other server.
        limits: the other bounds; that on connections is the other server's.
    """

    def __init__(
        self,
        *,
        routes: Sequence[Route],
        body_bytes_max: int,
        is_strict_transport: bool,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.routes = routes
        self.body_bytes_max = body_bytes_max
        self._limits = limits
        self._serving = Serving(
            body_bytes_max=body_bytes_max, limits=limits, is_strict_transport=is_strict_transport
        )
        self._runner = web.AppRunner(self._serving.application(routes), shutdown_timeout=CLOSE_S_MAX)

    async def start(self) -> None:
        """Begin to serve."""
        await self._runner.setup()

    async def stop(self) -> None:
        """Close; whoever has the socket has let requests in flight finish."""
        await self._runner.cleanup()

    def open(self, outlet: Outlet) -> "Inlet":
        """Return where one request's bytes are handed over."""
        manager = self._runner.server
        if manager is None:
            raise RuntimeError("the site has not been started")
        return Inlet(manager, outlet, self._limits)


class Inlet:
    """Takes one request, framed strictly; also hears what the client's connection tells about writing."""

    def __init__(self, manager: web.Server, outlet: Outlet, limits: Limits) -> None:
        self._outlet = outlet
        self._is_over = False
        self._inner = _Inner(
            manager,
            loop=asyncio.get_running_loop(),
            head_deadline_s=limits.head_deadline_s,
            answer_deadline_s=limits.answer_deadline_s,
            tell=self._end,
        )
        self._inner.connection_made(_Pipe(outlet, on_close=self._break_off))

    def feed(self, data: bytes) -> None:
        """Hand over bytes of the request; those after its answer are ignored."""
        if not self._is_over:
            self._inner.data_received(data)

    def pause_writing(self) -> None:
        """Hear that the client takes less than is sent."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hear that it has taken most of it."""
        self._inner.resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Hear that there is nobody any more, or that the request is over."""
        self._break_off()
        self._inner.connection_lost(exc)

    def _end(self, is_kept: bool) -> None:
        if not self._is_over:
            self._is_over = True
            self._outlet.end(is_kept=is_kept)

    def _break_off(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._outlet.break_off()


class _Inner(connection.Connection):
    """An aiohttp connection that tells when its one answer is out."""

    __slots__ = ("_tell",)

    def __init__(self, manager: web.Server, *, tell: Callable[[bool], None], **options: Any) -> None:
        super().__init__(manager, **options)
        self._tell = tell

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """See Connection."""
        told = await super().finish_response(request, resp, start_time)
        if not told[1]:
            self._tell(bool(resp.keep_alive))
        return told


class _Pipe(asyncio.Transport):
    """What the aiohttp connection takes for its socket."""

    def __init__(self, outlet: Outlet, *, on_close: Callable[[], None]) -> None:
        super().__init__()
        self._outlet = outlet
        self._on_close = on_close
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._is_closing:
            self._outlet.write(bytes(data))

    def pause_reading(self) -> None:
        self._outlet.pause_body()

    def resume_reading(self) -> None:
        self._outlet.resume_body()

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True
        self._on_close()

    def abort(self) -> None:
        self.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._outlet.get_extra_info(name, default)
