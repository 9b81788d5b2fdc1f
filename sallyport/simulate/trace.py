"""What happened in a run, step by step."""

import asyncio
import hashlib


class Trace:
    """What happened, in order. Its digest is the run's fingerprint."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        """Add one line, with the virtual time in front."""
        self.lines.append(f"{asyncio.get_running_loop().time():12.6f} {line}")

    def digest(self) -> str:
        """Return the SHA-256 of all lines, in hex."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()
