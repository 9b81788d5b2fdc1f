"""What one call of Amazon costs: the gateway's own connections beside aiohttp's, in one run, TLS verified.

`python -m bench upstream-clients`. Each client runs in a process of its own and keeps 16 calls under way; the
upstream is the fair side of the hostile origin. Run as a module with arguments it is one such client:
`python -m bench.upstream_clients CLIENT FOLDER PORT CALLS`, which says microseconds of processor time a call.
"""

import argparse
import asyncio
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import uvloop

from bench.hostile.command import serving, write_certificates
from bench.shows import own_folder
from chassis.secrecy import Secret
from sallyport.bench.figures import Series, ratio, table
from sallyport.terminal import say
from services.gateway.amazon import Amazon
from services.gateway.model.calls import Region, UpstreamRequest

UNDER_WAY = 16
WARM_UP = 400
CALLS = 4_000
ROUNDS = 5
TIMEOUT_S = 12.0
PATH = "/shipping/v2/tracking"
HEADERS = (
    ("accept", "application/json"),
    ("x-amz-date", "20261122T120000Z"),
    ("user-agent", "Sallyport/0.1 (Language=Python/3.11; Platform=linux)"),
)
TOKEN = "Atza|" + "x" * 400

Send = Callable[[], Awaitable[int]]


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `upstream-clients` on the command line."""
    parser = verbs.add_parser(
        "upstream-clients",
        help="processor time of one call of Amazon, beside aiohttp's client",
        description="Take every client in turn, round by round; only the ratio means something.",
    )
    parser.add_argument("--rounds", type=int, choices=range(1, 21), default=ROUNDS, metavar="N", help="(5)")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Measure; print the table."""
    with own_folder("clients") as folder:
        uvloop.run(_measure(folder, options.rounds))
    return 0


async def _measure(folder: Path, rounds: int) -> None:
    taken: defaultdict[str, list[float]] = defaultdict(list)
    write_certificates(folder)
    async with serving(folder) as port:
        for _ in range(rounds):
            for name in CLIENTS:
                taken[name].append(await _one(name, folder, port))
    series = {name: Series.of(values) for name, values in taken.items()}
    rows = [(name, str(each), ratio(series["aiohttp"], each)) for name, each in series.items()]
    for line in table(
        f"One call of Amazon, {CALLS:,} a round", ("", "µs a call", "aiohttp's / its own"), rows
    ):
        say(line)


async def _one(name: str, folder: Path, port: int) -> float:
    """Return the microseconds that a client's process says."""
    command = (sys.executable, "-m", "bench.upstream_clients", name, str(folder), str(port), str(CALLS))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return float(said)


@asynccontextmanager
async def _gateways(tls: ssl.SSLContext, origin: str) -> AsyncIterator[Send]:
    async with Amazon.connect(base_urls=dict.fromkeys(Region, origin), tls=tls) as amazon:

        async def send() -> int:
            request = UpstreamRequest(
                region=Region.NA,
                method="GET",
                path=PATH,
                query="",
                headers=HEADERS,
                body=b"",
                token=Secret(TOKEN),
            )
            return (await amazon.send(request, timeout_s=TIMEOUT_S)).status

        yield send


@asynccontextmanager
async def _aiohttps(tls: ssl.SSLContext, origin: str) -> AsyncIterator[Send]:
    """Give what the gateway stood on before: aiohttp's session, bounded as far as it can be."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, limit=256, keepalive_timeout=30.0, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5.0),
        auto_decompress=False,
    ) as session:
        headers = [*HEADERS, ("accept-encoding", "gzip"), ("x-amz-access-token", TOKEN)]

        async def send() -> int:
            async with (
                asyncio.timeout(TIMEOUT_S),
                session.get(origin + PATH, headers=headers, allow_redirects=False) as answer,
            ):
                await answer.read()
                return answer.status

        yield send


CLIENTS = {"aiohttp": _aiohttps, "gateway": _gateways}


async def _spend(name: str, folder: Path, port: int, *, calls: int) -> float:
    """Return the processor time of one call in microseconds."""
    tls = ssl.create_default_context(cafile=folder / "ca.pem")
    async with CLIENTS[name](tls, f"https://localhost:{port}") as send:

        async def go(count: int) -> None:
            for _ in range(count):
                if await send() != 200:
                    raise RuntimeError("an answer was no success")

        await asyncio.gather(*(go(WARM_UP // UNDER_WAY) for _ in range(UNDER_WAY)))
        began_s = time.process_time()
        await asyncio.gather(*(go(calls // UNDER_WAY) for _ in range(UNDER_WAY)))
        return (time.process_time() - began_s) * 1e6 / (calls // UNDER_WAY * UNDER_WAY)


if __name__ == "__main__":
    spent_us = uvloop.run(_spend(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), calls=int(sys.argv[4])))
    sys.stdout.write(f"{spent_us}\n")
