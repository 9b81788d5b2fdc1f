"""Data keys: one per seller and erase day, wrapped by the seller's key and that by the day's key.

Whoever opens a record asks here for its key, so this is where the gate stands: no key is unwrapped before
every key that should be dead is dead (R-19).
"""

from dataclasses import dataclass, replace
from datetime import date

import chassis.clock
import chassis.entropy
import chassis.errors
from chassis.secrecy import Secret
from services.retention.model.erasures import Probe, Subject
from services.retention.model.errors import KEY_GONE, KeyRetired, SubjectClosed
from services.retention.model.records import DataKey
from services.retention.service.key_cache import KeyCache
from services.retention.service.ports import Cipher, DataKeyRows, Keys, Overdue

PROBE_BYTES = 32


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A data key, and what it is in the open."""

    data_key: DataKey
    secret: Secret[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPorts:
    """What data keys are made of."""

    rows: DataKeyRows
    keys: Keys
    cipher: Cipher
    clock: chassis.clock.Clock
    entropy: chassis.entropy.Entropy


class DataKeys:
    """Finds, makes and unwraps data keys."""

    def __init__(self, ports: KeyPorts, *, cache: KeyCache, overdue: Overdue) -> None:
        self._ports = ports
        self._cache = cache
        self._overdue = overdue

    async def for_sealing(self, seller_id: str, erase_day: date) -> OpenKey:
        """Return the seller's key for a day, made if there is none.

        Raises:
            SubjectClosed: the seller or the day is being erased, or the day has been.
            KeyRetired: a key over the data key is gone, its row not yet.
        """
        data_key = await self._ports.rows.find_data_key(seller_id, erase_day)
        try:
            if data_key is None:
                data_key = await self._make(seller_id, erase_day)
            return OpenKey(data_key, await self.unwrap(data_key))
        except chassis.errors.SallyportError as error:
            if error.code == KEY_GONE:
                raise KeyRetired from error
            raise

    async def unwrap(self, data_key: DataKey) -> Secret[bytes]:
        """Return a data key in the open; from memory if it is there.

        Raises:
            SallyportError: with code "key_gone" or "integrity_failure"; it will never open.
        """
        await self._overdue.settle()
        secret = self._cache.find(data_key)
        if secret is None:
            keys, place = self._ports.keys, self._ports.cipher.associated(**data_key.place)
            inner = await keys.unwrap(Subject.of_day(data_key.erase_day), data_key.wrapped, place)
            wrapped = inner.reveal().decode("ascii")
            secret = await keys.unwrap(Subject.of_seller(data_key.seller_id), wrapped, place)
            self._cache.keep(data_key, secret)
        return secret

    async def _make(self, seller_id: str, erase_day: date) -> DataKey:
        day, seller = Subject.of_day(erase_day), Subject.of_seller(seller_id)
        await self._open(day)
        await self._open(seller)
        ports = self._ports
        bare = DataKey(
            key_id=chassis.entropy.new_id(ports.clock, ports.entropy),
            seller_id=seller_id,
            erase_day=erase_day,
            wrapped="",
        )
        place = ports.cipher.associated(**bare.place)
        inner = await ports.keys.wrap(seller, ports.cipher.new_key(ports.entropy), place)
        wrapped = await ports.keys.wrap(day, Secret(inner.encode("ascii")), place)
        return await ports.rows.add_data_key(replace(bare, wrapped=wrapped))

    async def _open(self, subject: Subject) -> None:
        """Make a subject's key, with a probe under it, unless that was done."""
        if await self._ports.rows.is_open(subject):
            return
        await self._ports.keys.create(subject)
        try:
            await self._ports.rows.open_subject(await self._probe(subject), self._ports.clock.now())
        except SubjectClosed:
            # It was erased while its key was being made: that key must not stay behind.
            await self._ports.keys.destroy(subject)
            raise

    async def _probe(self, subject: Subject) -> Probe:
        ports = self._ports
        place = ports.cipher.associated(**Probe.place(subject))
        secret = ports.cipher.new_key(ports.entropy)
        sealed = ports.cipher.seal(secret, ports.entropy.token(PROBE_BYTES), place)
        return Probe(subject, await ports.keys.wrap(subject, secret, place), sealed)
