"""One connection from a stranger: one request at a time, and a deadline whatever it is waited for.

- What follows a request stays unread until that one is answered and the answer has been taken; when too
  much is unread, reading pauses. So answers come in the order of the requests, and memory has a bound.
- A small body is collected before anybody is called: a slow client costs its connection and nothing else.
- Where it is in doubt what the next byte means, the connection ends with the answer (T-09).
- Deadlines are compared with the clock by the server's look round, so that waiting costs no timer.
"""

import asyncio
import enum
import math
from contextvars import Context
from typing import Any, Protocol

import chassis.errors
from services.gateway.door import bodies, heads, limits, ports
from services.gateway.door.exchange import Exchange
from services.gateway.door.faults import ClientGone, MalformedRequest, RequestTimeout
from services.gateway.door.pace import Pace
from services.gateway.door.ports import Follower
from services.gateway.door.unsent import Unsent

NEVER = math.inf


class Phase(enum.Enum):
    """What a connection is doing."""

    NEW = enum.auto()
    """Waits for its turn to ask; what comes is kept."""
    HEAD = enum.auto()
    """Waits for a request's head; nothing of it may have come."""
    BODY = enum.auto()
    """Collects a small body."""
    TURN = enum.auto()
    """Its request is with a face."""
    TAKING = enum.auto()
    """Waits until the client has taken enough of the last answer."""
    LINGER = enum.auto()
    """The last answer is out; what still comes is thrown away."""
    CLOSING = enum.auto()
    """Waits to be gone."""


class House(ports.House, Protocol):
    """What connections of one server share.

    Attributes:
        context: of no request.
        heads: reads theirs.
        unsent: bounds what they have not taken.
    """

    context: Context
    heads: heads.HeadReader
    unsent: Unsent

    def enter(self, connection: "Connection") -> None:
        """Look after a connection."""
        ...

    def leave(self, connection: "Connection") -> None:
        """Forget a connection."""
        ...

    def serve(self, request: Exchange) -> None:
        """Have a request answered."""
        ...


