"""The audit log: who read what, and that nobody can change it unseen."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson

import sallyport.audit.export
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene, StepFailed

INTACT = 0
REJECTED = 1


async def check_the_audit_log(scene: Scene) -> str:
    """Export and verify the log, find who read the order, and see one changed byte found."""
    with tempfile.TemporaryDirectory() as folder:
        log, key = Path(folder) / "audit.ndjson", Path(folder) / "checkpoint.pem"
        await patiently(lambda: _export(scene, log, key))
        code, said = await _verify(log, key)
        if code != INTACT:
            raise StepFailed(f"the log does not verify: {said}")
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(_changed(lines, scene.the_order.order_id)))
        code, said = await _verify(log, key)
        if code != REJECTED:
            raise StepFailed(f"one changed byte was not found: {said}")
    readers = _readers(lines, scene.the_order.order_id)
    if scene.untrusted is None or {scene.desktop_id, scene.untrusted.device_id} - readers:
        raise StepFailed("the log does not name everyone who read the order")
    return f"{len(lines)} lines intact; {len(readers)} devices read the order; one byte changed: {said}"


async def _export(scene: Scene, log: Path, key: Path) -> None:
    await sallyport.audit.export.export(scene.stack.access(), from_sequence=1, out=log, public_key_out=key)


async def _verify(log: Path, key: Path) -> tuple[int | None, str]:
    """Return the exit code and the first line of `sallyport audit verify`, run as an auditor would."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sallyport", "audit", "verify", str(log), "--public-key", str(key)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode(errors="replace").partition("\n")[0]


def _changed(lines: Sequence[bytes], order_id: str) -> list[bytes]:
    """Return the log with the last digit of an order's first mention changed."""
    changed = [*lines]
    place = next(number for number, line in enumerate(lines) if order_id.encode() in line)
    other = order_id[:-1] + ("1" if order_id[-1] == "0" else "0")
    changed[place] = changed[place].replace(order_id.encode(), other.encode(), 1)
    return changed


def _readers(lines: Sequence[bytes], order_id: str) -> set[str]:
    """Return the devices that the log names as readers of an order's personal data, masked or not."""
    readers = set()
    for line in lines:
        record = orjson.loads(line).get("record", {})
        is_reading = record.get("kind", "").startswith("gateway.pii.")
        if is_reading and order_id in orjson.dumps(record.get("details", {})).decode():
            readers.add(record["actor"]["id"])
    return readers
