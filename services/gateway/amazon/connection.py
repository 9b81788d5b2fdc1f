"""One connection to an origin of Amazon's, and one exchange on it at a time."""

import asyncio
import select
from collections.abc import Callable
from typing import cast

from services.gateway.amazon.answers import AnswerReader
from services.gateway.amazon.deadline import Deadline
from services.gateway.amazon.large_answers import LargeAnswers
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import (
    DeadlineExceeded,
    UpstreamInvalid,
    UpstreamLost,
    UpstreamTimeout,
    UpstreamUnreachable,
)

# Anything that an idle connection says is its end: a close, or bytes that nobody asked for.
_SPOKE = select.POLLIN | select.POLLHUP | select.POLLERR


class Connection(asyncio.Protocol):
    """Says nothing unasked, and ends whatever says something unasked to it.

    Attributes:
        made_at_s, idle_at_s: readings of the loop's clock; the pool's.
    """

    def __init__(self, on_end: Callable[["Connection"], None], large_answers: LargeAnswers) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_end = on_end
        self._large_answers = large_answers
        self._reader = AnswerReader()
        self._waiter: asyncio.Future[UpstreamAnswer] | None = None
        self._deadline = Deadline(self._end_in_time)
        self._is_paused = False
        self._poll = select.poll()
        self.made_at_s = self.idle_at_s = self._loop.time()

    def exchange(self, request: bytes, until_s: float) -> asyncio.Future[UpstreamAnswer]:
        """Send a whole request; return where its answer comes, or one of the faults below.

        Args:
            request: as it goes over the wire.
            until_s: a reading of the loop's clock.

        Raises:
            DeadlineExceeded: by `until_s` a large answer had not been read, because it had to wait here.
            UpstreamInvalid: the answer is none that is taken.
            UpstreamLost: the connection ended first; Amazon may have seen the request.
            UpstreamTimeout: there was no whole answer by `until_s`.
            UpstreamUnreachable: at once, when it had ended before, so that nothing was sent.
        """
        if self._transport.is_closing():
            raise UpstreamUnreachable
        self._reader.expect()
        self._waiter = waiter = self._loop.create_future()
        self._deadline.set(until_s)
        self._transport.write(request)
        return waiter

    @property
    def is_kept(self) -> bool:
        """Whether the answer left the connection fit for another exchange.

        An answer that came before the whole request was sent leaves the rest of it on the way.
        """
        return (
            self._reader.is_kept
            and not self._transport.is_closing()
            and not self._transport.get_write_buffer_size()
        )

    @property
    def is_silent(self) -> bool:
        """Whether an idle connection has said nothing; what has not reached the loop yet counts."""
        return not self._transport.is_closing() and not self._poll.poll(0)

    def abort(self) -> None:
        """End it at once."""
        self._transport.abort()

    def pause(self) -> None:
        """Let the rest of an answer wait at Amazon's end."""
        self._is_paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        """Take the rest of an answer."""
        self._is_paused = False
        self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), _SPOKE)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to whom they answer; end the connection when they answer nobody."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            self.abort()
            return
        try:
            answer = self._reader.feed(data)
        except UpstreamInvalid as error:
            waiter.set_exception(error)
            self.abort()
            return
        if answer is not None:
            self._large_answers.leave(self)
            # Idle, a connection holds nothing of what it was told.
            self._waiter = None
            waiter.set_result(answer)
        elif self._reader.is_large:
            self._large_answers.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits, and the pool."""
        error = UpstreamLost()
        error.__cause__ = exc
        self._fail(error)
        self._large_answers.leave(self)
        self._deadline.clear()
        self._on_end(self)

    def _end_in_time(self) -> None:
        """Fail by the fault of whoever took too long."""
        self._fail(DeadlineExceeded() if self._is_paused else UpstreamTimeout())

    def _fail(self, error: Exception) -> None:
        """Tell whoever waits, if anybody does."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
