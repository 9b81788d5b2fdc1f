"""New connections to one origin: its addresses, and TLS with its name verified."""

import asyncio
import socket
import ssl
from collections.abc import Callable

from services.gateway.amazon.connection import Connection
from services.gateway.model.faults import UpstreamUnreachable

# For TCP and TLS together, with one address.
CONNECT_S_MAX = 5.0
ADDRESSES_MAX = 3
# Amazon's load balancers change their addresses by the minute.
ADDRESSES_KNOWN_S = 60.0


class Dialler:
    """Knows the way to one origin; spreads connections over its addresses."""

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
                async with asyncio.timeout(CONNECT_S_MAX):
                    return await self._connect(make, address)
            except (OSError, TimeoutError) as error:
                fault = error
        self._known_until_s = 0.0
        raise UpstreamUnreachable from fault

    async def _connect(self, make: Callable[[], Connection], address: str) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            make, address, self._port, ssl=self._tls, server_hostname=self._host
        )
        return connection

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
