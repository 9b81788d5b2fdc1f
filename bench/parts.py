"""What runs beside the stack: the upstream, the peers, and a gateway that takes the upstream for Amazon."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import sallyport.environments
from sallyport.engines.authority import Authority, write_private
from sallyport.engines.child import Child, EngineFailed
from sallyport.engines.child import Program as EngineProgram
from sallyport.layout import LOOPBACK, Layout
from sallyport.process import Process, Program
from sallyport.stack import Stack

UP_WITHIN_S = 20.0
LOOK_EVERY_S = 0.05
STOP_GRACE_S = 5.0
# Of a layout's 20 ports, some that its stack leaves free.
PORTS = {"upstream": 7, "nginx": 8, "aiohttp": 9, "gateway": 18, "health": 19}

Pids = Mapping[str, int | None]
"""Process ids by part; None for what is not installed."""


def port_of(layout: Layout, name: str) -> int:
    """Return where one of PORTS' parts listens."""
    return layout.base_port + PORTS[name]


def folder_of(layout: Layout) -> Path:
    """Return where the parts' certificate lies, with `ca.pem` beside it."""
    return layout.folder / "bench"


@asynccontextmanager
async def open_parts(stack: Stack) -> AsyncIterator[Pids]:
    """Give the parts, running.

    Raises:
        EngineFailed, PartFailed: one of them did not come up.
    """
    layout, folder = stack.layout, folder_of(stack.layout)
    for content, name in zip(
        Authority(folder).issue_server(["localhost"]), ("server.pem", "server.key"), strict=True
    ):
        write_private(folder / name, content)
    python = (sys.executable, "-m")
    upstream, aiohttp = (str(port_of(layout, name)) for name in ("upstream", "aiohttp"))
    async with AsyncExitStack() as things:

        async def start(name: str, *command: str) -> int:
            child = await _listening(layout, name, command)
            things.push_async_callback(child.stop, STOP_GRACE_S)
            return child.pid

        await start("upstream", *python, "bench.upstream", str(folder), upstream)
        plain = await start("aiohttp", *python, "bench.passthrough", str(folder), aiohttp, upstream)
        program = shutil.which("nginx")
        nginx = await start("nginx", program, *_nginx_options(layout)) if program else None
        gateway = Process(_gateway(stack))
        things.push_async_callback(gateway.stop)
        await gateway.start()
        yield {"nginx": nginx, "aiohttp": plain, "gateway": gateway.pid}


async def _listening(layout: Layout, name: str, command: tuple[str, ...]) -> Child:
    program = EngineProgram(command=command, environ={"PATH": os.defpath})
    child = Child(program, layout.logs / f"bench-{name}.log")
    await child.start()
    deadline_s = asyncio.get_running_loop().time() + UP_WITHIN_S
    while child.is_running and asyncio.get_running_loop().time() < deadline_s:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port_of(layout, name))
        except OSError:
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        writer.close()
        return child
    await child.stop(STOP_GRACE_S)
    raise EngineFailed(f"{name} did not listen: {child.log_tail()}")


def _nginx_options(layout: Layout) -> tuple[str, ...]:
    folder, upstream_port = folder_of(layout), port_of(layout, "upstream")
    template = Path(__file__).with_name("nginx.conf").read_text(encoding="utf-8")
    conf = template.format(folder=folder, port=port_of(layout, "nginx"), upstream_port=upstream_port)
    write_private(folder / "nginx.conf", conf.encode())
    return "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")


def _gateway(stack: Stack) -> Program:
    """Return the gateway once more, with the stack's own settings but for Amazon and where it listens."""
    layout = stack.layout
    health = f"{LOOPBACK}:{port_of(layout, 'health')}"
    upstream = f"https://localhost:{port_of(layout, 'upstream')}"
    environ = {
        **sallyport.environments.of_service("gateway", layout, stack.ground),
        **{f"SALLYPORT_SPAPI_URL_{region}": upstream for region in ("NA", "EU", "FE")},
        "SALLYPORT_AMAZON_CA_FILE": str(folder_of(layout) / "ca.pem"),
        "SALLYPORT_PUBLIC_LISTEN": f"{LOOPBACK}:{port_of(layout, 'gateway')}",
        "SALLYPORT_PRIVATE_LISTEN": health,
    }
    return Program(
        name="measured gateway",
        command=(sys.executable, "-m", "services.gateway"),
        environ=environ,
        health_url=f"http://{health}/readyz",
        log_file=layout.logs / "bench-gateway.log",
    )
