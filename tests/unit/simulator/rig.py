"""A simulator in memory for the tests: still clock, nothing on disk, requests by plain calls."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import simulator.core
from simulator.applications import Application, Applications
from simulator.controls import Controls
from simulator.core import Chosen, Core
from simulator.documents.controls import DocumentControls
from simulator.events import Event
from simulator.exchange import Answer, Request
from simulator.operations import OPERATIONS
from simulator.record import Call, Record
from simulator.sandbox import Sandbox
from simulator.world import Order, Seller

BORN_AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
REDIRECT_URI = "https://vendor.example/consent/callback"
APPLICATION = Application(
    application_id="amzn1.sellerapps.app.11111111-aaaa",
    client_id="amzn1.application-oa2-client.11111111",
    client_secret="amzn1.oa2-cs.v1.first",
    redirect_uris=(REDIRECT_URI, "https://vendor.example/second?kept=1"),
    name="Parcel Pilot",
    log_in_uri="https://vendor.example/log-in",
)
# An application without the roles that open personal data, in draft, without a log-in URI.
PLAIN = Application(
    application_id="amzn1.sellerapps.app.22222222-bbbb",
    client_id="amzn1.application-oa2-client.22222222",
    client_secret="amzn1.oa2-cs.v1.second",
    redirect_uris=("https://other.example/callback",),
    name="Stock Sheet",
    is_draft=True,
    roles=frozenset(),
)
ALL_ELEMENTS = ["buyerInfo", "buyerTaxInformation", "shippingAddress"]
ORDER_PATH = "/orders/v0/orders/{orderId}"
RESOURCES: Sequence[Mapping[str, Any]] = (
    {"method": "GET", "path": "/orders/v0/orders", "dataElements": ALL_ELEMENTS},
    {"method": "GET", "path": ORDER_PATH, "dataElements": ALL_ELEMENTS},
    {"method": "GET", "path": f"{ORDER_PATH}/orderItems", "dataElements": ["buyerInfo"]},
    {"method": "GET", "path": f"{ORDER_PATH}/orderItems/buyerInfo"},
    {"method": "GET", "path": f"{ORDER_PATH}/address"},
    {"method": "GET", "path": f"{ORDER_PATH}/buyerInfo"},
    {"method": "GET", "path": f"{ORDER_PATH}/regulatedInfo"},
)


class MemoryJournal:
    """Keeps events in a list; while it is broken it refuses them, as a full disk would."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events = list(events)
        self.is_broken = False

    def append(self, events: Sequence[Event]) -> None:
        if self.is_broken:
            raise OSError(28, "No space left on device")
        self.events.extend(events)


class MemoryShelf:
    """Keeps calls in a list."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def append(self, call: Call) -> None:
        self.calls.append(call)

    def replace(self, calls: Iterable[Call]) -> None:
        self.calls = list(calls)


class StillDial:
    """A clock that moves only when it is turned."""

    def __init__(self, start: datetime = BORN_AT) -> None:
        self._start = start
        self.offset_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.offset_s)

    def turn(self, offset_s: float) -> None:
        self.offset_s = offset_s

    def advance(self, **parts: float) -> None:
        self.offset_s += timedelta(**parts).total_seconds()


class Rig:
    """A simulator with ample plans and no faults, unless told otherwise."""

    def __init__(
        self,
        *,
        seed: int = 1,
        hostility: float = 0.0,
        sellers: int = 4,
        journal: MemoryJournal | None = None,
        clock: StillDial | None = None,
        has_real_plans: bool = False,
        applications: Sequence[Application] = (APPLICATION, PLAIN),
        sandbox: Sandbox | None = None,
    ) -> None:
        self.clock = clock or StillDial()
        self.journal = journal or MemoryJournal()
        self.shelf = MemoryShelf()
        self.core: Core = simulator.core.build(
            clock=self.clock,
            ledger=simulator.core.start_ledger(
                self.journal, list(self.journal.events), seed=seed, born_at=self.clock.now
            ),
            applications=Applications(applications),
            record=Record(shelf=self.shelf),
            chosen=Chosen(sellers_count=sellers, hostility_share=hostility, sandbox=sandbox or Sandbox()),
        )
        self.controls = Controls(self.core)
        self.documents = DocumentControls(self.core)
        for operation in () if has_real_plans else OPERATIONS:
            self.core.plans.set(operation, rate=1_000.0, burst=100_000)

    @property
    def sellers(self) -> tuple[Seller, ...]:
        return self.core.world.sellers

    def orders(self, seller: int = 0) -> list[Order]:
        return self.core.world.placed(self.sellers[seller], self.clock.now())

    def send(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        return self.core.amazon.answer(
            Request(method, path, tuple(query), headers or {}, body, "127.0.0.1:5")
        )

    def get(self, path: str, token: str = "", **query: str) -> Answer:
        headers = {"x-amz-access-token": token} if token else {}
        return self.send("GET", path, list(query.items()), headers=headers)

    def post(self, path: str, token: str, document: Any) -> Answer:
        headers = {"x-amz-access-token": token, "content-type": "application/json"}
        return self.send("POST", path, headers=headers, body=json.dumps(document).encode())

    def lwa(self, application: Application = APPLICATION, **fields: str) -> Answer:
        credentials = {"client_id": application.client_id, "client_secret": application.client_secret}
        headers = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}
        body = urlencode(credentials | fields).encode()
        return self.send("POST", "/auth/o2/token", headers=headers, body=body)

    def confirm(self, seller: int = 0, application: Application = APPLICATION, **query: str) -> str:
        """Press Confirm and return the address the browser goes to."""
        asked = {"application_id": application.application_id, "state": "s1", "version": "beta"} | query
        url = f"https://sellercentral.amazon.com/apps/authorize/consent?{urlencode(asked)}"
        location: str = self.controls.consent({"url": url, "seller_id": self.sellers[seller].seller_id})[
            "location"
        ]
        return location

    def code(self, seller: int = 0, application: Application = APPLICATION) -> str:
        return parse_qs(urlsplit(self.confirm(seller, application)).query)["spapi_oauth_code"][0]

    def connect(self, seller: int = 0, application: Application = APPLICATION) -> dict[str, Any]:
        """Connect a seller and return the answer of the code's exchange."""
        answer = self.lwa(
            application,
            grant_type="authorization_code",
            code=self.code(seller, application),
            redirect_uri=application.redirect_uris[0],
        )
        assert answer.status == 200, answer
        document: dict[str, Any] = answer.document()
        return document

    def access(self, seller: int = 0, application: Application = APPLICATION) -> str:
        token: str = self.connect(seller, application)["access_token"]
        return token

    def restricted(self, access: str, resources: Sequence[Mapping[str, Any]] = RESOURCES) -> str:
        answer = self.post(
            "/tokens/2021-03-01/restrictedDataToken", access, {"restrictedResources": list(resources)}
        )
        assert answer.status == 200, answer
        token: str = answer.document()["restrictedDataToken"]
        return token


def marketplaces(seller: Seller) -> str:
    """Return all of a seller's marketplaces as a parameter."""
    return ",".join(marketplace.marketplace_id for marketplace in seller.marketplaces)


def error(answer: Answer) -> dict[str, str]:
    """Return the only error of a refused call."""
    (found,) = answer.document()["errors"]
    refused: dict[str, str] = found
    return refused
