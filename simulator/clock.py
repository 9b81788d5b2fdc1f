"""The virtual clock: the machine's time plus an offset kept in a file that other processes read too.

The file holds one number, the seconds to add. It is replaced in one step, so a reader sees the old or the new
offset and never half of one. TLS and waiting use real time; everything Amazon would date uses this clock.
"""

import contextlib
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import simulator.files

# Readers refuse larger shifts as mistakes, so the simulator does not write them.
OFFSET_S_MAX = 10 * 366 * 86_400.0


class Clock(Protocol):
    """What the simulator needs to know about time."""

    def now(self) -> datetime:
        """Return the virtual time, aware, in UTC."""
        ...


class Dial(Clock, Protocol):
    """A clock that can be moved."""

    @property
    def offset_s(self) -> float:
        """The seconds by which virtual time is ahead of the machine's."""
        ...

    def turn(self, offset_s: float) -> None:
        """Set the offset, durably, for everyone who reads it."""
        ...


class OffsetOutOfRange(ValueError):
    """The offset is not a number within OFFSET_S_MAX."""


class VirtualClock:
    """The machine's clock shifted by the number in a file; an absent file means no shift."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None
        self._offset_s = 0.0

    @property
    def offset_s(self) -> float:
        """The seconds by which virtual time is ahead of the machine's."""
        self._reread()
        return self._offset_s

    def now(self) -> datetime:
        """Return the machine's time plus the offset, aware, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset_s)

    def turn(self, offset_s: float) -> None:
        """Set the offset, durably, for everyone who reads the file.

        Raises:
            OffsetOutOfRange: the offset is not a number within OFFSET_S_MAX.
        """
        _check(offset_s)
        simulator.files.replace(self._path, f"{offset_s!r}\n".encode("ascii"), mode=0o644)

    def _reread(self) -> None:
        # A file that is being replaced by someone less careful keeps the last offset in force.
        with contextlib.suppress(OSError, ValueError):
            status = self._path.stat()
            version = (status.st_ino, status.st_mtime_ns)
            if version != self._version:
                self._offset_s = _check(float(self._path.read_text(encoding="ascii")))
                self._version = version


def _check(offset_s: float) -> float:
    if not math.isfinite(offset_s) or abs(offset_s) > OFFSET_S_MAX:
        raise OffsetOutOfRange(f"the offset must lie within {OFFSET_S_MAX:.0f} seconds")
    return offset_s
