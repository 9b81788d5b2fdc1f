"""The slow ones, in a process of their own: `python -m bench.slow.crowd FOLDER PORT COUNT COMING_S`.

They come evenly over COMING_S, so that they are slow and no flood: who is cut off comes again as evenly. When
it is 0 they all come at once. It says a line when they set out and one when all have come, and stays until it
is ended. Slow clients have processors of their own elsewhere; here they take what the swift ones leave of
theirs. FOLDER holds ca.pem.
"""

import asyncio
import os
import ssl
import sys
from pathlib import Path

import uvloop

from bench.slow.clients import DIALS_AT_ONCE, KINDS, Target, be_slow
from sallyport.terminal import say

NICENESS = 19
SETTING_OUT = "setting out"
HERE = "here"


async def _run(folder: Path, port: int, *, count: int, coming_s: float) -> None:
    trust = ssl.create_default_context(cafile=folder / "ca.pem")
    target = Target(port, trust, asyncio.Semaphore(DIALS_AT_ONCE if coming_s else count))
    say(SETTING_OUT)
    arrivals = [asyncio.Event() for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        for number, arrived in enumerate(arrivals):
            group.create_task(be_slow(target, KINDS[number % len(KINDS)], arrived))
            if coming_s:
                await asyncio.sleep(coming_s / count)
        for arrived in arrivals:
            await arrived.wait()
        say(HERE)


if __name__ == "__main__":
    os.nice(NICENESS)
    uvloop.run(_run(Path(sys.argv[1]), int(sys.argv[2]), count=int(sys.argv[3]), coming_s=float(sys.argv[4])))
