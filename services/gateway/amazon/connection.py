"""One connection to an origin of Amazon's, and one exchange on it at a time."""

import asyncio
import select
from collections.abc import Callable
from typing import cast

from services.gateway.amazon.answers import AnswerReader
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.faults import UpstreamInvalid, UpstreamLost, UpstreamUnreachable

# Anything that an idle connection says is its end: a close, or bytes that nobody asked for.
_SPOKE = select.POLLIN | select.POLLHUP | select.POLLERR


class Connection(asyncio.Protocol):
    """Says nothing unasked, and ends whatever says something unasked to it.

    Attributes:
        made_at_s, idle_at_s: readings of the loop's clock; the pool's.
    """

    def __init__(self, on_end: Callable[["Connection"], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_end = on_end
        self._reader = AnswerReader()
        self._waiter: asyncio.Future[UpstreamAnswer] | None = None
        self._poll = select.poll()
        self.made_at_s = self.idle_at_s = self._loop.time()

    async def exchange(self, request: bytes) -> UpstreamAnswer:
        """Return the answer to a whole request.

        Raises:
            UpstreamInvalid: it is none that is taken.
            UpstreamLost: the connection ended first; Amazon may have seen the request.
            UpstreamUnreachable: it had ended before, so that nothing was sent.
        """
        if self._transport.is_closing():
            raise UpstreamUnreachable
        self._reader.expect()
        waiter: asyncio.Future[UpstreamAnswer] = self._loop.create_future()
        self._waiter = waiter
        self._transport.write(request)
        try:
            return await waiter
        finally:
            # A caller that went away in the very moment of a fault does not hear of it.
            if waiter.done() and not waiter.cancelled():
                waiter.exception()

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
            waiter.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits, and the pool."""
        if self._waiter is not None and not self._waiter.done():
            error = UpstreamLost()
            error.__cause__ = exc
            self._waiter.set_exception(error)
        self._on_end(self)
