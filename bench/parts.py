"""What runs beside the stack: the peers, and a gateway that takes their upstream for Amazon.

The gateway and every peer have one processor to themselves; load, upstream and the rest of the stack share
another.
"""

import os
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import sallyport.environments
from bench.ports import free_port
from sallyport.bench import answers, processor
from sallyport.bench.peers import UPSTREAM, Ground, Peer, open_peers
from sallyport.layout import LOOPBACK
from sallyport.process import Process, Program
from sallyport.stack import Stack

GATEWAY = "gateway"
# The measured gateway lives in the present, like the desktops.
SHIFT = "SALLYPORT_DEVELOPMENT_CLOCK_FILE"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Who is measured.

    Attributes:
        peers: by name, the gateway and the upstream among them; None for one that is not installed.
        tls: trusts them all.
    """

    peers: Mapping[str, Peer | None]
    tls: ssl.SSLContext

    @property
    def gateway(self) -> Peer:
        """The gateway."""
        return self.sure(GATEWAY)

    def sure(self, name: str) -> Peer:
        """Return one that is always installed."""
        peer = self.peers[name]
        if peer is None:
            raise LookupError(name)
        return peer


def choose_cpus() -> tuple[int, int | None]:
    """Return the processors of the load and of the measured proxies; None when there is only one."""
    first, *others = sorted(os.sched_getaffinity(0))
    return first, others[-1] if others else None


@asynccontextmanager
async def open_parts(stack: Stack, proxy_cpu: int | None) -> AsyncIterator[Parts]:
    """Give the parts, running.

    Raises:
        EngineFailed, PartFailed: one of them did not come up.
    """
    ground = Ground(folder=stack.layout.folder / "bench", proxy_cpu=proxy_cpu)
    page = answers.page(datetime.now(UTC))
    tls = ssl.create_default_context(cafile=stack.ground.folder.services_ca_file)
    async with AsyncExitStack() as things:
        peers = await things.enter_async_context(open_peers(ground, small=answers.small(), page=page))
        tls.load_verify_locations(cafile=ground.folder / "ca.pem")
        upstream = peers[UPSTREAM]
        assert upstream is not None
        port = free_port()
        process = Process(_gateway(stack, ground, upstream=upstream, port=port))
        things.push_async_callback(process.stop)
        await process.start()
        gateway = Peer(GATEWAY, port, process.pid or 0)
        if proxy_cpu is not None:
            processor.pin(gateway.pid, [proxy_cpu])
        yield Parts(peers={**peers, GATEWAY: gateway}, tls=tls)


def _gateway(stack: Stack, ground: Ground, *, upstream: Peer, port: int) -> Program:
    """Return the gateway once more, with the stack's settings but for Amazon, time and where it listens."""
    layout, health = stack.layout, f"{LOOPBACK}:{free_port()}"
    amazon = f"https://localhost:{upstream.port}"
    environ = {
        **sallyport.environments.of_service("gateway", layout, stack.ground),
        **{f"SALLYPORT_SPAPI_URL_{region}": amazon for region in ("NA", "EU", "FE")},
        "SALLYPORT_AMAZON_CA_FILE": str(ground.folder / "ca.pem"),
        "SALLYPORT_PUBLIC_LISTEN": f"{LOOPBACK}:{port}",
        "SALLYPORT_PRIVATE_LISTEN": health,
    }
    del environ[SHIFT]
    return Program(
        name="measured gateway",
        command=(sys.executable, "-m", "services.gateway"),
        environ=environ,
        health_url=f"http://{health}/readyz",
        log_file=layout.logs / "bench-gateway.log",
    )