class Connection(asyncio.Protocol):
    """See the module.

    Attributes:
        came_from: see ports.Line.
        deadline_s: when what is waited for has taken too long.
    """

    __slots__ = (
        "__weakref__",
        "_exchange",
        "_follower",
        "_house",
        "_is_full",
        "_is_reading_paused",
        "_line_at",
        "_loop",
        "_phase",
        "_reading",
        "_transport",
        "_unread",
        "_writing",
        "came_from",
        "deadline_s",
    )

    def __init__(self, house: House) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._phase = Phase.NEW
        self._unread: bytes | bytearray = b""
        self._line_at = 0
        self._exchange: Exchange | None = None
        self._follower: Follower | None = None
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._is_full = False
        self._is_reading_paused = False
        self.came_from = ""
        self.deadline_s = NEVER

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        self._transport = transport
        self.came_from, *_ = transport.get_extra_info("peername") or ("",)
        self._wait(self._house.limits.head_deadline_s)
        self._house.enter(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell whoever waits."""
        self._phase, self._unread, self.deadline_s = Phase.CLOSING, b"", NEVER
        self._house.leave(self)
        self._house.unsent.let_go(self)
        _release(self._reading)
        _release(self._writing)
        if self._follower is not None:
            self._follower.connection_lost(exc)
        if self._exchange is not None:
            self._exchange.abandon()

    def data_received(self, data: bytes) -> None:
        """Keep what came, and see what it makes."""
        if self._phase is Phase.LINGER or self._phase is Phase.CLOSING:
            return
        if self._unread:
            if not isinstance(self._unread, bytearray):
                self._unread = bytearray(self._unread)
            self._unread += data
        else:
            self._unread = data
        if self._phase is Phase.HEAD:
            self._look_for_head()
        elif self._phase is Phase.BODY:
            self._collect()
        else:
            _release(self._reading)
            if len(self._unread) > limits.READ_AHEAD_BYTES_MAX and not self._is_reading_paused:
                self._is_reading_paused = True
                self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Hear that the client takes less than is sent."""
        self._is_full = True
        if self._follower is not None:
            self._follower.pause_writing()

    def resume_writing(self) -> None:
        """Hear that the client has taken most of it."""
        self._is_full = False
        self._house.unsent.let_go(self)
        _release(self._writing)
        if self._follower is not None:
            self._follower.resume_writing()
        if self._phase is Phase.TAKING:
            self._next()

    # What the server tells

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request has come that is not answered."""
        return (self._phase is Phase.HEAD or self._phase is Phase.NEW) and not self._unread

    def come_in(self) -> None:
        """Hear the first request."""
        if self._phase is Phase.NEW:
            self._phase = Phase.HEAD
            self._resume_reading()
            self._look_again()

    def expire(self) -> None:
        """Act on a deadline that has passed."""
        match self._phase:
            case Phase.NEW | Phase.HEAD if not self._unread:
                self.close()
            case Phase.NEW | Phase.HEAD | Phase.BODY:
                self._refuse(RequestTimeout())
            case Phase.TURN if self._reading is not None and self._writing is None:
                self.deadline_s = NEVER
                if not self._reading.done():
                    self._reading.set_exception(RequestTimeout())
            case Phase.LINGER:
                self.close()
            case _:
                self.abort()

    def close(self) -> None:
        """End in good order: what was sent is delivered, if the client takes it."""
        self._phase = Phase.CLOSING
        self._wait(self._house.limits.answer_deadline_s if self._is_full else limits.CLOSE_S_MAX)
        # Who reads nothing more does not hear the client leave either.
        self._resume_reading()
        self._transport.close()

    def abort(self) -> None:
        """End at once."""
        self._phase, self.deadline_s = Phase.CLOSING, NEVER
        self._transport.abort()

    # What its exchange does

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the connection."""
        transport: asyncio.Transport = self._transport
        return transport

    @property
    def has_unread(self) -> bool:
        """Whether something has come that nobody has read."""
        return bool(self._unread)

    def follow(self, follower: Follower) -> None:
        """Have somebody told what the event loop tells about writing, until the turn ends."""
        self._follower = follower
        if self._is_full:
            follower.pause_writing()

    async def read(self, body: bodies.Body, patience: Pace) -> bytes:
        """Return the next part of a body; empty at its end.

        Args:
            body: what is being read.
            patience: how long to wait when nothing has come.

        Raises:
            RequestTimeout: nothing came in time.
            MalformedRequest: it broke off, or is no body.
        """
        while True:
            part, used = body.take(self._unread)
            self._use(used)
            if part or body.is_whole:
                return part
            if self._phase is not Phase.TURN:
                raise MalformedRequest
            self._resume_reading()
            self._reading = self._loop.create_future()
            try:
                await self._arrive(self._reading, patience)
            finally:
                self._reading = None

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            ClientGone: there is nobody.
        """
        if self._phase is not Phase.TURN:
            raise ClientGone
        self._transport.write(data)

    async def drain(self, patience: Pace) -> None:
        """Return when the client has taken enough of what was sent.

        Raises:
            ClientGone: it did not, in time or at all.
        """
        if self._is_full and self._phase is Phase.TURN:
            self._writing = self._loop.create_future()
            try:
                await self._arrive(self._writing, patience)
            finally:
                self._writing = None
        if self._phase is not Phase.TURN:
            raise ClientGone

    def end_turn(self, *, is_last: bool, is_lingering: bool) -> None:
        """See ports.Line."""
        self._exchange = self._follower = None
        if self._phase is not Phase.TURN:
            return
        if is_last:
            self._part(is_lingering=is_lingering)
        elif self._is_full:
            self._phase = Phase.TAKING
            self._wait(self._house.limits.answer_deadline_s)
        else:
            self._next()
        if self._is_full:
            self._house.unsent.hold(self, self._transport.get_write_buffer_size())

    # Steps

    def _look_for_head(self) -> None:
        end = self._unread.find(heads.END, max(self._line_at - len(heads.END) // 2, 0))
        try:
            if end >= 0:
                self._begin(end + len(heads.END))
                return
            self._line_at = heads.check_beginning(self._unread, self._line_at)
        except chassis.errors.SallyportError as error:
            self._refuse(error)
            return
        self.deadline_s = min(self.deadline_s, self._loop.time() + self._house.limits.head_deadline_s)

    def _begin(self, head_end: int) -> None:
        """Make a request of a whole head."""
        head, framing = self._house.heads.read(bytes(self._unread[:head_end]))
        self._use(head_end)
        self._line_at = 0
        self._exchange = Exchange(self, self._house, head=head, framing=framing)
        if 0 < framing.length <= limits.SMALL_BODY_BYTES_MAX and not framing.expects_continue:
            self._phase = Phase.BODY
            self._wait(self._house.limits.body_deadline_s)
            self._collect()
        else:
            self._serve(self._exchange)

    def _collect(self) -> None:
        assert self._exchange is not None
        length = self._exchange.framing.length
        if len(self._unread) >= length:
            self._exchange.collect(bytes(self._unread[:length]))
            self._use(length)
            self._serve(self._exchange)

    def _serve(self, request: Exchange) -> None:
        self._phase, self.deadline_s = Phase.TURN, NEVER
        self._house.serve(request)

    def _next(self) -> None:
        """Wait for the next head; what has come already is looked at afresh, outside of this request."""
        if self._house.is_draining and not self._unread:
            self.close()
            return
        self._phase = Phase.HEAD
        self._wait(self._house.limits.idle_s_max)
        self._resume_reading()
        if self._unread:
            self._loop.call_soon(self._look_again, context=self._house.context)

    def _look_again(self) -> None:
        if self._phase is Phase.HEAD and self._unread:
            self._look_for_head()

    def _refuse(self, error: chassis.errors.SallyportError) -> None:
        """Answer what made no request, and part."""
        self._exchange = None
        self._transport.write(self._house.last_words(error))
        self._part(is_lingering=True)

    def _part(self, *, is_lingering: bool) -> None:
        self._unread = b""
        if not is_lingering:
            self.close()
            return
        self._phase = Phase.LINGER
        self._wait(self._house.limits.linger_s_max)
        self._resume_reading()

    def _use(self, size: int) -> None:
        """Drop what has been read; what is left is moved once, however many pieces are read of it."""
        if size == len(self._unread):
            self._unread = b""
        elif isinstance(self._unread, bytearray):
            del self._unread[:size]
        else:
            self._unread = bytearray(self._unread[size:])

    def _resume_reading(self) -> None:
        if self._is_reading_paused:
            self._is_reading_paused = False
            self._transport.resume_reading()

    def _wait(self, patience_s: float) -> None:
        self.deadline_s = self._loop.time() + patience_s

    async def _arrive(self, arrival: asyncio.Future[None], patience: Pace) -> None:
        began_s = self._loop.time()
        self.deadline_s = began_s + patience.left_s
        try:
            await arrival
        finally:
            self.deadline_s = NEVER
            patience.wait(self._loop.time() - began_s)


def _release(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
