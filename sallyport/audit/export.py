"""Fetching the audit log: from telemetry, as the identity `console`, over mutual TLS.

The public key comes from the key service and not from telemetry, so that whoever takes over telemetry
cannot hand out a key of their own along with a log of their own.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import sallyport.access
from wire.telemetry.v1 import telemetry_pb2

CHECKPOINT_KEY = "telemetry-checkpoint"


async def export(
    config: sallyport.access.Config, *, from_sequence: int, out: Path, public_key_out: Path | None
) -> int:
    """Write an export, and the key to check it with, and return the number of lines.

    Each file appears whole or not at all, readable by its owner only.

    Raises:
        SallyportError: telemetry or the key service refuses or cannot answer.
        OSError: a file cannot be written.
    """
    async with sallyport.access.open_admin(config) as admin:
        lines = 0
        with _whole_file(out) as file:
            request = telemetry_pb2.ExportRequest(from_sequence=from_sequence)
            async for message in admin.telemetry.Export(request):
                file.write(message.line + b"\n")
                lines += 1
        if public_key_out is not None:
            public_pem = await admin.vault.transit_public_pem(CHECKPOINT_KEY)
            with _whole_file(public_key_out) as file:
                file.write(public_pem.encode())
    return lines


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
