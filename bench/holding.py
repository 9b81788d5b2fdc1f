"""What a connection costs in memory while its desktop is silent."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice

from bench.parts import GATEWAY, Parts
from bench.reads import Reads, endless, tracking
from sallyport.bench.figures import NOT_INSTALLED, Series, ratio, table
from sallyport.bench.load import CONNECTIONS, connected
from sallyport.bench.peers import AIOHTTP, AXIOS, NGINX
from sallyport.bench.processor import held_bytes
from sallyport.layout import LOOPBACK

SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Held:
    """KiB for each connection, by part; None for one that is not installed."""

    connections: int
    kib: dict[str, Series | None]

    @property
    def ratio(self) -> Series | None:
        """How many times nginx's memory a connection of the gateway's takes."""
        nginx, ours = self.kib[NGINX], self.kib[GATEWAY]
        return ours.over(nginx) if nginx and ours else None

    def tables(self) -> Iterator[str]:
        """Yield the table's lines."""
        rows = [
            (part, str(kib or NOT_INSTALLED), ratio(kib, self.kib[NGINX])) for part, kib in self.kib.items()
        ]
        title = f"Memory of an idle TLS connection, {self.connections:,} held, each after one answer of 1 KB"
        return table(title, ("", "KiB a connection", "its own / nginx's"), rows)


async def measure(parts: Parts, reads: Reads, *, connections: int) -> Held:
    """Return what so many connections take, opened in rounds of CONNECTIONS, each after one answer."""
    kib: dict[str, Series | None] = {}
    for part in (NGINX, AXIOS, AIOHTTP, GATEWAY):
        peer = parts.peers[part]
        if peer is None:
            kib[part] = None
            continue
        requests = reads.plain.requests if part == GATEWAY else endless(tracking)
        before = held_bytes(peer.pid)
        async with AsyncExitStack() as things:
            for _ in range(0, connections, CONNECTIONS):
                opening = connected((LOOPBACK, peer.port), parts.tls)
                load = await things.enter_async_context(opening)
                await load.drive(islice(requests(), CONNECTIONS), seconds=SECONDS_MAX)
            kib[part] = Series.of([(held_bytes(peer.pid) - before) / 1_024 / connections])
    return Held(connections, kib)
