"""The hostile origin: an HTTPS server that plays the attack which the path's last segment names, or is fair.

Run as `python -m bench.hostile.origin FOLDER`; FOLDER holds server.pem and server.key. It says its port.
"""

import asyncio
import re
import sys
from pathlib import Path

import uvloop

from bench.hostile.attacks import BY_NAME, Attack, saying, wire
from sallyport.bench.upstream import server_tls

LOOPBACK = "127.0.0.1"
HEAD_END = b"\r\n\r\n"
LENGTH_FORM = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r", re.IGNORECASE)
FAIR = Attack("fair", saying(wire("200 OK")), frozenset({200}))


async def open_origin(folder: Path) -> asyncio.Server:
    """Return the origin, serving on a port that the system chose."""
    return await asyncio.start_server(_serve, LOOPBACK, 0, ssl=server_tls(folder))


def port_of(origin: asyncio.Server) -> int:
    """Return where it listens."""
    port: int = origin.sockets[0].getsockname()[1]
    return port


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while not writer.is_closing():
            head = await reader.readuntil(HEAD_END)
            name = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
            attack = BY_NAME.get(name, FAIR)
            if not attack.is_early:
                found = LENGTH_FORM.search(head)
                await reader.readexactly(int(found[1]) if found else 0)
            await attack.play(writer)
            if attack.is_early:
                break
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
        return
    finally:
        writer.close()


async def _run(folder: Path) -> None:
    origin = await open_origin(folder)
    sys.stdout.write(f"{port_of(origin)}\n")
    sys.stdout.flush()
    await origin.serve_forever()


if __name__ == "__main__":
    uvloop.run(_run(Path(sys.argv[1])))
