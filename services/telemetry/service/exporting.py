"""The log out: every record from a place on, the checkpoints between them, and a fresh one at the end."""

import operator
from collections.abc import AsyncIterator

import chassis.errors
from services.telemetry.model.chain import GENESIS, Record, header_line
from services.telemetry.model.checkpoints import Checkpoint
from services.telemetry.model.errors import SequenceBeyondHead
from services.telemetry.model.events import Actor, Result
from services.telemetry.model.kinds import Kind
from services.telemetry.service.checkpoints import Checkpoints
from services.telemetry.service.diary import Diary
from services.telemetry.service.ports import Archive


class Exporter:
    """Gives the log out, and says so in the log first."""

    def __init__(self, *, archive: Archive, checkpoints: Checkpoints, diary: Diary) -> None:
        self._archive = archive
        self._checkpoints = checkpoints
        self._diary = diary

    async def export(
        self, from_sequence: int, *, actor: Actor, request_id: str | None
    ) -> AsyncIterator[bytes]:
        """Yield the lines of an export, without newlines: header, records in order, checkpoints among them.

        The last line is a checkpoint signed for this export. It covers the export's own intent and all that
        was durable before it; what is appended meanwhile belongs to the next export. An export that breaks
        off has no outcome of its own and is resolved like any other orphan.

        Args:
            from_sequence: sequence of the first record wanted; anything below 1 means 1.
            actor: who asks.
            request_id: the call's.

        Raises:
            SequenceBeyondHead: the log is shorter than that.
            Unavailable: audit, store or key service are down.
        """
        from_sequence = max(from_sequence, GENESIS.sequence + 1)
        details = {"from_sequence": str(from_sequence)}
        intent_id = await self._diary.intend(
            Kind.LOG_EXPORTED, actor=actor, request_id=request_id, details=details
        )
        try:
            last = await self._checkpoints.sign_for_export()
            async for line in self._lines(from_sequence, last):
                yield line
        except chassis.errors.SallyportError:
            await self._diary.conclude(Kind.LOG_EXPORTED, intent_id, Result.NOT_DONE)
            raise
        await self._diary.conclude(Kind.LOG_EXPORTED, intent_id, Result.DONE)

    async def _lines(self, from_sequence: int, last: Checkpoint) -> AsyncIterator[bytes]:
        if from_sequence > last.sequence:
            raise SequenceBeyondHead
        yield header_line(
            from_sequence=from_sequence,
            previous_hash=await self._hash_before(from_sequence),
            key=await self._checkpoints.key_fingerprint(),
        )
        first = from_sequence
        # Records that somebody removed from the store are missing here too, for the auditor to see.
        while records := await self._archive.records(first, last.sequence):
            reached = records[-1].sequence
            checkpoints = [found async for found in self._checkpoints_over(first, reached, last.number)]
            # The sort is stable: a checkpoint comes directly after the record it covers.
            lines: list[Record | Checkpoint] = [*records, *checkpoints]
            for shown in sorted(lines, key=operator.attrgetter("sequence")):
                yield shown.line
            first = reached + 1

    async def _checkpoints_over(self, first: int, last: int, number_max: int) -> AsyncIterator[Checkpoint]:
        number = 0
        while page := await self._archive.checkpoints(first, last, (number + 1, number_max)):
            for checkpoint in page:
                yield checkpoint
            number = page[-1].number

    async def _hash_before(self, sequence: int) -> bytes:
        if sequence == GENESIS.sequence + 1:
            return GENESIS.hash
        before = await self._archive.record(sequence - 1)
        if before is None:
            raise SequenceBeyondHead
        return before.hash
