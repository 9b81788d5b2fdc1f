"""The same seed and the same requests give the same bytes; nothing else decides them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.exchange import Answer
from tests.unit.simulator.rig import RESOURCES, Rig, marketplaces

steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "connect",
                "refresh",
                "list",
                "search",
                "order",
                "address",
                "restrict",
                "ship",
                "page",
                "hour",
                "junk",
            ]
        ),
        st.integers(0, 3),
        st.integers(0, 23),
    ),
    max_size=25,
)


class Story:
    """Plays steps against a simulator and keeps every answer."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.answers: list[Answer] = []
        self.access = ["Atza|none"] * 4
        self.refresh = ["Atzr|none"] * 4
        self.restricted = ["Atz.sprdt|none"] * 4

    def play(self, steps: list[tuple[str, int, int]]) -> list[Answer]:
        for step, seller, number in steps:
            answer = self._step(step, seller, number)
            if answer is not None:
                self.answers.append(answer)
        return self.answers

    def _step(self, step: str, seller: int, number: int) -> Answer | None:
        rig, order = self.rig, self.rig.orders(seller)[number]
        path = f"/orders/v0/orders/{order.order_id}"
        if step == "connect":
            uri = "https://vendor.example/consent/callback"
            answer = rig.lwa(grant_type="authorization_code", code=rig.code(seller), redirect_uri=uri)
            return self._kept(answer, seller)
        if step == "refresh":
            answer = rig.lwa(grant_type="refresh_token", refresh_token=self.refresh[seller])
            return self._kept(answer, seller)
        if step == "restrict":
            document: dict[str, Any] = {"restrictedResources": list(RESOURCES)}
            answer = rig.post("/tokens/2021-03-01/restrictedDataToken", self.access[seller], document)
            self.restricted[seller] = self._member(answer, "restrictedDataToken") or self.restricted[seller]
            return answer
        if step == "ship":
            document = {
                "marketplaceId": order.marketplace.marketplace_id,
                "packageDetail": _parcel(rig, order),
            }
            return rig.post(f"{path}/shipmentConfirmation", self.access[seller], document)
        if step == "hour":
            rig.clock.advance(hours=number)
            return None
        return self._look(step, seller, path)

    def _look(self, step: str, seller: int, path: str) -> Answer:
        rig, access = self.rig, self.access[seller]
        query = {"MarketplaceIds": marketplaces(rig.sellers[seller]), "CreatedAfter": "2025-12-01"}
        looks = {
            "list": lambda: rig.get("/orders/v0/orders", self.restricted[seller], **query),
            "page": lambda: rig.get("/orders/v0/orders", access, **query, MaxResultsPerPage="3"),
            "search": lambda: rig.get("/orders/2026-01-01/orders", access, createdAfter="2025-12-01"),
            "order": lambda: rig.get(path, access),
            "address": lambda: rig.get(f"{path}/address", self.restricted[seller]),
            "junk": lambda: rig.send("PATCH", f"{path}/nonsense", body=b"\x00"),
        }
        return looks[step]()

    def _kept(self, answer: Answer, seller: int) -> Answer:
        self.access[seller] = self._member(answer, "access_token") or self.access[seller]
        self.refresh[seller] = self._member(answer, "refresh_token") or self.refresh[seller]
        return answer

    @staticmethod
    def _member(answer: Answer, name: str) -> str | None:
        found: str | None = answer.document().get(name) if answer.status == 200 else None
        return found


def _parcel(rig: Rig, order: Any) -> dict[str, Any]:
    return {
        "packageReferenceId": "1",
        "carrierCode": "UPS",
        "trackingNumber": "1Z",
        "shipDate": rig.clock.now().isoformat(),
        "orderItems": [{"orderItemId": item.item_id, "quantity": item.quantity} for item in order.items],
    }


@settings(max_examples=30, deadline=None)
@given(steps=steps, seed=st.integers(0, 1_000), hostility=st.sampled_from([0.0, 0.05, 1.0]))
def test_the_same_seed_and_requests_give_the_same_bytes(
    steps: list[tuple[str, int, int]], seed: int, hostility: float
) -> None:
    first, second = (Rig(seed=seed, hostility=hostility, has_real_plans=True) for _ in range(2))
    assert Story(first).play(steps) == Story(second).play(steps)
    assert first.shelf.calls == second.shelf.calls
    assert first.journal.events == second.journal.events


@settings(max_examples=20, deadline=None)
@given(steps=steps, hostility=st.sampled_from([0.0, 1.0]))
def test_no_sequence_of_requests_breaks_the_simulator(
    steps: list[tuple[str, int, int]], hostility: float
) -> None:
    answers = Story(Rig(hostility=hostility)).play(steps)
    allowed = {200, 204, 400, 403, 404, 429} | ({500, 503} if hostility else set())
    assert {answer.status for answer in answers} <= allowed


def test_another_seed_gives_other_orders_tokens_and_request_ids() -> None:
    story = [("connect", 0, 0), ("list", 0, 0), ("order", 0, 5)]
    first, second = Story(Rig(seed=1)).play(story), Story(Rig(seed=2)).play(story)
    assert not {answer.body for answer in first} & {answer.body for answer in second[:1]}
    assert not {a.header("x-amzn-RequestId") for a in first} & {a.header("x-amzn-RequestId") for a in second}
