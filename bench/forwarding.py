"""What serving one read costs the gateway in processor time, beside proxies that do nothing else."""

import itertools
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import aiohttp

from bench.figures import NOT_INSTALLED, Series, ratio, table
from bench.load import CONNECTIONS, Streams, connected, drive, get
from bench.parts import Pids, folder_of, port_of
from bench.processor import read, spent_ns
from sallyport.demo.scene import Program, Scene
from sallyport.stack import Stack

WARM_UP = 200
READ = "/shipping/v2/tracking?trackingId=1Z999&carrierId=UPS"
"""A read of Amazon's without personal data, with a quota of which 16 callers feel nothing."""
BEHIND = ("auth", "retention", "telemetry", "openbao", "postgres")
OWN = "own"


@dataclass(frozen=True)
class Subject:
    """Who is measured, doing what; `requests` makes a number of requests.

    Attributes:
        pid: the measured process; None when it is not installed.
        cpu_us: microseconds a request, by round; of the process, and of what works behind it.
    """

    name: str
    part: str
    pid: int | None
    requests: Callable[[int], Iterator[bytes]]
    cpu_us: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def series(self, part: str = OWN) -> Series | None:
        """Return what was measured; None when nothing was."""
        return Series.of(self.cpu_us[part]) if self.cpu_us[part] else None


async def measure(scene: Scene, pids: Pids, *, rounds: int, requests: int) -> Iterator[str]:
    """Return the table; every round takes every subject in turn."""
    subjects = await _subjects(scene, pids)
    tls = ssl.create_default_context(cafile=scene.stack.ground.folder.services_ca_file)
    tls.load_verify_locations(cafile=folder_of(scene.stack.layout) / "ca.pem")
    for _ in range(rounds):
        # So that the nonce in this round's proofs is young.
        await scene.desktop.call("GET", READ)
        for subject in subjects:
            if subject.pid is not None:
                async with connected(port_of(scene.stack.layout, subject.part), tls) as connections:
                    await drive(connections, subject.requests(WARM_UP))
                    await _round(scene.stack, subject, (connections, list(subject.requests(requests))))
    return itertools.chain(_proxies(subjects, requests), _behind(subjects))


async def _round(stack: Stack, subject: Subject, load: tuple[list[Streams], list[bytes]]) -> None:
    connections, requests = load
    families = {OWN: subject.pid, **{part: stack.supervisor.pid_of(part) for part in BEHIND}}
    families["PostgreSQL's TLS door"] = stack.ground.postgres.door.pid
    before = {part: read([pid]) for part, pid in families.items() if pid}
    await drive(connections, iter(requests))
    for part, reading in before.items():
        spent_us = spent_ns(reading, read([families[part] or 0])) / 1_000
        subject.cpu_us[part].append(spent_us / len(requests))


def _proxies(subjects: Sequence[Subject], requests: int) -> Iterator[str]:
    nginx, plain = (each.series() for each in subjects[:2])
    title = f"Processor time of one read, {requests:,} a round over {CONNECTIONS} connections"
    columns = ("", "µs a request", "nginx's / its own", "aiohttp's / its own")
    rows = [
        (
            each.name,
            str(each.series() or NOT_INSTALLED),
            ratio(nginx, each.series()),
            ratio(plain, each.series()),
        )
        for each in subjects
    ]
    return table(title, columns, rows)


def _behind(subjects: Sequence[Subject]) -> Iterator[str]:
    ours = [each for each in subjects if each.part == "gateway"]
    parts = [part for part in ours[0].cpu_us if part != OWN]
    rows = [(each.name, *(str(each.series(part)) for part in parts)) for each in ours]
    return table("What works behind the gateway meanwhile, µs a request", ("", *parts), rows)


async def _subjects(scene: Scene, pids: Pids) -> list[Subject]:
    """Return the peers, nginx first, then the gateway's reads."""
    if scene.trusted is None or scene.untrusted is None:
        raise LookupError("the desktops are not enrolled")
    trusted, untrusted = await _token(scene, scene.trusted), await _token(scene, scene.untrusted)
    address = f"/orders/v0/orders/{scene.the_order.order_id}/address"

    def same(target: str, token: str = "") -> Callable[[int], Iterator[bytes]]:
        return lambda count: itertools.repeat(get(target, x_amz_access_token=token), count)

    def proven(count: int) -> Iterator[bytes]:
        url, token = scene.stack.layout.public_url + READ.partition("?")[0], scene.desktop.access_token
        for _ in range(count):
            proof = scene.desktop.proof("GET", url, token)
            yield get(READ, Authorization=f"DPoP {token}", DPoP=proof)

    gateway = pids["gateway"]
    return [
        Subject("nginx, passing 1 KB through", "nginx", pids["nginx"], same(READ)),
        Subject("aiohttp, passing 1 KB through", "aiohttp", pids["aiohttp"], same(READ)),
        Subject("gateway, read of 1 KB", "gateway", gateway, same(READ, trusted)),
        Subject("gateway, the same with a DPoP proof", "gateway", gateway, proven),
        Subject("gateway, address from the safe, in full", "gateway", gateway, same(address, trusted)),
        Subject("gateway, address from the safe, masked", "gateway", gateway, same(address, untrusted)),
    ]


async def _token(scene: Scene, program: Program) -> str:
    """Return an access token, got as an unmodified library gets it."""
    form = {
        "grant_type": "refresh_token",
        "client_id": program.device_id,
        "refresh_token": program.refresh_token,
    }
    tls = ssl.create_default_context(cafile=scene.stack.ground.folder.services_ca_file)
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        url = f"{scene.stack.layout.public_url}/auth/o2/token"
        async with session.post(url, data=form, ssl=tls) as answer:
            token: str = (await answer.json())["access_token"]
            return token
