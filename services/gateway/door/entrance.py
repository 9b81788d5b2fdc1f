"""Where strangers come in: one at a time and at a pace, however many knock at once (R-25).

A handshake costs more than a call. Whoever knocks waits in the kernel's queue until it is their turn, in the
order of their coming, so that a thousand newcomers are spread over seconds and those inside have their
turns between any two of them. What newcomers ask first has a pace of its own: many whose handshakes end
together still ask one after the other.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable

import chassis.env
import chassis.log
from services.gateway.door import limits

_log = chassis.log.get("door")


class Entrance:
    """Listens on one address, and on all that its name stands for.

    Args:
        admit: gets each new connection's socket.
    """

    def __init__(self, admit: Callable[[socket.socket], None]) -> None:
        self._admit = admit
        self._loop = asyncio.get_running_loop()
        self._listening: list[socket.socket] = []
        self._pause: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; of several the first."""
        port: int = self._listening[0].getsockname()[1]
        return port

    async def open(self, address: chassis.env.Address) -> None:
        """Begin to let connections in.

        Raises:
            OSError: the address cannot be listened on.
        """
        found = await self._loop.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        try:
            for family, _, _, _, place in dict.fromkeys(found):
                listening = socket.create_server(place, family=family, backlog=limits.BACKLOG_MAX)
                self._listening.append(listening)
                listening.setblocking(False)
        except OSError:
            self.close()
            raise
        self._watch()

    def close(self) -> None:
        """Let nobody in any more; who waits outside is sent away."""
        self._look_away()
        if self._pause is not None:
            self._pause.cancel()
        for listening in self._listening:
            listening.close()
        self._listening.clear()

    # Steps

    def _watch(self) -> None:
        for listening in self._listening:
            self._loop.add_reader(listening, self._accept, listening)

    def _look_away(self) -> None:
        for listening in self._listening:
            self._loop.remove_reader(listening)

    def _accept(self, listening: socket.socket) -> None:
        """Let one connection in, and then nobody for a while."""
        self._look_away()
        pause_s = limits.NEWCOMER_PAUSE_S
        try:
            newcomer, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            # They did not wait.
            pass
        except OSError as error:
            _log.warning("connection_not_accepted", error=error)
            pause_s = limits.ACCEPT_RETRY_S
        else:
            newcomer.setblocking(False)
            self._admit(newcomer)
        self._pause = self._loop.call_later(pause_s, self._watch)


class Turnstile:
    """Lets one through at a time and at a pace, in the order of their coming: at once when nobody waits."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_turning = False

    def queue(self, go_on: Callable[[], None]) -> None:
        """Have somebody go on when it is their turn."""
        self._waiting.append(go_on)
        if not self._is_turning:
            self._turn()

    def _turn(self) -> None:
        self._is_turning = bool(self._waiting)
        if self._is_turning:
            self._loop.call_later(limits.NEWCOMER_PAUSE_S, self._turn)
            self._waiting.popleft()()
