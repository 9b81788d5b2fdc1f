"""A line to a peer: one request after the other over one stream, which costs half of a call each.

- Answers come in the order of the requests, so a stream that owes one is never used again.
- What a peer's handler raises ends the stream and is raised here, as with a call; the next request begins
  another one.
- No stream takes requests for longer than `transport.LINE_S_MAX`, so that renewed certificates are shown and
  every replica of the peer has its turn. It ends between two requests.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

import grpc.aio

from chassis.rpc import status, transport

HANG_UP_S_MAX = 1.0

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Stream(Generic[Request, Answer]):
    """One gRPC stream, from its beginning to its end."""

    def __init__(
        self,
        call: "grpc.aio.StreamStreamCall[bytes, Answer]",
        *,
        serialize: Callable[[Request], bytes],
        release: Callable[[], Awaitable[None]],
    ) -> None:
        """Begin; `release` gives the stream's connection back."""
        self._call = call
        self._serialize = serialize
        self._release = release
        self._loop = asyncio.get_running_loop()
        self._until_s = self._loop.time() + transport.LINE_S_MAX
        self._was_heard = False
        self._due_s = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False

    def is_over(self) -> bool:
        """Return whether it takes no more requests."""
        return self._loop.time() >= self._until_s or self._call.done()

    async def exchange(self, request: Request, *, within_s: float) -> Answer:
        """Return the answer to a request; the stream must not be over.

        Raises:
            SallyportError: as `Line.ask`; the stream is of no more use.
        """
        self._set_due(within_s)
        try:
            if await self._is_heard():
                await self._write(request)
            answer = await self._call.read()
        except grpc.aio.AioRpcError as failure:
            raise status.rebuilt(failure) from failure
        except asyncio.CancelledError as error:
            if self._is_late and not _is_cancelled():
                raise status.DeadlineExceeded from error
            raise
        finally:
            self._due_s = math.inf
        if answer is grpc.aio.EOF:
            raise status.PeerUnavailable
        return cast("Answer", answer)

    async def end(self) -> None:
        """End it in order, between two requests."""
        try:
            async with asyncio.timeout(HANG_UP_S_MAX):
                await self._call.done_writing()
                await self._call.code()
        except (TimeoutError, grpc.aio.BaseError):
            pass  # It ends all the same, only not in order.
        finally:
            await self.drop()

    async def drop(self) -> None:
        """End it at once."""
        if self._timer is not None:
            self._timer.cancel()
        self._call.cancel()
        await self._release()

    def _set_due(self, within_s: float) -> None:
        """Expect an answer; one timer sees to all, because one for each would cost a tenth of a request."""
        self._due_s = self._loop.time() + within_s
        if self._timer is None:
            self._timer = self._loop.call_at(self._due_s, self._look)

    def _look(self) -> None:
        """Let a late request fail, or look again when the present one would be late."""
        self._timer = None
        if self._due_s <= self._loop.time():
            self._is_late = True
            self._call.cancel()
        elif self._due_s < math.inf:
            self._timer = self._loop.call_at(self._due_s, self._look)

    async def _is_heard(self) -> bool:
        """Return whether the peer takes requests; one that does not says why to whoever reads."""
        if not self._was_heard:
            self._was_heard = transport.IS_HEARD in dict(await self._call.initial_metadata())
        return self._was_heard

    async def _write(self, request: Request) -> None:
        message = self._serialize(request)
        if len(message) > transport.MESSAGE_BYTES_MAX:
            raise status.MessageTooLarge
        try:
            await self._call.write(message)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as failure:
            # gRPC says the same of whatever kept it from writing.
            raise status.PeerUnavailable from failure


class Line(Generic[Request, Answer]):
    """Ask as often as you like; nothing is dialled before the first time."""

    def __init__(self, begin: Callable[[], Stream[Request, Answer]], *, answer_s_max: float) -> None:
        self._begin = begin
        self._answer_s_max = answer_s_max
        self._stream: Stream[Request, Answer] | None = None
        self._turn = asyncio.Lock()

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request; several at once wait for each other.

        Raises:
            DeadlineExceeded: it did not come in time; whether anything happened is not known.
            PeerUnavailable: the peer went away, or ended the stream first; nor is it then.
            MethodUnknown: the peer has no such method.
            MessageTooLarge: it is larger than a connection carries.
            SallyportError: what its handler raised.
        """
        async with self._turn:
            stream = await self._take_stream()
            try:
                answer = await stream.exchange(request, within_s=self._answer_s_max)
            except BaseException:
                await stream.drop()
                raise
            self._stream = stream
            return answer

    async def hang_up(self) -> None:
        """End the stream, if there is one, in order."""
        async with self._turn:
            stream, self._stream = self._stream, None
            if stream is not None:
                await stream.end()

    async def _take_stream(self) -> Stream[Request, Answer]:
        """Return a stream that takes one more request; it is the line's again once that is answered."""
        stream, self._stream = self._stream, None
        if stream is not None and stream.is_over():
            await stream.end()
            stream = None
        return stream or self._begin()


def _is_cancelled() -> bool:
    """Return whether somebody cancelled the present task, whatever else was cancelled beside it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
