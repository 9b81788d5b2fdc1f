"""Proxies that only pass through, on one processor, TLS 1.3 on both sides, before one canned upstream."""

import asyncio
import functools
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sallyport.bench import processor
from sallyport.bench.upstream import LOOPBACK, PAGE, SMALL
from sallyport.engines.authority import Authority, write_private
from sallyport.engines.child import Child, EngineFailed, Program

NGINX, AXIOS, AIOHTTP, UPSTREAM = "nginx", "express + axios", "aiohttp", "upstream"
HERE = Path(__file__).parent
AXIOS_FOLDER = HERE / "axios"
"""Where `npm ci` puts express and axios."""

# Debian's nginx lies where only the system administrator's PATH leads.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
UP_WITHIN_S = 20.0
LOOK_EVERY_S = 0.05
STOP_GRACE_S = 5.0


CommandOf = Callable[[int], tuple[str, ...]]
"""Makes the command that has a peer listen on a port."""


@dataclass(frozen=True)
class Peer:
    """One that runs."""

    name: str
    port: int
    pid: int


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where peers find what they need.

    Attributes:
        folder: gets their certificates, with `ca.pem`, and the upstream's answers.
        axios_folder: where `node_modules` lies with express and axios; perhaps it does not.
        proxy_cpu: the processor that every proxy runs on; None pins nobody.
    """

    folder: Path
    axios_folder: Path = AXIOS_FOLDER
    proxy_cpu: int | None = None


@asynccontextmanager
async def open_peers(
    ground: Ground, *, small: bytes, page: bytes | None = None
) -> AsyncIterator[Mapping[str, Peer | None]]:
    """Give every peer by its name, running; None for one that is not installed.

    Args:
        ground: where they find what they need.
        small: what the upstream answers.
        page: what it answers to a call for a list of orders; None for the same.

    Raises:
        EngineFailed: one of them did not come up.
    """
    folder = ground.folder
    certificate, key = Authority(folder).issue_server(["localhost"])
    files = {"server.pem": certificate, "server.key": key, SMALL: small, **({PAGE: page} if page else {})}
    for name, content in files.items():
        write_private(folder / name, content)
    async with AsyncExitStack() as things:
        answering = functools.partial(_python, "upstream", folder)
        upstream = await _start(things, ground, name=UPSTREAM, command_of=answering)
        makers = {
            NGINX: _nginx(ground, upstream),
            AXIOS: _axios(ground, upstream),
            AIOHTTP: lambda port: (*_python("passthrough", folder, port), str(upstream.port)),
        }
        peers: dict[str, Peer | None] = {UPSTREAM: upstream}
        for name, command_of in makers.items():
            if command_of is None:
                peers[name] = None
                continue
            peers[name] = started = await _start(things, ground, name=name, command_of=command_of)
            if ground.proxy_cpu is not None:
                processor.pin(started.pid, [ground.proxy_cpu])
        yield peers


async def _start(things: AsyncExitStack, ground: Ground, *, name: str, command_of: CommandOf) -> Peer:
    """Return a peer once it listens."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
    environ = {"PATH": PATH, "NODE_PATH": str(ground.axios_folder / "node_modules")}
    log_file = ground.folder / f"{name.partition(' ')[0]}.log"
    child = Child(Program(command=command_of(port), environ=environ), log_file)
    await child.start()
    things.push_async_callback(child.stop, STOP_GRACE_S)
    deadline_s = asyncio.get_running_loop().time() + UP_WITHIN_S
    while child.is_running and asyncio.get_running_loop().time() < deadline_s:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        writer.close()
        return Peer(name, port, child.pid)
    raise EngineFailed(f"{name} did not listen: {child.log_tail()}")


def _python(module: str, folder: Path, port: int) -> tuple[str, ...]:
    return sys.executable, "-m", f"sallyport.bench.{module}", str(folder), str(port)


def _nginx(ground: Ground, upstream: Peer) -> CommandOf | None:
    """Return how nginx is started, from a file made for it; None when it is not installed."""
    program = shutil.which("nginx", path=PATH)
    if program is None:
        return None
    conf_file = ground.folder / "nginx.conf"

    def command(port: int) -> tuple[str, ...]:
        conf = (HERE / "nginx.conf").read_text(encoding="utf-8")
        named = {"folder": ground.folder, "port": port, "upstream_port": upstream.port}
        for name, value in named.items():
            conf = conf.replace(f"<{name}>", str(value))
        write_private(conf_file, conf.encode())
        return program, "-e", "stderr", "-p", str(ground.folder), "-c", str(conf_file)

    return command


def _axios(ground: Ground, upstream: Peer) -> CommandOf | None:
    """Return how the broker is started; None when Node, express or axios is not installed."""
    program, packages = shutil.which("node", path=PATH), ground.axios_folder / "node_modules"
    if program is None or not all((packages / name).is_dir() for name in ("express", "axios")):
        return None
    script = str(AXIOS_FOLDER / "broker.js")
    return lambda port: (program, script, str(ground.folder), str(port), str(upstream.port))
