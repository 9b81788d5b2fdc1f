"""A call of the Selling Partner API that has passed token and plan, as the operations get it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator import exchange
from simulator.applications import Application
from simulator.exchange import Request
from simulator.world import Seller


@dataclass(frozen=True)
class Access:
    """What an accepted token lets its call do; `elements` are the data elements it may show."""

    application: Application
    seller: Seller
    consent_id: str
    elements: frozenset[str]


@dataclass(frozen=True)
class Call:
    """Who calls with what; `order_id` is empty for operations that have none in their path."""

    request: Request
    access: Access
    order_id: str
    now: datetime

    def body(self) -> dict[str, Any]:
        """Return the JSON object sent along.

        Raises:
            Refusal: 400, there is none.
        """
        try:
            return self.request.document()
        except ValueError as error:
            raise exchange.invalid_input("Invalid Input", "The body is not a JSON object.") from error
