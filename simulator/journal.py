"""The file in which events become durable: append-only, one line each, on disk before the caller goes on.

A line that was cut off by a crash was never acknowledged to anybody, so it is dropped when the journal opens.
Anything else that is not an event refuses the start: guessing could forget a consent.
"""

import errno
import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import simulator.events
import simulator.files
from simulator.events import Event


class JournalRefused(Exception):
    """The journal cannot be used; `code` names why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class FileJournal:
    """A journal in a file; only one process at a time may hold it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The lock lives beside the journal, because tidying replaces the journal's own file.
        self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise JournalRefused("state_in_use", f"another simulator uses {path.parent}") from error
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        simulator.files.sync_folder(path.parent)

    def read(self) -> list[Event]:
        """Return every event, oldest first, and cut off a torn last line.

        Raises:
            JournalRefused: `journal_corrupt`, a whole line is not an event.
        """
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._descriptor, whole)
            os.fsync(self._descriptor)
        lines = content[:whole].splitlines()
        return [self._decoded(number, line) for number, line in enumerate(lines, start=1)]

    def append(self, events: Sequence[Event]) -> None:
        """Write events; they are on disk, all of them, when this returns.

        This blocks the event loop for one disk flush on purpose: no other request may be answered between a
        fact and its durability.

        Raises:
            OSError: the disk is full or broken; none of the events is in the journal.
        """
        content = b"".join(simulator.events.encode(event) for event in events)
        size = os.fstat(self._descriptor).st_size
        try:
            _write_whole(self._descriptor, content)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size)
            raise

    def tidy(self, events: Sequence[Event]) -> None:
        """Replace the whole journal by `events`, in one step."""
        content = b"".join(simulator.events.encode(event) for event in events)
        simulator.files.replace(self._path, content, mode=0o600)
        os.close(self._descriptor)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)

    def close(self) -> None:
        """Release the file for the next simulator."""
        os.close(self._descriptor)
        os.close(self._lock)

    def _decoded(self, number: int, line: bytes) -> Event:
        try:
            return simulator.events.decode(line)
        except simulator.events.NotAnEvent as error:
            raise JournalRefused("journal_corrupt", f"{self._path} line {number} is not an event") from error


def _write_whole(descriptor: int, content: bytes) -> None:
    if os.write(descriptor, content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def living(events: Sequence[Event], now: datetime) -> list[Event]:
    """Return the events that still matter: without codes and tokens that have expired by `now`.

    The journal holds one token for each hour and seller; without this it would grow for ever.
    """
    return [event for event in events if getattr(event, "expires_at", now) >= now]
