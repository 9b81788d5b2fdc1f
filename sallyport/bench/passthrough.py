"""The least that a proxy on the gateway's own libraries can do: aiohttp and uvloop, TLS on both sides.

Run as `python -m sallyport.bench.passthrough FOLDER PORT UPSTREAM_PORT`; FOLDER holds server.pem, server.key
and ca.pem.
"""

import asyncio
import ssl
import sys
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web

from sallyport.bench.upstream import LOOPBACK, server_tls

TIMEOUT_S = 30.0


async def _serve(folder: Path, port: int, upstream_port: int) -> None:
    origin, loop = f"https://localhost:{upstream_port}", asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=folder / "ca.pem"))
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def pass_on(request: web.BaseRequest) -> web.Response:
            async with session.request(request.method, origin + request.path_qs) as answer:
                kept = {"Content-Type": answer.headers["Content-Type"]}
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)

        listener = await loop.create_server(web.Server(pass_on), LOOPBACK, port, ssl=server_tls(folder))
        await listener.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
