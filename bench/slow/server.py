"""The door with a face that answers at once: `python -m bench.slow.server FOLDER`; it says its port.

FOLDER holds server.pem and server.key.
"""

import asyncio
import logging
import sys
from pathlib import Path

import uvloop

import chassis.env
import chassis.run
from bench.slow.clients import LARGE
from sallyport.bench.upstream import server_tls
from services.gateway.door import Door, Way, Ways
from services.gateway.door.request import Request
from services.gateway.door.ways import ANY_METHOD, ANY_PATH
from services.gateway.model.calls import Answer

BODY_BYTES_MAX = 1_048_576
SMALL_BYTES = 1_024
LARGE_BYTES = 1_048_576


class Swift:
    """Answers with as much as the path asks for."""

    async def handle(self, request: Request) -> None:
        """See Face."""
        await request.receive(BODY_BYTES_MAX)
        size = LARGE_BYTES if request.head.target == LARGE else SMALL_BYTES
        request.answer(Answer(200, [], bytes(size)))


class Nobody:
    """Counts nothing."""

    def refused(self, _code: str) -> None:
        """See the door's Signals."""


async def _run(folder: Path) -> None:
    ways = Ways([Way(ANY_METHOD, ANY_PATH, Swift(), "gateway.call.answered")])
    tls = server_tls(folder)
    door = Door(listen=chassis.env.Address("127.0.0.1", 0), tls=lambda: tls, ways=ways, signals=Nobody())
    await door.start()
    # As every service of the product does at its start.
    chassis.run.spare_the_collector()
    sys.stdout.write(f"{door.port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable()
    uvloop.run(_run(Path(sys.argv[1])))
