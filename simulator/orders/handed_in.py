"""What buyers hand in with their orders: words for a customized product, a prescription for a regulated one.

Each lies in the storage, and a presigned link to it stands among the order's data. How Amazon's own links to
such files live and end is published nowhere.

Source: model ordersV0, BuyerCustomizedInfoDetail (a ZIP file) and RegulatedInformationField (an attachment).
"""

import io
import json
import zipfile
from datetime import datetime

from simulator.documents.storage import Content, Storage
from simulator.world import Item, Order, World

FOLDER = "handed-in"
_PRESCRIPTION = "prescription.txt"
_CUSTOMIZATION = "customization.zip"


class HandedIn:
    """Makes these files, and links to them."""

    def __init__(self, *, world: World, storage: Storage) -> None:
        self._world = world
        self._storage = storage
        storage.serve(FOLDER, self._content)

    def customization(self, order: Order, item: Item, now: datetime) -> str:
        """Return a link to what a buyer wants of a customized product; empty for other orders."""
        name = f"{order.order_id}/{item.item_id}/{_CUSTOMIZATION}"
        return self._storage.link(FOLDER, name, now) if order.is_customized else ""

    def prescription(self, order: Order, now: datetime) -> str:
        """Return a link to the prescription for a regulated product."""
        return self._storage.link(FOLDER, f"{order.order_id}/{_PRESCRIPTION}", now)

    def _content(self, name: str) -> Content | None:
        order_id, _, rest = name.partition("/")
        order = self._world.order(order_id)
        if order is None:
            return None
        if rest == _PRESCRIPTION:
            text = f"For the pet of {order.buyer.name}, {order.buyer.address.line_1}\n"
            return Content(text.encode(), "text/plain; charset=UTF-8", order.seller_id)
        return Content(_packed(order, rest.partition("/")[0]), "application/zip", order.seller_id)


def _packed(order: Order, item_id: str) -> bytes:
    """Return a ZIP file of a buyer's words, always of the same bytes."""
    words = {"orderId": order.order_id, "orderItemId": item_id, "engraving": f"For {order.buyer.name}"}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(f"{item_id}.json"), json.dumps(words))
    return packed.getvalue()
