"""What serving one read costs the gateway in processor time, beside proxies that do nothing else."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.parts import GATEWAY, Parts
from bench.reads import PAGE, SMALL, Read, Reads, endless, orders, tracking
from sallyport.bench.figures import NOT_INSTALLED, Series, ratio, table
from sallyport.bench.load import CONNECTIONS, Load, LoadFailed, connected
from sallyport.bench.peers import AIOHTTP, AXIOS, NGINX, Peer
from sallyport.bench.processor import read, spent_ns
from sallyport.demo.scene import Scene
from sallyport.layout import LOOPBACK
from sallyport.stack import Stack

PEERS = (NGINX, AXIOS, AIOHTTP)
BEHIND = ("auth", "retention", "telemetry", "openbao", "postgres")
DOOR = "PostgreSQL's TLS door"
OWN, BUSY, TOGETHER = "own", "busy", "together"
WARM_UP_SHARE = 0.25


@dataclass(frozen=True)
class Subject:
    """Who is measured, doing what.

    Attributes:
        peer: None when it is not installed.
        measured: by what it is, a value for each round: microseconds a request of the proxy (OWN), of each
            part behind it and of all TOGETHER; the share of its processor that it used (BUSY).
    """

    part: str
    peer: Peer | None
    read: Read
    measured: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def series(self, what: str = OWN) -> Series | None:
        """Return what was measured; None when nothing was."""
        return Series.of(self.measured[what]) if self.measured[what] else None


@dataclass(frozen=True)
class Costs:
    """What every subject costs."""

    subjects: Sequence[Subject]

    def of(self, part: str, read: Read | str) -> Series | None:
        """Return microseconds a request of one part, for one read or for a size of passing through."""
        meant = (each for each in self.subjects if each.part == part)
        return next(each.series() for each in meant if read in {each.read, each.read.size})

    def tables(self) -> Iterator[str]:
        """Yield both tables' lines."""
        return itertools.chain(self._proxies(), self._behind())

    def _proxies(self) -> Iterator[str]:
        title = f"Processor time of one read over {CONNECTIONS} connections"
        columns = ("", "µs a request", *(f"{name}'s / its own" for name in PEERS), "of its processor")
        rows = [
            (
                f"{each.part}: {each.read.name}",
                str(each.series() or NOT_INSTALLED),
                *(ratio(self.of(name, each.read.size), each.series()) for name in PEERS),
                str(each.series(BUSY) or NOT_INSTALLED),
            )
            for each in self.subjects
        ]
        return table(title, columns, rows)

    def _behind(self) -> Iterator[str]:
        ours = [each for each in self.subjects if each.part == GATEWAY]
        parts = (*BEHIND, DOOR, TOGETHER)
        rows = [(each.read.name, *(str(each.series(part)) for part in parts)) for each in ours]
        columns = ("", *parts[:-1], "with the gateway")
        return table("What works behind the gateway meanwhile, µs a request", columns, rows)


async def measure(scene: Scene, parts: Parts, reads: Reads, *, rounds: int, seconds: float) -> Costs:
    """Return what everybody costs; every round takes every subject in turn."""
    passed = (
        Read("passing 1 KB through", SMALL, endless(tracking)),
        Read("passing 20 KB through", PAGE, endless(orders)),
    )
    subjects = [Subject(name, parts.peers[name], read) for read in passed for name in PEERS]
    subjects += [Subject(GATEWAY, parts.gateway, read) for read in reads.all]
    for _ in range(rounds):
        # So that the nonce in this round's proofs is young.
        await scene.desktop.call("GET", tracking(0))
        for subject in subjects:
            if subject.peer is not None:
                try:
                    await _load(scene.stack, subject, parts, seconds=seconds)
                except (LoadFailed, TimeoutError) as error:
                    raise LoadFailed(f"{subject.part}, {subject.read.name}: {error}") from error
    return Costs(subjects)


async def _load(stack: Stack, subject: Subject, parts: Parts, *, seconds: float) -> None:
    assert subject.peer is not None
    async with connected((LOOPBACK, subject.peer.port), parts.tls) as load:
        await load.drive(subject.read.requests(), seconds=seconds * WARM_UP_SHARE)
        await _take(stack, subject, load, seconds=seconds)


async def _take(stack: Stack, subject: Subject, load: Load, *, seconds: float) -> None:
    assert subject.peer is not None
    families = {OWN: subject.peer.pid, **{part: stack.supervisor.pid_of(part) for part in BEHIND}}
    families[DOOR] = stack.ground.postgres.door.pid
    requests = subject.read.requests()
    before = {part: read([pid]) for part, pid in families.items() if pid}
    began_s = time.perf_counter()
    answered = len(await load.drive(requests, seconds=seconds))
    elapsed_s = time.perf_counter() - began_s
    spent_us = {
        part: spent_ns(reading, read([families[part] or 0])) / 1_000 for part, reading in before.items()
    }
    for part, us in spent_us.items():
        subject.measured[part].append(us / answered)
    subject.measured[TOGETHER].append(sum(spent_us.values()) / answered)
    subject.measured[BUSY].append(spent_us[OWN] / 1_000_000 / elapsed_s)
