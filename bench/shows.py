"""What shows have in common: a folder of their own, how they end, and how a stack's start is told."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXIT_HOLDS = 0
EXIT_BROKEN = 1
# Engines sync every commit, and disks are slow; a whole show takes some hundred megabytes.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
MEMORY_BYTES_MIN = 2 * 1024**3


@contextmanager
def own_folder(name: str, *, parent: Path | None = None) -> Iterator[Path]:
    """Give an empty folder that is gone afterwards.

    Args:
        name: of the show; the folder's own begins with it.
        parent: where it lies; None for the system's temporary folder.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"sallyport-{name}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def engines_folder(name: str, *, in_memory: bool = False) -> Iterator[Path]:
    """Give such a folder for a stack's engines; in memory, if that is wanted and there is room."""
    has_room = in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    with own_folder(name, parent=MEMORY if has_room else None) as folder:
        # The database's system user passes through.
        folder.chmod(0o711)
        yield folder


def tell(part: str, event: str) -> None:
    """Say on standard error what becomes of a part of a stack; a `supervisor.Report`."""
    sys.stderr.write(f"{part} {event}\n")
