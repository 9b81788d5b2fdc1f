"""A console with one engine, run as a process of its own so that a test may kill it."""

import asyncio
import sys
from pathlib import Path

import sallyport.engines.child

ENGINE = "import signal; signal.pause()"


async def main(log_file: Path) -> None:
    """Start an engine that does nothing, say its process id, and wait to be killed."""
    program = sallyport.engines.child.Program(command=[sys.executable, "-c", ENGINE], environ={})
    engine = sallyport.engines.child.Child(program, log_file)
    await engine.start()
    sys.stdout.write(f"{engine.pid}\n")
    sys.stdout.flush()
    await engine.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
