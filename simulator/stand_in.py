"""Answers of operations that have no state here: a case of Amazon's sandbox when there is one, else made up.

A made-up answer has the shape that Amazon's model gives the operation's success, the same for the same seed,
seller and path. Links in it lead to documents in the storage.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.documents.storage import Content, Storage
from simulator.exchange import Answer, Request
from simulator.operations import Operation
from simulator.orders.paging import stamp
from simulator.people import Buyer
from simulator.sandbox import Sandbox
from simulator.seed import ALPHANUMERIC, Seed
from simulator.world import Seller, World

FOLDER = "files"
TEXT_SIZE = 12

Document = dict[str, Any]


@dataclass(frozen=True)
class _Place:
    """Where in the answer of which call a value stands."""

    call: Call
    path: str
    name: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What the value there is drawn by."""
        return self.call.access.seller.seller_id, self.call.request.path, self.path

    def member(self, name: str) -> "_Place":
        """Return the place of a member below."""
        return _Place(self.call, f"{self.path}.{name}", name)

    def entry(self) -> "_Place":
        """Return the place of an entry below."""
        return _Place(self.call, f"{self.path}[0]", self.name)


class StandIn:
    """Answers whatever nobody else does."""

    def __init__(self, *, seed: Seed, world: World, storage: Storage, sandbox: Sandbox) -> None:
        self._seed = seed
        self._world = world
        self._storage = storage
        self._sandbox = sandbox
        storage.serve(FOLDER, self._file)

    def case(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Answer | None:
        """Return the answer of the case of Amazon's sandbox that a request matches, or None."""
        return self._sandbox.case(operation, request, parameters)

    def answer(self, call: Call) -> Document | Answer | None:
        """Return a made-up answer.

        Raises:
            Refusal: 400, the sandbox has cases of this operation, and the request matches none.
        """
        self._sandbox.check_free(call.operation)
        if call.operation.shape is None:
            return None
        made = self._made(call.operation.shape, _Place(call, "$", ""))
        return made if isinstance(made, dict) else exchange.json_answer(call.operation.status, made)

    def _made(self, shape: Any, place: "_Place") -> Any:
        if isinstance(shape, dict):
            return {name: self._made(part, place.member(name)) for name, part in shape.items()}
        if isinstance(shape, list):
            return [self._made(part, place.entry()) for part in shape]
        if shape == "link":
            seller = place.call.access.seller
            text = self._seed.text(ALPHANUMERIC, 20, "file", *place.key)
            return self._storage.link(FOLDER, f"{seller.index}-{text}", place.call.now)
        return shape[1:] if shape.startswith("=") else self._value(shape, place)

    def _value(self, kind: str, place: "_Place") -> Any:
        now, number = place.call.now, self._seed.below(86_400, *place.key)
        values = {
            "time": stamp(now - timedelta(seconds=number)),
            "date": f"{now - timedelta(days=1):%Y-%m-%d}",
            "whole": 1 + number % 9,
            "number": (100 + number % 9_900) / 100,
            "truth": number % 2 == 1,
        }
        if kind in values:
            return values[kind]
        # What was asked about by name comes back by name.
        asked = {name.lower(): value for name, value in place.call.parameters.items()}
        return asked.get(place.name.lower()) or self._seed.text(ALPHANUMERIC, TEXT_SIZE, *place.key)

    def _file(self, name: str) -> Content | None:
        index, _, _ = name.partition("-")
        if not index.isdigit() or int(index) >= len(self._world.sellers):
            return None
        seller = self._world.sellers[int(index)]
        return Content(_label(self._buyer(seller)), "application/pdf", seller.seller_id)

    def _buyer(self, seller: Seller) -> Buyer:
        """Return the buyer of a seller's first order."""
        order = self._world.order(self._world.order_id(seller, 0))
        assert order is not None
        return order.buyer


def _label(buyer: Buyer) -> bytes:
    """Return a page that a printer would take, with a buyer's name and street."""
    lines = (buyer.name, buyer.address.line_1, buyer.address.city)
    text = "".join(f"({line}) Tj T* " for line in lines)
    stream = f"BT /F1 12 Tf 14 TL 72 720 Td {text}ET".encode("cp1252", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
    )
    body = b"".join(b"%d 0 obj\n%b\nendobj\n" % pair for pair in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + body + b"trailer << /Root 1 0 R /Size 5 >>\n%%EOF\n"
