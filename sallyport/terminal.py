"""What people at the console see: lines as they happen, and how far a start has come."""

import sys
import time


class Progress:
    """Prints what becomes of each part, with the seconds since the start; a `supervisor.Report`."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()

    def __call__(self, part: str, event: str) -> None:
        """Print one line."""
        say(f"  {time.monotonic() - self._started_s:6.1f} s  {part:<18} {event}")


def say(line: str) -> None:
    """Print a line now, whatever standard output is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
