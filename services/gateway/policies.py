"""The policy file on disk: its bytes as they are, read off the loop; others ask whether they make sense."""

import asyncio
from pathlib import Path

from chassis.errors import Unavailable
from services.gateway.model.policy_file import POLICY_BYTES_MAX


class PolicyUnreadable(Unavailable):
    """The file is not there, or may not be read."""

    code = "policy_unreadable"
    text = "The policy file cannot be read."


class PolicyFile:
    """Fits `service.policing.PolicySource`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> bytes:
        """Return the file's bytes, of a file that is too large one more than POLICY_BYTES_MAX.

        Raises:
            PolicyUnreadable: it cannot be read.
        """
        try:
            return await asyncio.to_thread(self._read)
        except OSError as error:
            raise PolicyUnreadable from error

    def _read(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(POLICY_BYTES_MAX + 1)
