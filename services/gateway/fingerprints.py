"""Ids as storage sees them: keyed fingerprints, which nobody reads back or tests without the key (T-15).

An order's id leads to its buyer, and what a seller calls its own shipments nobody can tell.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

import chassis.crypto.digest
from services.gateway.model.calls import Region
from services.gateway.shared_key import SharedKey

FINGERPRINT_BYTES = 16
PURPOSE = "home of an id"


class FingerprintStore(Protocol):
    """Where fingerprints lie with the regions that told what they stand for."""

    async def settle(self, seller_id: str, fingerprints: Sequence[bytes], region: Region) -> None:
        """Keep that a region told ids, none of them twice; raises Unavailable."""
        ...

    async def homes(self, seller_id: str, fingerprint: bytes) -> frozenset[Region]:
        """Return the regions that told an id; raises Unavailable."""
        ...


class FingerprintedHomes:
    """Fits `forward.ports.HomeStore`, while the key is fresh."""

    def __init__(self, *, key: SharedKey, store: FingerprintStore) -> None:
        self._key = key
        self._store = store

    async def settle(self, seller_id: str, ids: Collection[str], region: Region) -> None:
        """Keep that a region told ids.

        Raises:
            KeyServiceUnavailable: there is no key right now.
            StoreUnavailable: it may or may not have been kept.
        """
        await self._store.settle(seller_id, [self._fingerprint(seller_id, each) for each in ids], region)

    async def homes(self, seller_id: str, id_: str) -> frozenset[Region]:
        """Return the regions that told an id; empty where it is not known.

        Raises:
            KeyServiceUnavailable: there is no key right now.
            StoreUnavailable: nobody can say.
        """
        return await self._store.homes(seller_id, self._fingerprint(seller_id, id_))

    def _fingerprint(self, seller_id: str, id_: str) -> bytes:
        text = f"{PURPOSE} {seller_id} {id_}"
        return chassis.crypto.digest.keyed(self._key.current(), text)[:FINGERPRINT_BYTES]
