"""Looking into a process's memory, as a thief with root would: every readable mapping, byte for byte."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

CHUNK_BYTES = 4 * 1024 * 1024
# No longer than this is anything that is looked for; chunks overlap by so much.
NEEDLE_BYTES_MAX = 4_096
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (r[^ ]*) [^ ]+ [^ ]+ [^ ]+ *(.*)$")
# The kernel's own pages, which cannot be read from outside.
UNREADABLE = ("[vvar]", "[vvar_vclock]", "[vsyscall]")


class MemoryClosed(Exception):
    """This process may not look into that one's memory; only root may."""


def count(pid: int, needles: Mapping[str, bytes]) -> dict[str, int]:
    """Return how often each needle lies in a process's memory.

    Args:
        pid: of a process that lives.
        needles: what is looked for, by a name that may be shown; each at most NEEDLE_BYTES_MAX.

    Raises:
        MemoryClosed: see there.
    """
    found = dict.fromkeys(needles, 0)
    for tail, fresh in _chunks(pid):
        chunk = tail + fresh
        for name, needle in needles.items():
            # What lies in the tail was counted with the chunk before.
            found[name] += chunk.count(needle) - tail.count(needle)
    return found


def _chunks(pid: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield a process's memory in chunks, each with the end of the one before it."""
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except PermissionError as error:
        raise MemoryClosed(f"process {pid}: run as root to look into memory") from error
    try:
        for start, end in _mappings(pid):
            tail = b""
            for at in range(start, end, CHUNK_BYTES):
                try:
                    fresh = os.pread(memory, min(CHUNK_BYTES, end - at), at)
                except OSError:
                    # A guard page, or a mapping that has gone meanwhile.
                    break
                yield tail, fresh
                tail = fresh[-NEEDLE_BYTES_MAX:]
    finally:
        os.close(memory)


def _mappings(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="ascii").splitlines():
        found = MAPPING.match(line)
        if found is not None and found[4] not in UNREADABLE:
            yield int(found[1], 16), int(found[2], 16)
