"""The public port, from the first handshake to the last goodbye."""

import asyncio
import contextvars
import ssl
import weakref
from collections.abc import Callable
from typing import Any

import chassis.env
import chassis.errors
import chassis.log
from chassis.web import Places
from services.gateway.door import limits
from services.gateway.door.connection import Connection
from services.gateway.door.exchange import Exchange
from services.gateway.door.faults import Overloaded
from services.gateway.door.limits import Limits
from services.gateway.door.ports import House, Signals
from services.gateway.door.serving import Serving
from services.gateway.door.ways import Ways

# After the grace: how long cancelled requests get to clean up.
CANCEL_S_MAX = 1.0
DEFAULT_LIMITS = Limits()

_log = chassis.log.get("door")


class Door:
    """Serves ways in on one address; fits `chassis.run.Listener`.

    Args:
        listen: where; port 0 takes any free one.
        tls: gives the context for each handshake, so that renewal needs no restart; None serves plain HTTP.
        ways: all ways in.
        signals: hear of what is refused here.
        limits: bounds.
    """

    def __init__(
        self,
        *,
        listen: chassis.env.Address,
        tls: Callable[[], ssl.SSLContext] | None,
        ways: Ways,
        signals: Signals,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.limits = limits
        self.large_bodies = Places(limits.large_bodies_max)
        self.streams = Places(limits.streams_max)
        self.is_draining = False
        self.context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._listen = listen
        self._tls = tls
        self._serving = Serving(ways, signals, limits.requests_max)
        # From the accept on, because a handshake costs memory too; and those that may be waited for.
        self._accepted: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._connections: set[Connection] = set()
        self._requests: set[Exchange] = set()
        self._server: asyncio.Server | None = None
        self._next_look: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on, once started."""
        if self._server is None:
            return self._listen.port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            StartRefused: the address cannot be listened on.
        """
        context = self._listening_context()
        try:
            self._server = await self._loop.create_server(
                self._connect,
                self._listen.host,
                self._listen.port,
                ssl=context,
                ssl_handshake_timeout=limits.HANDSHAKE_DEADLINE_S if context else None,
                backlog=limits.BACKLOG_MAX,
            )
        except OSError as error:
            text = f"cannot listen on {self._listen}"
            raise chassis.errors.StartRefused("address_unavailable", text) from error
        self._look()

    async def stop(self, grace_s: float) -> None:
        """Take no new connections, let requests in flight finish for at most `grace_s`, then close."""
        self.is_draining = True
        if self._server is not None:
            self._server.close()
        for connection in [each for each in self._connections if each.is_idle]:
            connection.close()
        try:
            async with asyncio.timeout(grace_s):
                while self._connections or self._requests:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            if self._requests:
                _log.warning("requests_cut_off", count=len(self._requests))
            await self._cut_off()
        if self._next_look is not None:
            self._next_look.cancel()

    # What connections need

    def enter(self, connection: Connection) -> None:
        """See connection.House."""
        if self.is_draining:
            connection.close()
        self._connections.add(connection)

    def leave(self, connection: Connection) -> None:
        """See connection.House."""
        self._connections.discard(connection)
        self._changed.set()

    def serve(self, request: Exchange) -> None:
        """See connection.House."""
        request.task = self._loop.create_task(self._carry(request))
        self._requests.add(request)

    def render(self, error: chassis.errors.SallyportError) -> bytes:
        """See connection.House."""
        return self._serving.last_words(error)

    # Steps

    def _connect(self) -> asyncio.Protocol:
        if len(self._accepted) >= self.limits.connections_max:
            return _Refusal(self)
        connection = Connection(self)
        self._accepted.add(connection)
        return connection

    async def _carry(self, request: Exchange) -> None:
        try:
            await self._serving.carry(request)
        finally:
            self._requests.discard(request)
            if self.is_draining:
                self._changed.set()

    def _look(self) -> None:
        """End what has been waited for too long; look again soon."""
        now_s = self._loop.time()
        late = [each for each in self._connections if each.deadline_s < now_s]
        for connection in late[: limits.EXPIRED_AT_ONCE_MAX]:
            connection.expire()
        is_done = len(late) <= limits.EXPIRED_AT_ONCE_MAX
        self._next_look = self._loop.call_later(self.limits.look_s if is_done else 0, self._look)

    async def _cut_off(self) -> None:
        for connection in list(self._connections):
            connection.abort()
        tasks = [request.task for request in self._requests if request.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_S_MAX)

    def _listening_context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        tls = self._tls

        def take_current(shaking: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            shaking.context = tls()

        context = tls()
        context.sni_callback = take_current
        return context


class _Refusal(asyncio.Protocol):
    """Tells a connection that is one too many so, when it asks."""

    def __init__(self, house: House) -> None:
        self._house = house

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        loop = asyncio.get_running_loop()
        self._end = loop.call_later(limits.REFUSAL_S_MAX, transport.close)

    def data_received(self, _data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._house.render(Overloaded()))
            self._transport.close()

    def connection_lost(self, _exc: BaseException | None) -> None:
        self._end.cancel()
