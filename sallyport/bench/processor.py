"""How long processes, with their children and threads, have run on a processor, and what memory they hold.

Source: Linux, Documentation/scheduler/sched-stats.rst: the first number in a thread's `schedstat` is the time
spent running, in nanoseconds; Documentation/filesystems/proc.rst: `Pss` is a process's share of its memory,
in KiB.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

PROC = Path("/proc")
SHARE = "Pss:"
# In `stat`, after the command's name in parentheses: state, parent.
PARENT_FIELD = 1

Reading = Mapping[str, int]
"""Nanoseconds by thread."""


def read(roots: Iterable[int], proc: Path = PROC) -> Reading:
    """Return what every thread of these processes and of their descendants has run so far."""
    return {thread: ran_ns for pid in _family(roots, proc) for thread, ran_ns in _threads(proc / str(pid))}


def spent_ns(before: Reading, after: Reading) -> int:
    """Return the time between two readings; threads that ended between them are not in it."""
    return sum(ran_ns - before.get(thread, 0) for thread, ran_ns in after.items())


def pin(root: int, cpus: Collection[int]) -> None:
    """Have a process, its descendants and all their threads run on these processors only from now on."""
    for pid in _family([root], PROC):
        for thread in (PROC / str(pid) / "task").iterdir():
            os.sched_setaffinity(int(thread.name), cpus)


def held_bytes(root: int, proc: Path = PROC) -> int:
    """Return the memory that a process and its descendants hold, shared memory by their share of it."""
    lines = (
        line for pid in _family([root], proc) for line in _text(proc / str(pid) / "smaps_rollup").splitlines()
    )
    return sum(int(line.split()[1]) * 1_024 for line in lines if line.startswith(SHARE))


def _family(roots: Iterable[int], proc: Path) -> set[int]:
    """Return processes with all their descendants."""
    parents = dict(_parents(proc))
    family = set(roots)
    while added := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= added
    return family


def _parents(proc: Path) -> Iterator[tuple[int, int]]:
    for entry in proc.iterdir():
        if entry.name.isdigit() and (text := _text(entry / "stat")):
            yield int(entry.name), int(text.rpartition(")")[2].split()[PARENT_FIELD])


def _threads(process: Path) -> Iterator[tuple[str, int]]:
    for schedstat in process.glob("task/*/schedstat"):
        if text := _text(schedstat):
            yield schedstat.parent.name, int(text.split()[0])


def _text(file: Path) -> str:
    """Return what a file holds; nothing once its process has ended."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
