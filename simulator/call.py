"""A call of the Selling Partner API that has passed token and plan, as the operations get it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator import exchange
from simulator.applications import Application
from simulator.exchange import Request
from simulator.operations import Operation
from simulator.world import Seller


@dataclass(frozen=True)
class Access:
    """What an accepted token lets its call do; `elements` are the data elements it may show.

    `is_restricted` says that the token is a restricted data token that names the call.
    """

    application: Application
    seller: Seller
    consent_id: str
    elements: frozenset[str]
    is_restricted: bool = False


@dataclass(frozen=True)
class Call:
    """Who calls what with what; `parameters` are those of the path."""

    request: Request
    access: Access
    operation: Operation
    now: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def order_id(self) -> str:
        """The order in the path; empty for operations that have none there."""
        return self.parameters.get("orderId", "")

    def body(self) -> dict[str, Any]:
        """Return the JSON object sent along.

        Raises:
            Refusal: 400, there is none.
        """
        return _body(self.request)


@dataclass(frozen=True)
class OwnCall:
    """A call that an application makes for itself; `parameters` are those of the path."""

    request: Request
    application: Application
    now: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the JSON object sent along.

        Raises:
            Refusal: 400, there is none.
        """
        return _body(self.request)


def _body(request: Request) -> dict[str, Any]:
    try:
        return request.document()
    except ValueError as error:
        raise exchange.invalid_input("Invalid Input", "The body is not a JSON object.") from error
