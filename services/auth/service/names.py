"""Names in the open, as lists show them: of sellers, people, desktops and passkeys.

One broken name hides no other, nor what it names: it is shown as DAMAGED, and raises the alarm.
"""

from collections.abc import Sequence

from chassis.errors import Gone, Unavailable
from services.auth.model.rewrapping import PAGE_VALUES_MAX, KeyKind, KeyOwner, SealedValue
from services.auth.model.sealing import INTEGRITY_FAILURE, STAFF, Place
from services.auth.service.ports import Ports

# Stands in the place of a name that was changed in the database, or moved there from elsewhere (T-16).
DAMAGED = "(name damaged)"


class Names:
    """Opens names for lists."""

    def __init__(self, ports: Ports) -> None:
        self._vault = ports.vault
        self._signals = ports.signals

    async def open(self, place: Place, sealed: str) -> str:
        """Return a name, or DAMAGED; empty when its key was destroyed.

        Raises:
            Unavailable: `key_service_unavailable`.
        """
        try:
            return (await self._vault.open(place, sealed)).reveal()
        except Gone:
            return ""
        except Unavailable as error:
            if error.code != INTEGRITY_FAILURE:
                raise
        self._signals.sealed_damaged(1)
        return DAMAGED

    async def open_all(self, seller_id: str, names: Sequence[tuple[Place, str]]) -> list[str]:
        """Return names that one seller's key seals, or STAFF's, in order; each as `open` does.

        The key service is asked once for PAGE_VALUES_MAX of them, as long as none is damaged.

        Raises:
            Unavailable: `key_service_unavailable`.
        """
        pages = (names[start : start + PAGE_VALUES_MAX] for start in range(0, len(names), PAGE_VALUES_MAX))
        return [name for page in pages for name in await self._open_page(_owner(seller_id), page)]

    async def _open_page(self, owner: KeyOwner, page: Sequence[tuple[Place, str]]) -> list[str]:
        values = [
            SealedValue(column=f"{place.table}.{place.column}", place=place, sealed=sealed)
            for place, sealed in page
        ]
        try:
            return [name.reveal() for name in await self._vault.open_many(owner, values)]
        except Gone:
            return [""] * len(page)
        except Unavailable as error:
            if error.code != INTEGRITY_FAILURE:
                raise
        return [await self.open(place, sealed) for place, sealed in page]


def _owner(seller_id: str) -> KeyOwner:
    return KeyOwner(kind=KeyKind.STAFF if seller_id == STAFF else KeyKind.SELLER, owner_id=seller_id)
