"""Token families against a model: whatever honest and dishonest holders do, in any order, on any storage."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_house import CLIENT_ID, Desktop, House, Person, redemption, thumbprint
from services.auth.model.device_grants import INTERVAL_S
from services.auth.model.tokens import ACCESS_LIFE, RETRY_S_MAX, TokenSet

T = TypeVar("T")
LOCKED_OUT = "too_many_failures"
KEYS = ("own", "thief")
SPANS_S = (0.0, 1.0, RETRY_S_MAX / 2, RETRY_S_MAX, RETRY_S_MAX + 1, 3600.0)


@dataclass
class Family:
    """What a device's tokens should do: the newest is current, older ones remember when they were rotated.

    Attributes:
        redeemed_at_s: when its device code was turned into tokens; None when it came by a code.
        rotated: of each older token, by its place in `issued`, when it was rotated and what it brought.
        given_up: access tokens that their holder revoked.
    """

    device_id: str
    code: Secret[str]
    issued: list[TokenSet]
    issued_at: datetime
    redeemed_at_s: float | None = None
    is_revoked: bool = False
    rotated: dict[int, tuple[float, TokenSet]] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)

    @property
    def current(self) -> TokenSet:
        return self.issued[-1]


class Families(RuleBasedStateMachine):
    """Drives one house.

    Attributes:
        elapse: lets time pass for storage too.
        grace_s: how long the machine's own steps may take on storage whose clock nobody stops.
    """

    families: Bundle[Family] = Bundle("families")

    def __init__(
        self,
        house: House,
        loop: asyncio.AbstractEventLoop,
        *,
        elapse: Callable[[float], Awaitable[None]],
        grace_s: float = 0.0,
    ) -> None:
        super().__init__()
        self.house = house
        self.loop = loop
        self.elapse = elapse
        self.grace_s = grace_s
        self.all: list[Family] = []

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.loop.run_until_complete(work)

    def attempt(self, work: Coroutine[object, object, T]) -> T | str:
        """Return the answer, or the code of the refusal."""
        try:
            return self.run(work)
        except SallyportError as refusal:
            return refusal.code

    @initialize()
    def move_in(self) -> None:
        self.person: Person = self.run(self.house.person())

    @rule(target=families)
    def enrol_by_code(self) -> Family:
        return self.keep(self.run(self.house.bound(self.somebody(), key="own")))

    @rule(target=families)
    def enrol_by_device_grant(self) -> Family:
        family = self.keep(self.run(self.house.granted(self.somebody(), key="own")))
        family.redeemed_at_s = self.house.clock.monotonic_s()
        return family

    @rule(span_s=st.sampled_from(SPANS_S))
    def pass_time(self, span_s: float) -> None:
        self.house.pass_(timedelta(seconds=span_s))
        self.run(_awaited(self.elapse(span_s)))

    @rule(family=families, key=st.sampled_from(KEYS))
    def show_the_current_token(self, family: Family, key: str) -> None:
        answer = self.show(family.current, key)
        if answer == LOCKED_OUT:
            return
        if key == "thief":
            assert answer == "invalid_grant"
        elif family.is_revoked:
            assert answer == "device_revoked"
        else:
            assert isinstance(answer, TokenSet)
            family.rotated[len(family.issued) - 1] = (self.house.clock.monotonic_s(), answer)
            family.issued.append(answer)
            family.issued_at = self.house.clock.now()

    @rule(family=families, key=st.sampled_from(KEYS), data=st.data())
    def show_a_rotated_token(self, family: Family, key: str, data: st.DataObject) -> None:
        if not family.rotated:
            return
        number = data.draw(st.sampled_from(sorted(family.rotated)))
        rotated_at_s, successor = family.rotated[number]
        answer = self.show(family.issued[number], key)
        if answer == LOCKED_OUT:
            return
        is_retry = self.is_within(RETRY_S_MAX, rotated_at_s) if key == "own" else False
        if family.is_revoked:
            assert answer == "device_revoked"
        elif isinstance(answer, TokenSet):
            assert is_retry is not False
            assert answer == successor
        else:
            assert is_retry is not True
            assert answer == "invalid_grant"
            family.is_revoked = True

    @rule(family=families, key=st.sampled_from(KEYS))
    def show_the_code_again(self, family: Family, key: str) -> None:
        is_retry: bool | None = False
        ends = True
        if family.redeemed_at_s is None:
            answer = self.attempt(self.house.use.enrolment.exchange(redemption(family.code, key=key)))
        else:
            redeem = self.house.use.device_grants.redeem(CLIENT_ID, family.code, thumbprint(key))
            answer, ends = self.attempt(redeem), key == "own"
            if ends and not family.is_revoked:
                is_retry = self.is_within(INTERVAL_S + RETRY_S_MAX, family.redeemed_at_s)
        if answer == LOCKED_OUT:
            return
        if isinstance(answer, TokenSet):
            assert is_retry is not False
            assert answer == family.issued[0]
        else:
            assert is_retry is not True
            assert answer == "invalid_grant"
            family.is_revoked = family.is_revoked or ends

    @rule(family=families)
    def give_up_the_access_token(self, family: Family) -> None:
        self.run(self.house.use.own_tokens.revoke(CLIENT_ID, family.current.access_token))
        family.given_up.add(family.current.access_token.reveal())

    @rule(family=families, data=st.data())
    def give_up_a_refresh_token(self, family: Family, data: st.DataObject) -> None:
        tokens = data.draw(st.sampled_from(family.issued))
        self.run(self.house.use.own_tokens.revoke(CLIENT_ID, tokens.refresh_token))
        family.is_revoked = True

    @rule(family=consumes(families))
    def revoke(self, family: Family) -> None:
        self.run(self.house.use.devices.revoke(self.somebody().session_token, family.device_id))
        family.is_revoked = True

    @rule()
    def restart(self) -> None:
        self.house.use = self.house.replica()

    @invariant()
    def access_tokens_work_exactly_while_they_may(self) -> None:
        for family in self.all:
            token = family.current.access_token
            answer = self.attempt(self.house.use.tokens.introspect(token))
            if token.reveal() in family.given_up:
                assert answer == "token_invalid"
            elif family.is_revoked:
                assert answer == "device_revoked"
            elif self.house.clock.now() >= family.issued_at + ACCESS_LIFE:
                assert answer == "token_expired"
            else:
                assert not isinstance(answer, str)

    def is_within(self, span_s: float, since_s: float) -> bool | None:
        """Return whether something is at most so long ago; None when that depends on how fast we are."""
        ago_s = self.house.clock.monotonic_s() - since_s
        return None if span_s - self.grace_s < ago_s <= span_s else ago_s <= span_s

    def somebody(self) -> Person:
        """Return a person of the seller with a fresh session: sessions end, and time passes here."""
        self.person = self.run(self.house.colleague(self.person.seller_id))
        return self.person

    def keep(self, desktop: Desktop) -> Family:
        family = Family(desktop.device_id, desktop.code, [desktop.tokens], self.house.clock.now())
        self.all.append(family)
        return family

    def show(self, tokens: TokenSet, key: str) -> TokenSet | str:
        return self.attempt(
            self.house.use.tokens.refresh_bound(CLIENT_ID, tokens.refresh_token, thumbprint(key))
        )


async def _awaited(work: Awaitable[T]) -> T:
    return await work
