"""What whoever runs the simulator can do about documents: hurry jobs, decide their ends, see what was stored.

Everything returns plain JSON values, but for the bytes of an object.
"""

import hashlib
from typing import Any

from simulator.control_values import ControlRefused, number, text
from simulator.core import Core
from simulator.documents.jobs import ANY_TYPE, ENDINGS, OUTCOMES_ORDERED_MAX, STAGE_S_MAX, Status
from simulator.documents.report_files import COMPRESSIONS, FILE_BYTES_MAX
from simulator.documents.storage import BUCKET, StorageRefusal

_SETTINGS = frozenset({"queued_s", "working_s", "compression", "bytes_min"})
JOBS_LISTED_MAX = 1_000

Document = dict[str, Any]


class DocumentControls:
    """The simulator's own interface to jobs and storage, without HTTP."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def settings(self) -> Document:
        """Return how long new jobs take, how their files are, and which ends were ordered."""
        pace, files = self._core.jobs.pace, self._core.files
        return {
            "queued_s": pace.queued_s,
            "working_s": pace.working_s,
            "compression": files.compression,
            "bytes_min": files.bytes_min,
            "outcomes": self._core.jobs.ordered(),
            "origin": self._core.storage.origin,
        }

    def set(self, body: Document) -> Document:
        """Change some of: seconds in the queue and at work, compression, the least size of reports' files."""
        if not body.keys() <= _SETTINGS:
            raise ControlRefused(400, f"give some of {sorted(_SETTINGS)}")
        stages = {name: number(body[name], name) for name in ("queued_s", "working_s") if name in body}
        compression = body.get("compression", self._core.files.compression)
        bytes_min = body.get("bytes_min", self._core.files.bytes_min)
        if not all(0 <= value <= STAGE_S_MAX for value in stages.values()):
            raise ControlRefused(400, f"seconds must lie between 0 and {STAGE_S_MAX}")
        if compression not in COMPRESSIONS:
            raise ControlRefused(400, f"compression must be of {COMPRESSIONS}")
        if type(bytes_min) is not int or not 0 <= bytes_min <= FILE_BYTES_MAX:
            raise ControlRefused(400, f"bytes_min must lie between 0 and {FILE_BYTES_MAX}")
        for name, value in stages.items():
            setattr(self._core.jobs.pace, name, value)
        self._core.files.compression, self._core.files.bytes_min = compression, bytes_min
        return self.settings()

    def order_outcome(self, body: Document) -> Document:
        """Decide how the next `count` jobs of a `type` (a report's, a feed's, `query` or `*`) end."""
        outcome, count = text(body, "outcome"), body.get("count", 1)
        if outcome not in ENDINGS:
            raise ControlRefused(400, f"outcome must be of {sorted(ENDINGS)}")
        if type(count) is not int or not 1 <= count <= OUTCOMES_ORDERED_MAX:
            raise ControlRefused(400, f"count must lie between 1 and {OUTCOMES_ORDERED_MAX}")
        self._core.jobs.order_outcome(str(body.get("type", ANY_TYPE)), Status(outcome), count)
        return self.settings()

    def jobs(self) -> Document:
        """Return the latest reports, feeds and queries, oldest first, at most JOBS_LISTED_MAX."""
        now, jobs = self._core.clock.now(), list(self._core.ledger.state.jobs.values())
        return {
            "jobs": [
                {
                    "job_id": job.job_id,
                    "kind": job.kind,
                    "type": job.type_name,
                    "seller_id": job.seller_id,
                    "status": self._core.jobs.status(job, now).value,
                    "ends_at": job.ends_at.isoformat(),
                    "document_id": job.document_id,
                }
                for job in jobs[-JOBS_LISTED_MAX:]
            ]
        }

    def uploads(self) -> Document:
        """Return what was uploaded, oldest first: sizes and digests, not contents."""
        return {
            "uploads": [
                {
                    "name": name,
                    "seller_id": seller_id,
                    "bytes": len(body),
                    "sha256": hashlib.sha256(body).hexdigest(),
                }
                for name, seller_id, body in self._core.storage.received()
            ]
        }

    def content(self, folder: str, name: str) -> bytes:
        """Return an object's bytes as the storage holds them, without a link."""
        try:
            return self._core.storage.fetch(f"{BUCKET}/{folder}/{name}").body
        except StorageRefusal as refusal:
            raise ControlRefused(404, str(refusal)) from refusal
