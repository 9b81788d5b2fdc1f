"""A tiny service, run as a process of its own by the tests of `chassis.run`; BEHAVIOUR says what it does."""

import asyncio
import ctypes
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

import chassis.env
import chassis.errors
import chassis.log
import chassis.metrics
import chassis.run
import chassis.web

SETTINGS = [chassis.env.Setting("SALLYPORT_LISTEN", "where to listen", "127.0.0.1:0")]
LOOPBACK = chassis.env.Address("127.0.0.1", 0)
PR_GET_DUMPABLE = 3

_log = chassis.log.get("process")


def load(environ: Mapping[str, str]) -> str:
    """Read the one key that this service has."""
    reader = chassis.env.read(
        {key: value for key, value in environ.items() if key == "SALLYPORT_LISTEN"},
        SETTINGS,
    )
    reader.address("SALLYPORT_LISTEN")
    reader.finish()
    return environ["BEHAVIOUR"]


async def receive(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


@asynccontextmanager
async def build(behaviour: str) -> AsyncIterator[chassis.run.Application]:
    if behaviour == "refuse":
        raise chassis.run.StartRefused("synchronous_commit_required", "switch synchronous_commit\non")
    if behaviour == "unavailable":
        raise chassis.errors.Unavailable
    if behaviour == "hang":
        _log.info("hanging")
        await asyncio.Event().wait()
    readiness = chassis.web.Readiness()
    public = chassis.web.Site(
        listen=LOOPBACK,
        routes=[chassis.web.Route("POST", "/", receive, "test.body.sent")],
        body_bytes_max=1000,
    )
    private = chassis.web.private_site(LOOPBACK, readiness, chassis.metrics.Registry())

    async def tell() -> None:
        _log.info(
            "listening",
            public=public.port,
            private=private.port,
            loop=type(asyncio.get_running_loop()).__module__,
            core_bytes_max=resource.getrlimit(resource.RLIMIT_CORE)[1],
            is_dumpable=ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
        )
        await asyncio.Event().wait()

    async def crash() -> None:
        raise ValueError("Jane Doe")

    async def lose() -> None:
        def fail() -> None:
            raise ValueError("Jane Doe")

        asyncio.get_running_loop().call_soon(fail)
        await asyncio.Event().wait()

    async def lose_cancellation() -> None:
        try:
            await tell()
        except asyncio.CancelledError:
            _log.info("cancellation_lost")
        await asyncio.Event().wait()

    tasks: dict[str, Callable[[], Awaitable[None]]] = {"serve": tell, "crash": crash, "lose": lose}
    tasks["lose_cancellation"] = lose_cancellation
    yield chassis.run.Application(
        tasks=[("work", tasks[behaviour])],
        servers=[public, private],
        readiness=readiness,
    )
    _log.info("closed")


if __name__ == "__main__":
    sys.exit(chassis.run.main("test", load, build, settings=SETTINGS))
