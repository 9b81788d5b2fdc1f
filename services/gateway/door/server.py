"""The public port, from the first handshake to the last goodbye."""

import asyncio
import contextlib
import contextvars
import socket
import ssl
from collections.abc import Callable
from typing import Any

import chassis.env
import chassis.errors
import chassis.log
from chassis.web import Places
from services.gateway.door import limits
from services.gateway.door.connection import Connection
from services.gateway.door.entrance import Entrance, Turnstile
from services.gateway.door.exchange import Exchange
from services.gateway.door.faults import Overloaded
from services.gateway.door.handshakes import Handshakes, quiet
from services.gateway.door.heads import HeadReader
from services.gateway.door.limits import Limits
from services.gateway.door.ports import House, Signals
from services.gateway.door.serving import Serving
from services.gateway.door.unsent import Unsent
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
        is_strict_transport: see `chassis.web.security_headers`.
        limits: bounds.
    """

    def __init__(
        self,
        *,
        listen: chassis.env.Address,
        tls: Callable[[], ssl.SSLContext] | None,
        ways: Ways,
        signals: Signals,
        is_strict_transport: bool = True,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.limits = limits
        self.is_strict_transport = is_strict_transport
        self.large_bodies = Places(limits.large_bodies_max)
        self.streams = Places(limits.streams_max)
        self.is_draining = False
        self.context = contextvars.copy_context()
        self.heads = HeadReader()
        self.unsent = Unsent(limits.unsent_bytes_max)
        self._loop = asyncio.get_running_loop()
        self._listen = listen
        self._serving = Serving(ways, signals, limits.requests_max, is_strict_transport=is_strict_transport)
        self._entrance = Entrance(self._admit)
        self._turnstile = Turnstile()
        self._handshakes = Handshakes(tls)
        self._quiet = contextlib.ExitStack()
        self._connections: set[Connection] = set()
        self._requests: set[Exchange] = set()
        self._next_look: asyncio.TimerHandle | None = None
        self._heads_end_s = 0.0
        self._changed = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on, once started."""
        return self._entrance.port

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            StartRefused: the address cannot be listened on.
        """
        try:
            await self._entrance.open(self._listen)
        except OSError as error:
            text = f"cannot listen on {self._listen}"
            raise chassis.errors.StartRefused("address_unavailable", text) from error
        self._quiet.enter_context(quiet(self._loop))
        self._look()

    async def stop(self, grace_s: float) -> None:
        """Take no new connections, let requests in flight finish for at most `grace_s`, then close."""
        self.is_draining = True
        self._entrance.close()
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
        self._handshakes.break_off()
        if self._next_look is not None:
            self._next_look.cancel()
        self._quiet.close()

    # What connections need

    def enter(self, connection: Connection) -> None:
        """See connection.House."""
        if self.is_draining:
            connection.close()
        self._connections.add(connection)
        self._turnstile.queue(connection.come_in)

    def leave(self, connection: Connection) -> None:
        """See connection.House."""
        self._connections.discard(connection)
        self._changed.set()

    def serve(self, request: Exchange) -> None:
        """See connection.House."""
        request.task = self._loop.create_task(self._carry(request))
        self._requests.add(request)

    def last_words(self, error: chassis.errors.SallyportError) -> bytes:
        """See connection.House."""
        return self._serving.last_words(error)

    # Steps

    def _admit(self, newcomer: socket.socket) -> None:
        # Handshakes count, because they cost memory too.
        is_full = len(self._handshakes) + len(self._connections) >= self.limits.connections_max
        protocol = _Refusal(self) if is_full else Connection(self)
        self._handshakes.begin(newcomer, protocol)

    async def _carry(self, request: Exchange) -> None:
        try:
            await self._serving.carry(request)
        finally:
            self._requests.discard(request)
            if self.is_draining:
                self._changed.set()

    def _look(self) -> None:
        """End what has been waited for, or known, for too long; look again soon."""
        now_s = self._loop.time()
        if now_s >= self._heads_end_s:
            self._heads_end_s = now_s + limits.HEADS_KNOWN_S_MAX
            self.heads.forget()
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


class _Refusal(asyncio.Protocol):
    """Tells a connection that is one too many so, when it asks."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        loop = asyncio.get_running_loop()
        # Not in good order: TLS would wait for a goodbye, and nobody counts those who say none.
        self._end = loop.call_later(limits.REFUSAL_S_MAX, self._transport.abort)

    def data_received(self, _data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._house.last_words(Overloaded()))
            self._transport.close()

    def connection_lost(self, _exc: BaseException | None) -> None:
        self._end.cancel()
