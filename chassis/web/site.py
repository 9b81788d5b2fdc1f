"""A site: routes behind one listening address, over plain HTTP, so an address that is private."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

import chassis.env
import chassis.errors
from chassis.web.connection import Connection
from chassis.web.serving import DEFAULT_LIMITS, Limits, Route, Serving

BACKLOG_MAX = 1024
# After the grace: how long connections get to say goodbye.
CLOSE_S_MAX = 1.0


class Site:
    """Serves routes on one address.

    Args:
        listen: where; port 0 takes any free one.
        routes: all ways in.
        body_bytes_max: largest body, after decompression.
        limits: the other bounds.
    """

    def __init__(
        self,
        *,
        listen: chassis.env.Address,
        routes: Sequence[Route],
        body_bytes_max: int,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._listen = listen
        self._limits = limits
        self._serving = Serving(body_bytes_max=body_bytes_max, limits=limits, is_strict_transport=False)
        self._server: asyncio.Server | None = None
        self._runner = web.AppRunner(self._serving.application(routes), shutdown_timeout=CLOSE_S_MAX)

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
        await self._runner.setup()
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connect,
                self._listen.host,
                self._listen.port,
                backlog=BACKLOG_MAX,
            )
        except OSError as error:
            await self._runner.cleanup()
            text = f"cannot listen on {self._listen}"
            raise chassis.errors.StartRefused("address_unavailable", text) from error

    async def stop(self, grace_s: float) -> None:
        """Take no new connections, let requests in flight finish for at most `grace_s`, then close."""
        if self._server is not None:
            self._server.close()
        await self._serving.drain(grace_s)
        await self._runner.cleanup()

    def _connect(self) -> asyncio.Protocol:
        manager = self._runner.server
        if manager is None or len(manager.connections) >= self._limits.connections_max:
            return _Refusal()
        return Connection(
            manager,
            loop=asyncio.get_running_loop(),
            head_deadline_s=self._limits.head_deadline_s,
            answer_deadline_s=self._limits.answer_deadline_s,
        )


class _Refusal(asyncio.Protocol):
    """Ends a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
