"""Retention as auth uses it, in memory: what it holds of a seller is gone once it is erased."""

from chassis.errors import Unavailable


class FakeSafe:
    """Refuses while `is_down`; every erasure has a receipt of its own."""

    def __init__(self) -> None:
        self.is_down = False
        self.held: set[str] = set()
        self.receipts: list[tuple[str, str]] = []

    async def erase_seller(self, seller_id: str) -> str:
        if self.is_down:
            raise Unavailable
        self.held.discard(seller_id)
        receipt_id = f"receipt-{len(self.receipts):04d}"
        self.receipts.append((seller_id, receipt_id))
        return receipt_id
