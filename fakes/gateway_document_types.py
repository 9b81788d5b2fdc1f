"""The types of sellers' documents, in memory; `is_down` takes the store away."""

from collections.abc import Mapping

import chassis.db


class FakeDocumentTypes:
    """Fits `forward.document_links.DocumentTypes`."""

    def __init__(self) -> None:
        self.types: dict[tuple[str, str], str] = {}
        self.told = 0
        self.is_down = False

    async def learn(self, seller_id: str, types: Mapping[str, str]) -> None:
        self._check_up()
        self.told += 1
        for document_id, type_ in types.items():
            self.types.setdefault((seller_id, document_id), type_)

    async def find(self, seller_id: str, document_id: str) -> str:
        self._check_up()
        return self.types.get((seller_id, document_id), "")

    def _check_up(self) -> None:
        if self.is_down:
            raise chassis.db.StoreUnavailable
