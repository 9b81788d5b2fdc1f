"""New connections to one origin: its addresses, and TLS with its name verified."""

import asyncio
import socket
import ssl
from collections.abc import Callable

import aiofastnet

from services.gateway.amazon.connection import Connection
from services.gateway.model.faults import UpstreamUnreachable

# With one address.
REACH_S_MAX = 3.0
HANDSHAKE_S_MAX = 5.0
ADDRESSES_MAX = 3
# Amazon's load balancers change their addresses by the minute.
ADDRESSES_KNOWN_S = 60.0


class Dialler:
    """Knows the way to one origin; spreads connections over its addresses.

    A dial that was begun is best left to end by itself, which it does within bounds: aiofastnet, cancelled
    before a handshake has begun, leaves its socket registered with the loop.
    """

    def __init__(self, *, host: str, port: int, tls: ssl.SSLContext) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._addresses: list[str] = []
        self._known_until_s = 0.0
        self._asking = asyncio.Lock()
        self._turn = 0

    async def dial(self, make: Callable[[], Connection]) -> Connection:
        """Return a new connection to whoever proves the origin's name.

        Raises:
            UpstreamUnreachable: nobody does, at any of up to ADDRESSES_MAX addresses.
        """
        fault: Exception | None = None
        for address in await self._next_addresses():
            try:
                return await self._connect(make, address)
            except (OSError, TimeoutError) as error:
                fault = error
        self._known_until_s = 0.0
        raise UpstreamUnreachable from fault

    async def _connect(self, make: Callable[[], Connection], address: str) -> Connection:
        sock = await self._reach(address)
        _, connection = await aiofastnet.create_connection(
            asyncio.get_running_loop(),
            make,
            sock=sock,
            ssl=self._tls,
            server_hostname=self._host,
            ssl_handshake_timeout=HANDSHAKE_S_MAX,
        )
        return connection

    async def _reach(self, address: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(REACH_S_MAX):
                await asyncio.get_running_loop().sock_connect(sock, (address, self._port))
        except BaseException:
            sock.close()
            raise
        return sock

    async def _next_addresses(self) -> list[str]:
        """Return the addresses to try, each time beginning with another one."""
        async with self._asking:
            if asyncio.get_running_loop().time() >= self._known_until_s:
                await self._ask()
        self._turn += 1
        start = self._turn % len(self._addresses)
        return (self._addresses[start:] + self._addresses[:start])[:ADDRESSES_MAX]

    async def _ask(self) -> None:
        """Learn the addresses; when nobody tells them, the ones known before must do."""
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            if not self._addresses:
                raise UpstreamUnreachable from error
            return
        self._addresses = list(dict.fromkeys(str(info[4][0]) for info in infos))
        self._known_until_s = loop.time() + ADDRESSES_KNOWN_S
