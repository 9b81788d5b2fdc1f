"""The connections to one origin: some idle, some under way, and callers that wait for one.

- At most CONNECTIONS_MAX at a time, at most WAITING_MAX callers in the queue, which is served in its order.
- A connection is used again only while it is young, was used lately, and has said nothing since: well before
  Amazon's load balancers end it.
- Whoever takes a connection gives it back or drops it, whatever happens.
"""

import asyncio
import contextlib
from collections import deque

from services.gateway.amazon.connection import Connection
from services.gateway.amazon.dialler import Dialler
from services.gateway.amazon.large_answers import LargeAnswers
from services.gateway.model.faults import UpstreamBusy, UpstreamUnreachable

# One per region, and regions may share an origin: at most three times as many in all.
CONNECTIONS_MAX = 128
WAITING_MAX = 1_000
# Source: Elastic Load Balancing, "Connection idle timeout": 60 s by default.
IDLE_S_MAX = 30.0
# So that addresses that Amazon has left are left here too.
AGE_S_MAX = 300.0
# For dials under way when everything ends.
CLOSE_S_MAX = 1.0


class Pool:
    """Lends connections to one origin."""

    def __init__(self, dialler: Dialler, large_answers: LargeAnswers) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialler = dialler
        self._large_answers = large_answers
        self._open: set[Connection] = set()
        self._idle: deque[Connection] = deque()
        self._dialling = 0
        self._dials: set[asyncio.Task[Connection]] = set()
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._sweep: asyncio.TimerHandle | None = None

    def reuse(self, now_s: float) -> Connection | None:
        """Return the idle connection that was used last, if one is fit for use.

        Args:
            now_s: a reading of the loop's clock.
        """
        while self._idle:
            connection = self._idle.pop()
            if now_s - connection.idle_at_s < IDLE_S_MAX and connection.is_silent:
                return connection
            self.drop(connection)
        return None

    async def take(self, until_s: float) -> Connection:
        """Return a connection for one exchange when none is idle: a new one, or one that is given back.

        Args:
            until_s: a reading of the loop's clock; who has none by then gets none.

        Raises:
            UpstreamBusy: too many wait already.
            UpstreamUnreachable: no connection came about.
        """
        try:
            async with asyncio.timeout_at(until_s):
                return await self._in_queue() or await self._dialled()
        except TimeoutError as error:
            raise UpstreamUnreachable from error

    def give_back(self, connection: Connection) -> None:
        """Take a connection back after an answer: for the next in the queue, or to wait for use."""
        now_s = self._loop.time()
        is_old = now_s - connection.made_at_s > AGE_S_MAX
        if is_old or not connection.is_kept or (self._waiting and not connection.is_silent):
            self.drop(connection)
        elif not (self._waiting and self._hand_on(connection)):
            self._rest(connection, now_s)

    def drop(self, connection: Connection) -> None:
        """End a connection; its place is free at once."""
        connection.abort()
        self._ended(connection)

    async def close(self) -> None:
        """End every connection; callers in the queue are on their own."""
        if self._sweep is not None:
            self._sweep.cancel()
        if self._dials:
            await asyncio.wait(self._dials, timeout=CLOSE_S_MAX)
        for connection in list(self._open):
            self.drop(connection)
        # Transports end in the loop's next turn.
        await asyncio.sleep(0)

    async def _dialled(self) -> Connection:
        """Return a new connection; when the caller goes away meanwhile, it is somebody else's."""
        dial = self._loop.create_task(self._dial())
        self._dials.add(dial)
        dial.add_done_callback(self._dials.discard)
        try:
            return await asyncio.shield(dial)
        except asyncio.CancelledError:
            dial.add_done_callback(self._adopt)
            raise

    async def _dial(self) -> Connection:
        try:
            connection = await self._dialler.dial(lambda: Connection(self._ended, self._large_answers))
            self._open.add(connection)
        finally:
            self._dialling -= 1
            self._call_next()
        return connection

    def _adopt(self, dial: asyncio.Task[Connection]) -> None:
        """Keep what was dialled for a caller that has gone."""
        if not dial.cancelled() and dial.exception() is None and not self._hand_on(dial.result()):
            self._rest(dial.result(), self._loop.time())

    async def _in_queue(self) -> Connection | None:
        """Return a connection that somebody gave back, or None and the right to dial one."""
        if self._has_room:
            self._dialling += 1
            return None
        if len(self._waiting) >= WAITING_MAX:
            raise UpstreamBusy
        future: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiting.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            self._decline(future)
            raise

    def _decline(self, future: asyncio.Future[Connection | None]) -> None:
        """Pass on what a caller was given in the moment in which it went away."""
        if future.cancelled():
            with contextlib.suppress(ValueError):
                self._waiting.remove(future)
            return
        connection = future.result()
        if connection is not None:
            self.give_back(connection)
        else:
            self._dialling -= 1
            self._call_next()

    @property
    def _has_room(self) -> bool:
        return len(self._open) + self._dialling < CONNECTIONS_MAX

    def _call_next(self) -> None:
        """Let those first in the queue dial, as many as there is room for."""
        while self._has_room and self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                self._dialling += 1
                future.set_result(None)

    def _hand_on(self, connection: Connection) -> bool:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(connection)
                return True
        return False

    def _rest(self, connection: Connection, now_s: float) -> None:
        connection.idle_at_s = now_s
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(IDLE_S_MAX, self._end_idle)

    def _end_idle(self) -> None:
        """End what was idle for too long, and come again while anything is."""
        now_s = self._loop.time()
        while self._idle and now_s - self._idle[0].idle_at_s >= IDLE_S_MAX:
            self.drop(self._idle.popleft())
        again_s = self._idle[0].idle_at_s + IDLE_S_MAX - now_s if self._idle else 0.0
        self._sweep = self._loop.call_later(again_s, self._end_idle) if self._idle else None

    def _ended(self, connection: Connection) -> None:
        """Forget a connection; told by itself, or known already."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._call_next()
