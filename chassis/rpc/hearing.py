"""The requests of streams, as handlers hear them: until the caller is done or silent, or the server stops.

Each of them ends a stream between two requests, in order; one just sent is not taken up then, nor answered.
One timer looks after all streams, because one for each request would cost more than hearing it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import grpc.aio

from chassis.rpc import transport

# A caller may be silent for so much longer than `transport.SILENCE_S_MAX`.
LOOK_S = 5.0

Read: TypeAlias = Callable[[], Awaitable[Any]]
"""Waits for one caller's next request; gives gRPC's EOF when there will be none."""


class Hearing:
    """The streams that wait for their callers' next requests."""

    def __init__(self) -> None:
        self._waiting: set[Requests] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def requests(self, read: Read) -> AsyncIterator[Any]:
        """Give what one caller sends, in the task that handles it."""
        return Requests(self, read)

    def begin(self, requests: "Requests") -> bool:
        """Note that a stream waits; return whether it may."""
        if self._is_over:
            return False
        self._waiting.add(requests)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)
        return True

    def end(self, requests: "Requests") -> None:
        """Note that a stream no longer waits."""
        self._waiting.discard(requests)

    def close(self) -> None:
        """Hear nobody any more; what was heard is still answered."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        for requests in self._waiting:
            requests.interrupt()

    def _look(self) -> None:
        """Interrupt the silent, and come back while anybody waits."""
        loop = asyncio.get_running_loop()
        for requests in self._waiting:
            if requests.waits_since_s + transport.SILENCE_S_MAX <= loop.time():
                requests.interrupt()
        self._timer = loop.call_later(LOOK_S, self._look) if self._waiting else None


class Requests:
    """One caller's; a class, because a generator would have to be closed.

    Attributes:
        waits_since_s: by the loop's clock.
    """

    def __init__(self, hearing: Hearing, read: Read) -> None:
        self._hearing = hearing
        self._read = read
        self._task = asyncio.current_task()
        self._is_interrupted = False
        self.waits_since_s = 0.0

    def __aiter__(self) -> "Requests":
        return self

    async def __anext__(self) -> Any:
        if not self._hearing.begin(self):
            raise StopAsyncIteration
        self.waits_since_s = asyncio.get_running_loop().time()
        try:
            request = await self._read()
        except asyncio.CancelledError:
            if self._is_interrupted and self._is_cancelled_by_nobody_else():
                raise StopAsyncIteration from None
            raise
        finally:
            self._hearing.end(self)
        if request is grpc.aio.EOF:
            raise StopAsyncIteration
        return request

    def interrupt(self) -> None:
        """End the wait."""
        if self._task is not None and not self._is_interrupted:
            self._is_interrupted = True
            self._task.cancel()

    def _is_cancelled_by_nobody_else(self) -> bool:
        return self._task is not None and self._task.uncancel() == 0
