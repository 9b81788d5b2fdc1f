"""The desktops of a run: they read orders with the patience of a real client."""

import json
from datetime import timedelta

import chassis.trace
from chassis.errors import SallyportError
from sallyport.simulate import orders
from sallyport.simulate.houses.gateway import GatewayHouse
from sallyport.simulate.invariants import Invariant
from sallyport.simulate.people import PAUSE_S, Console, Person, insist
from sallyport.simulate.profiles import NO_VERDICT, Access, MakeProfile
from sallyport.simulate.watching import Desk
from sallyport.simulate.world import World
from services.gateway.model.calls import Answer, Call
from services.gateway.model.fields import Fields

TRIES_MAX = 12
# All desktops stand behind one address. Source: RFC 5737, for examples.
OFFICE = "192.0.2.1"
NEWER_UNTIL = timedelta(days=20)
"""So long before an order's clock ends its newer answer is not asked for any more."""

HELD_OUT_OF_HAND = frozenset({401, 403})
FINAL = frozenset({200, 404, 410})
EXPIRED = "The access token you provided has expired."
LOST_TOKEN = "token_invalid"  # noqa: S105 - a code


class Desktop:
    """One desktop.

    Attributes:
        desk: what is true of it.
        device_id: the device that it is now; another one after it had to enrol anew.
    """

    def __init__(
        self, world: World, person: Person, console: Console, *, name: str, make: MakeProfile
    ) -> None:
        self.desk = Desk(name, person.partner_id)
        self.device_id = ""
        self._world = world
        self._person = person
        self._console = console
        self._profile = make(world, person, self.desk)
        self._sees_buyers = False
        self._enrolments = 0
        self._calls = 0
        self._access: Access | None = None

    async def enrol(self, *, sees_buyers: bool) -> None:
        """Become a device, with or without the vendor's leave to see buyers."""
        self._sees_buyers = sees_buyers
        await insist(self._world, self._enrol_once)

    async def read(self, order_id: str) -> int:
        """Look at an order, then at its buyer's address; return the last status, 0 for none.

        In this order, because the safe keeps and refuses only what it knows the clock of.
        """
        order = self._world.orders[order_id]
        # Amazon's newer answer shows the buyer as long as Amazon does; the clock is about what we keep.
        is_old = self._world.watcher.is_over(order, self._world.clock.now() + NEWER_UNTIL)
        version = orders.V0 if is_old else self._world.choices.choice((orders.V0, orders.V2026))
        status = await self._call(f"{version}/{order_id}")
        if status != 200:
            return status
        return await self.glance(order_id, orders.ADDRESS)

    async def glance(self, order_id: str, part: str = "") -> int:
        """Look at one part of an order; return the status, 0 for none."""
        return await self._call(f"{orders.V0}/{order_id}{part}")

    async def _call(self, path: str) -> int:
        for _ in range(TRIES_MAX):
            try:
                answer = await self._call_once(path)
            except SallyportError as error:
                await self._recover(error)
                continue
            if answer.status in FINAL:
                return answer.status
            await self._pause()
        return 0

    async def _call_once(self, path: str) -> Answer:
        if self._access is None or self._world.clock.now() >= self._access.ends_at:
            self._access = await self._profile.refresh()
        held = self._access
        call = self._make(path, held.token.reveal())

        async def work(house: GatewayHouse) -> Answer:
            began = self._world.moment()
            with chassis.trace.bind_request_id(call.request_id):
                answer = await house.forwarder.handle(call)
            self._world.watcher.left(self.desk, call.request_id, answer, began=began)
            return answer

        answer = await self._world.visit(self.desk.name, path, work)
        self._world.trace.write(f"{self.desk.name} {answer.status} {_reason(answer)}")
        self._look_at(answer, held)
        return answer

    def _make(self, path: str, access_token: str) -> Call:
        self._calls += 1
        return Call(
            method="GET",
            target=path,
            fields=Fields([("x-amz-access-token", access_token)]),
            body=b"",
            host="gateway.example",
            access_token=access_token,
            proof=self._profile.proof,
            request_id=f"{self.desk.name}-{self._calls:06d}",
            came_from=OFFICE,
        )

    async def _recover(self, error: SallyportError) -> None:
        """Do what a client does that got no answer, or no token."""
        await self._pause()
        if not isinstance(error, NO_VERDICT) and self.desk.revoked_at_s is None:
            await insist(self._world, self._enrol_once)

    def _look_at(self, answer: Answer, held: Access) -> None:
        """Drop a token that was refused; whoever stole a revoked desktop goes on with what it holds."""
        if answer.status not in HELD_OUT_OF_HAND or self.desk.revoked_at_s is not None:
            return
        reason, self._access = _reason(answer), None
        is_early = reason == EXPIRED and self._world.clock.now() < held.ends_at
        is_lost = is_early or LOST_TOKEN in reason
        evidence = f"{self.desk.name}: {reason} for an access token that is good"
        self._world.tally.check(Invariant.TOKENS_KEPT, not is_lost, evidence)

    async def _enrol_once(self) -> None:
        self._enrolments += 1
        self._access = None
        self.device_id = await self._profile.enrol(f"{self.desk.name} {self._enrolments}")
        if self._sees_buyers:
            self.desk.sees_buyers = True
            await self._console.allow_buyers(self._person.seller_id, self.device_id)

    async def _pause(self) -> None:
        await self._world.clock.sleep(self._world.choices.uniform(*PAUSE_S))


def _reason(answer: Answer) -> str:
    """Return the words by which a client tells failures apart."""
    if answer.status == 200:
        return ""
    (error, *_) = json.loads(answer.body)["errors"]
    return f"{error['details'] or error['code']}"
