"""Key rotation: operators ask for it, or a key's age does; jobs of any replica do it, key by key.

One key's way: note its newest version → rotate it → open every older value and seal it anew, page by page →
settle → look once more → close the older versions. Every step may be repeated; what was noted in storage says
where to go on (R-12). A value that does not open is left as it is, counted, and alarmed about.
"""

from collections.abc import Sequence
from dataclasses import replace

from chassis.errors import Gone, Unavailable
from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import OPERATOR, SELF, Actor, Deed, Kind
from services.auth.model.key_refusals import KeyMissing, KeyUnderWay
from services.auth.model.rewrapping import (
    KEY_AGE_ROTATED,
    LEASE_S,
    PAGES_MAX,
    KeyAges,
    KeyKind,
    KeyOwner,
    Outcome,
    Plaintext,
    Progress,
    Rewrapping,
    Round,
    SealedValue,
)
from services.auth.model.sealing import INTEGRITY_FAILURE
from services.auth.service.ledger import Ledger
from services.auth.service.mint import Mint
from services.auth.service.ports import Ports

# A job's round ends well before its own limit.
WORK_S_MAX = 60.0
KEYS_WORKED_MAX = 10_000


class KeyService:
    """The life of sealing keys."""

    def __init__(self, ports: Ports, mint: Mint, ledger: Ledger) -> None:
        self._store = ports.store
        self._keys = ports.vault
        self._signals = ports.signals
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger

    async def begin(self, owner: KeyOwner | None) -> Round:
        """Have one key rotated, or all for None; the jobs do it, whoever watches.

        Raises:
            KeyMissing: there is no key of this owner.
            KeyUnderWay: it is being rotated already.
        """
        if owner is not None and owner.kind is KeyKind.SELLER and not words.is_id(owner.owner_id):
            raise KeyMissing
        details = {"keys": "all" if owner is None else owner.kind.value}
        async with self._ledger.effect(_deed(Kind.KEYS_ROTATION_ASKED, OPERATOR, owner, **details)):
            begun = await self._store.begin_round(self._mint.new_id(), owner, self._clock.now())
            if owner is not None and not begun.keys:
                raise KeyUnderWay if begun.keys_under_way else KeyMissing
        return begun

    async def watch(self, round_id: str) -> Progress:
        """Return how far a round has come.

        Raises:
            RoundMissing: there is none.
        """
        return await self._store.find_progress(round_id)

    async def find_ages(self) -> KeyAges:
        """Return how old the keys are."""
        return await self._store.find_ages(self._clock.now() - KEY_AGE_ROTATED)

    async def begin_aged(self) -> int:
        """Take up keys whose age asks for rotation, and show how old the oldest is; return how many."""
        now = self._clock.now()
        ages = await self._store.find_ages(now - KEY_AGE_ROTATED)
        oldest_s = 0.0 if ages.oldest_since is None else (now - ages.oldest_since).total_seconds()
        self._signals.key_age(oldest_s)
        if not ages.aged:
            return 0
        return await self._store.begin_aged(self._mint.new_id(), now - KEY_AGE_ROTATED, now)

    async def work(self) -> int:
        """Take keys further on their way, one after another for a while; return how many."""
        ends_at_s = self._clock.monotonic_s() + WORK_S_MAX
        for worked in range(KEYS_WORKED_MAX):
            if self._clock.monotonic_s() > ends_at_s:
                return worked
            claimed = await self._store.claim_rewrapping(LEASE_S)
            if claimed is None:
                return worked
            try:
                await self._advance(claimed)
            except Gone:
                await self._store.close_rewrapping(claimed, Outcome.GONE, self._clock.now())
        return KEYS_WORKED_MAX

    async def _advance(self, claimed: Rewrapping) -> None:
        rewrapping = claimed if claimed.version is not None else await self._rotate(claimed)
        assert rewrapping.version is not None
        done, damaged, after = 0, 0, ""
        for _ in range(PAGES_MAX):
            page = await self._store.list_older(rewrapping.owner, rewrapping.version, after)
            if not page:
                break
            done_here, damaged_here = await self._rewrap(rewrapping.owner, page)
            await self._store.note_page(rewrapping, done_here, LEASE_S)
            done, damaged, after = done + done_here, damaged + damaged_here, page[-1].sealed
        else:
            return
        if rewrapping.is_settled and not done:
            await self._close(rewrapping, rewrapping.version)
        else:
            await self._store.end_pass(rewrapping, damaged)
            self._signals.sealed_damaged(damaged)

    async def _rotate(self, rewrapping: Rewrapping) -> Rewrapping:
        """Return the rewrapping with its key's new version; a key is rotated once, however often this is."""
        owner = rewrapping.owner
        before = rewrapping.version_before
        if before is None:
            before = await self._keys.find_version(owner)
            await self._store.note_beginning(rewrapping, before)
        async with self._ledger.effect(_deed(Kind.KEY_ROTATED, SELF, owner, key_kind=owner.kind.value)):
            if await self._keys.find_version(owner) == before:
                await self._keys.rotate_key(owner)
            version = await self._keys.find_version(owner)
            await self._store.note_rotation(rewrapping, version)
        return replace(rewrapping, version=version)

    async def _rewrap(self, owner: KeyOwner, page: Sequence[SealedValue]) -> tuple[int, int]:
        """Seal a page of values anew; return how many were, and how many do not open."""
        opened = await self._open(owner, page)
        if not opened:
            return 0, len(page)
        plaintexts = [Plaintext(place=value.place, text=text) for value, text in opened]
        sealed = await self._keys.seal_many(owner, plaintexts)
        done = 0
        for (value, _), anew in zip(opened, sealed, strict=True):
            # False when somebody wrote meanwhile: theirs is under the new version already.
            done += await self._store.replace_sealed(owner, value, anew)
        return done, len(page) - len(opened)

    async def _open(
        self, owner: KeyOwner, page: Sequence[SealedValue]
    ) -> list[tuple[SealedValue, Secret[str]]]:
        """Return the values that open, in the open."""
        try:
            return list(zip(page, await self._keys.open_many(owner, page), strict=True))
        except Unavailable as error:
            if error.code != INTEGRITY_FAILURE:
                raise
        opened = []
        for value in page:
            try:
                opened.append((value, await self._keys.open(value.place, value.sealed)))
            except Unavailable as error:
                if error.code != INTEGRITY_FAILURE:
                    raise
        return opened

    async def _close(self, rewrapping: Rewrapping, version: int) -> None:
        owner = rewrapping.owner
        details = {"key_kind": owner.kind.value, "version": str(version)}
        async with self._ledger.effect(_deed(Kind.KEY_VERSIONS_CLOSED, SELF, owner, **details)):
            await self._keys.close_versions(owner, version)
            await self._store.close_rewrapping(rewrapping, Outcome.DONE, self._clock.now())


def _deed(kind: Kind, actor: Actor, owner: KeyOwner | None, **details: str) -> Deed:
    seller_id = owner.owner_id if owner is not None and owner.kind is KeyKind.SELLER else ""
    return Deed(kind=kind, actor=actor, seller_id=seller_id, details=details)
