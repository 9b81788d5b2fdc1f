"""The policy file on disk: its bytes as they are, read off the loop; others ask whether they make sense."""

import asyncio
from pathlib import Path

from chassis.clock import Clock
from chassis.errors import Unavailable
from services.gateway.model.policy_file import POLICY_BYTES_MAX

# A file that is written in place is there before it is whole, and its beginning may make sense: a rule that
# was to take something back may come last. So it counts once two looks found the same.
SETTLING_S = 0.5
LOOKS_MAX = 4


class PolicyUnreadable(Unavailable):
    """The file is not there, may not be read, or is being written."""

    code = "policy_unreadable"
    text = "The policy file cannot be read."


class PolicyFile:
    """Fits `service.policing.PolicySource`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    async def read(self) -> bytes:
        """Return the file's bytes, of a file that is too large one more than POLICY_BYTES_MAX.

        Raises:
            PolicyUnreadable: it cannot be read, or changes from look to look.
        """
        raw = await self._look()
        for _ in range(LOOKS_MAX - 1):
            await self._clock.sleep(SETTLING_S)
            before, raw = raw, await self._look()
            if raw == before:
                return raw
        raise PolicyUnreadable

    async def _look(self) -> bytes:
        try:
            return await asyncio.to_thread(self._read)
        except OSError as error:
            raise PolicyUnreadable from error

    def _read(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(POLICY_BYTES_MAX + 1)
