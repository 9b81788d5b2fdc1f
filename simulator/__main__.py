"""`python -m simulator`: start the simulated Amazon and keep it up until SIGINT or SIGTERM."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence

import simulator.app
import simulator.config
from simulator.config import Config


def main(arguments: Sequence[str]) -> int:
    """Return the exit status: 0 after a clean stop, 1 when the start was refused."""
    config = simulator.config.parse(arguments)
    if config.is_world_shown:
        _print(simulator.app.world_of(config))
        return 0
    try:
        asyncio.run(_serve(config))
    except simulator.app.StartRefused as refused:
        sys.stderr.write(f"{refused.code}: {refused}\n")
        return 1
    return 0


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with simulator.app.build(config) as running:
        _print(running.ready_line())
        await stop.wait()


def _print(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
