"""Fetching the audit log: from telemetry, as the identity `console`, over mutual TLS.

The public key comes from the key service and not from telemetry, so that whoever takes over telemetry
cannot hand out a key of their own along with a log of their own.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import sallyport.access
from wire.telemetry.v1 import telemetry_pb2

CHECKPOINT_KEY = "telemetry-checkpoint"


async def export(
    config: sallyport.access.Config, *, from_sequence: int, out: Path | None, public_key_out: Path | None
) -> int:
    """Write an export, and the key to check it with, and return the number of lines.

    Each file appears whole or not at all, readable by its owner only. Nobody is asked for anything before
    both can be written.

    Args:
        config: how the services are reached.
        from_sequence: the first record wanted.
        out: the log's file; None for standard output, which gets each line as it comes.
        public_key_out: the key's file; None to do without.

    Raises:
        SallyportError: telemetry or the key service refuses or cannot answer.
        OSError: a file cannot be written, or nobody reads standard output.
    """
    with contextlib.ExitStack() as files:
        log = sys.stdout.buffer if out is None else files.enter_context(_whole_file(out))
        key = None if public_key_out is None else files.enter_context(_whole_file(public_key_out))
        async with sallyport.access.open_admin(config) as admin:
            lines = 0
            request = telemetry_pb2.ExportRequest(from_sequence=from_sequence)
            async for message in admin.telemetry.Export(request):
                log.write(message.line + b"\n")
                lines += 1
            if key is not None:
                key.write((await admin.vault.transit_public_pem(CHECKPOINT_KEY)).encode())
    return lines


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file that takes its place at `path` in the end, of nothing but another file.

    Raises:
        OSError: naming `path`: what is there is no file, or none can be made there.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "something other than a file is there", str(path))
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
