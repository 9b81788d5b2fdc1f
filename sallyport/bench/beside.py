"""One answer of a running gateway's, and the same answer through proxies that do nothing else."""

import asyncio
import itertools
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chassis.secrecy import Secret
from sallyport.bench import peers, processor
from sallyport.bench.figures import NOT_INSTALLED, Series, table
from sallyport.bench.load import (
    HEAD_END,
    LENGTH_FORM,
    SAID_BYTES_MAX,
    SUCCESS,
    LoadFailed,
    connected,
    get,
)
from sallyport.bench.upstream import LOOPBACK

GATEWAY = "gateway"
SECONDS_MAX = 600.0
FIRST_S_MAX = 30.0
P50, P99 = 0.5, 0.99
UNKNOWN = "-"
# Who answers is told by the gateway; nothing else in front of Amazon's SP-API has this header.
SOURCE_FORM = re.compile(rb"\r\nx-sallyport-source: *([a-z]+)\r", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured.

    Attributes:
        path: with its query, encoded.
        requests: to each.
        connections: at a time, to each.
        pid: the gateway's process; None when it is elsewhere.
        axios_folder: see `peers.Ground`.
    """

    host: str
    port: int
    path: str
    token: Secret[str]
    tls: ssl.SSLContext = field(repr=False)
    requests: int
    connections: int
    pid: int | None = None
    axios_folder: Path = peers.AXIOS_FOLDER


@dataclass(frozen=True)
class Side:
    """Somebody who is asked."""

    host: str
    port: int
    pid: int | None
    tls: ssl.SSLContext
    name: str
    request: bytes


async def measure(plan: Plan, folder: Path) -> Iterator[str]:
    """Return the table, and who gave the gateway's answers.

    Args:
        plan: what is measured.
        folder: gets what the peers need.

    Raises:
        LoadFailed: an answer was no success.
        EngineFailed: a peer did not come up.
        OSError, TimeoutError: the gateway cannot be reached, or does not answer.
    """
    gateway = _gateway(plan)
    body, _ = await _once(gateway)
    ground = peers.Ground(folder=folder, axios_folder=plan.axios_folder)
    async with peers.open_peers(ground, small=body) as running:
        tls = ssl.create_default_context(cafile=folder / "ca.pem")
        rows = []
        for name, peer in running.items():
            if peer is None:
                rows.append((name, *[NOT_INSTALLED] * 4))
                continue
            side = Side(LOOPBACK, peer.port, peer.pid, tls, "localhost", get(plan.path))
            rows.append((name, *await _asked(side, plan)))
        rows.append((GATEWAY, *await _asked(gateway, plan)))
    _, source = await _once(gateway)
    title = (
        f"An answer of {len(body):,} bytes, {plan.requests:,} times over {plan.connections:,} connection(s)"
    )
    columns = ("", "p50, ms", "p99, ms", "answers/s", "processor, µs an answer")
    return itertools.chain(table(title, columns, rows), _told(source))


def _gateway(plan: Plan) -> Side:
    request = get(plan.path, host=plan.host, x_amz_access_token=plan.token.reveal())
    return Side(plan.host, plan.port, plan.pid, plan.tls, plan.host, request)


def _told(source: str) -> Iterator[str]:
    """Yield who gave the gateway's answers in the end: what it keeps costs it neither quota nor Amazon."""
    if source:
        yield f"\nThe gateway's last answer came from: {source}"


async def _once(gateway: Side) -> tuple[bytes, str]:
    """Return the body of one answer of the gateway's, and who gave it; an empty text where it does not say.

    Raises:
        LoadFailed: it is no success.
    """
    async with asyncio.timeout(FIRST_S_MAX):
        reader, writer = await asyncio.open_connection(
            gateway.host, gateway.port, ssl=gateway.tls, server_hostname=gateway.name
        )
        try:
            writer.write(gateway.request)
            head = await reader.readuntil(HEAD_END)
            found = LENGTH_FORM.search(head)
            body = await reader.readexactly(int(found[1])) if found else b""
        finally:
            writer.close()
    if found is None or not head.startswith(SUCCESS):
        said = head.partition(b"\r")[0] + b" " + body[:SAID_BYTES_MAX]
        raise LoadFailed(said.decode(errors="replace"))
    named = SOURCE_FORM.search(head)
    return body, named[1].decode() if named else ""


async def _asked(side: Side, plan: Plan) -> tuple[str, ...]:
    """Return one side's cells."""
    address = (side.host, side.port)
    async with connected(address, side.tls, connections=plan.connections, name=side.name) as load:
        before = processor.read([side.pid]) if side.pid else {}
        began_s = time.perf_counter()
        taken_s = sorted(await load.drive(itertools.repeat(side.request, plan.requests), seconds=SECONDS_MAX))
        elapsed_s = time.perf_counter() - began_s
        after = processor.read([side.pid]) if side.pid else {}
    spent_us = processor.spent_ns(before, after) / 1_000 / len(taken_s)
    values = [*(1_000 * taken_s[int(share * (len(taken_s) - 1))] for share in (P50, P99))]
    cells = [str(Series.of([value])) for value in (*values, len(taken_s) / elapsed_s)]
    return (*cells, str(Series.of([spent_us])) if side.pid else UNKNOWN)
