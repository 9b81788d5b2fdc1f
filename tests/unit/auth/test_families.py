"""Token families against a model: whatever honest and dishonest holders do, in any order."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_house import CLIENT_ID, House, Person, redemption, thumbprint
from services.auth.model.tokens import RETRY_S_MAX, TokenSet

T = TypeVar("T")
KEYS = ("own", "thief")
SPANS_S = (0.0, 1.0, RETRY_S_MAX / 2, RETRY_S_MAX, RETRY_S_MAX + 1, 3600.0)


@dataclass
class Family:
    """What a device's tokens should do: the newest is current, older ones remember when they were rotated."""

    device_id: str
    code: Secret[str]
    current: TokenSet
    is_revoked: bool = False
    rotated: dict[int, tuple[float, TokenSet]] = field(default_factory=dict)
    issued: list[TokenSet] = field(default_factory=list)


class Families(RuleBasedStateMachine):
    families: Bundle[Family] = Bundle("families")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.house = House()
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
    def enrol(self) -> Family:
        # Sessions end after 12 h; time passes here.
        self.person = self.run(self.house.colleague(self.person.seller_id))
        desktop = self.run(self.house.bound(self.person, key="own"))
        family = Family(desktop.device_id, desktop.code, desktop.tokens, issued=[desktop.tokens])
        self.all.append(family)
        return family

    @rule(span_s=st.sampled_from(SPANS_S))
    def pass_time(self, span_s: float) -> None:
        self.house.pass_(timedelta(seconds=span_s))

    @rule(family=families, key=st.sampled_from(KEYS))
    def show_the_current_token(self, family: Family, key: str) -> None:
        shown = family.current
        answer = self.show(shown, key)
        if key == "thief":
            assert answer in {"invalid_grant", "too_many_failures"}
        elif family.is_revoked:
            assert answer == "device_revoked"
        else:
            assert isinstance(answer, TokenSet)
            family.rotated[len(family.issued) - 1] = (self.house.clock.monotonic_s(), answer)
            family.issued.append(answer)
            family.current = answer

    @rule(family=families, key=st.sampled_from(KEYS), data=st.data())
    def show_a_rotated_token(self, family: Family, key: str, data: st.DataObject) -> None:
        if not family.rotated:
            return
        number = data.draw(st.sampled_from(sorted(family.rotated)))
        rotated_at_s, successor = family.rotated[number]
        answer = self.show(family.issued[number], key)
        if answer == "too_many_failures":
            assert key == "thief"
        elif family.is_revoked:
            assert answer == "device_revoked"
        elif key == "own" and self.house.clock.monotonic_s() - rotated_at_s <= RETRY_S_MAX:
            assert answer == successor
        else:
            assert answer == "invalid_grant"
            family.is_revoked = True

    @rule(family=families)
    def show_the_code_again(self, family: Family) -> None:
        answer = self.attempt(self.house.use.enrolment.exchange(redemption(family.code, key="coder")))
        if answer != "too_many_failures":
            assert answer == "invalid_grant"
            family.is_revoked = True

    @rule(family=consumes(families))
    def revoke(self, family: Family) -> None:
        self.person = self.run(self.house.colleague(self.person.seller_id))
        self.run(self.house.use.devices.revoke(self.person.session_token, family.device_id))
        family.is_revoked = True

    @rule()
    def restart(self) -> None:
        self.house.use = self.house.replica()

    @invariant()
    def access_tokens_work_exactly_while_the_family_lives(self) -> None:
        for family in self.all:
            answer = self.attempt(self.house.use.tokens.introspect(family.current.access_token))
            if family.is_revoked:
                assert answer == "device_revoked"
            else:
                assert answer == "token_expired" or not isinstance(answer, str)

    def show(self, tokens: TokenSet, key: str) -> TokenSet | str:
        return self.attempt(
            self.house.use.tokens.refresh_bound(CLIENT_ID, tokens.refresh_token, thumbprint(key))
        )

    def teardown(self) -> None:
        self.loop.close()


TestFamilies = Families.TestCase
TestFamilies.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
