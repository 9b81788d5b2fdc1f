"""How much longer one caller waits when the gateway stands between: one connection, nothing else to do."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bench.parts import GATEWAY, Parts
from bench.reads import PAGE, SMALL, Read, Reads, endless, orders, tracking
from sallyport.bench.figures import NOT_INSTALLED, Series, table
from sallyport.bench.load import connected
from sallyport.bench.peers import AXIOS, NGINX, UPSTREAM
from sallyport.layout import LOOPBACK

P50, P99 = 0.5, 0.99
SECONDS_MAX = 4.0


@dataclass(frozen=True)
class Wait:
    """Who is asked for what; for each quantile, milliseconds by round."""

    part: str
    read: Read
    measured_ms: defaultdict[float, list[float]] = field(default_factory=lambda: defaultdict(list))

    def added(self, direct: "Wait", quantile: float) -> Series | None:
        """Return by how much more this is than with nobody between, by round; None if not measured."""
        pairs = zip(self.measured_ms[quantile], direct.measured_ms[quantile], strict=False)
        differences = [mine - theirs for mine, theirs in pairs]
        return Series.of(differences) if differences else None


@dataclass(frozen=True)
class Waits:
    """How long everybody takes."""

    waits: Sequence[Wait]

    def added(self, part: str, read: Read, quantile: float) -> Series | None:
        """Return how much longer one read takes, in milliseconds."""
        wait = next(each for each in self.waits if each.part == part and each.read is read)
        return wait.added(self._direct(wait), quantile)

    def tables(self) -> Iterator[str]:
        """Yield the table's lines."""
        rows = [
            (
                f"{each.part}: {each.read.name}",
                *(_cell(each.measured_ms[quantile]) for quantile in (P50, P99)),
                *(str(each.added(self._direct(each), quantile) or NOT_INSTALLED) for quantile in (P50, P99)),
            )
            for each in self.waits
        ]
        columns = ("", "p50, ms", "p99, ms", "added at p50, ms", "added at p99, ms")
        return table("How long one caller waits, one connection, otherwise idle", columns, rows)

    def _direct(self, wait: Wait) -> Wait:
        return next(each for each in self.waits if each.part == UPSTREAM and each.read.size == wait.read.size)


async def measure(parts: Parts, reads: Reads, *, rounds: int, requests: int) -> Waits:
    """Return how long everybody takes for so many requests, one after the other, in each round."""
    small = Read("1 KB", SMALL, endless(tracking))
    page = Read("20 KB", PAGE, endless(orders))
    passing = [Wait(name, read) for read in (small, page) for name in (UPSTREAM, NGINX, AXIOS)]
    waits = passing + [Wait(GATEWAY, read) for read in reads.all]
    for _ in range(rounds):
        for wait in waits:
            peer = parts.peers[wait.part]
            if peer is not None:
                async with connected((LOOPBACK, peer.port), parts.tls, connections=1) as load:
                    asked = islice(wait.read.requests(), requests)
                    taken_ms = sorted(1_000 * s for s in await load.drive(asked, seconds=SECONDS_MAX))
                for quantile in (P50, P99):
                    wait.measured_ms[quantile].append(taken_ms[int(quantile * (len(taken_ms) - 1))])
    return Waits(waits)


def _cell(values: Sequence[float]) -> str:
    return str(Series.of(values)) if values else NOT_INSTALLED
