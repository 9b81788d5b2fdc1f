"""What an exchange, a connection and the server need of each other; each fits by shape."""

import asyncio
from typing import Protocol

from chassis.errors import SallyportError
from chassis.web import Places
from services.gateway.door import bodies
from services.gateway.door.limits import Limits
from services.gateway.door.pace import Pace


class House(Protocol):
    """What the exchanges of one server share.

    Attributes:
        is_strict_transport: see `chassis.web.security_headers`.
    """

    limits: Limits
    large_bodies: Places
    streams: Places
    is_strict_transport: bool

    @property
    def is_draining(self) -> bool:
        """Whether answers end their connections now."""
        ...

    def last_words(self, error: SallyportError) -> bytes:
        """Return the last answer of a connection, on which it is in doubt what the next byte means."""
        ...


class Follower(Protocol):
    """Somebody who writes to the connection by himself."""

    def pause_writing(self) -> None:
        """Write no more for now."""
        ...

    def resume_writing(self) -> None:
        """Go on."""
        ...

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give up: there is nobody any more."""
        ...


class Line(Protocol):
    """The connection, as long as it is this request's turn.

    Attributes:
        came_from: the network address at the other end; empty when it was gone at once.
    """

    came_from: str

    @property
    def has_unread(self) -> bool:
        """Whether something has come that nobody has read."""
        ...

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the connection."""
        ...

    def follow(self, follower: Follower) -> None:
        """Have somebody told what the event loop tells about writing, until the turn ends."""
        ...

    async def read(self, body: bodies.Body, patience: Pace) -> bytes:
        """Return the next part of a body; empty at its end.

        Raises:
            RequestTimeout: nothing came in time.
            MalformedRequest: it broke off, or is no body.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            ClientGone: there is nobody.
        """
        ...

    async def drain(self, patience: Pace) -> None:
        """Return when the client has taken enough of what was sent.

        Raises:
            ClientGone: it did not, in time or at all.
        """
        ...

    def end_turn(self, *, is_last: bool, is_lingering: bool) -> None:
        """Go on to the next request, or end the connection; the answer is out.

        Args:
            is_last: whether the connection ends.
            is_lingering: whether what still comes of the request is thrown away for a while before it does.
        """
        ...

    def abort(self) -> None:
        """End at once."""
        ...


class Signals(Protocol):
    """Counters of what is refused."""

    def refused(self, code: str) -> None:
        """Count one refusal by its stable code."""
        ...
