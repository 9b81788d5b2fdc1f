"""Whose token it is: remembered while revocations are heard, and not for a moment longer (T-01)."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chassis.errors import Unauthenticated
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.gateway_ports import TOKEN_LIFE_S, FakeAuthPeer, FakeForwardSignals
from services.gateway.forward.identities import REDIAL_S_MAX, SILENCE_S_MAX, Identities
from services.gateway.forward.questions import OURS
from services.gateway.model.calls import Device

T = TypeVar("T")
SELLERS = {"a": "seller-a", "b": "seller-b"}
DEVICES = st.sampled_from(sorted(SELLERS))
WAITS_S = st.sampled_from([0.0, 1.0, SILENCE_S_MAX - 1.0, SILENCE_S_MAX, SILENCE_S_MAX + 1.0])
LIVES_S = st.sampled_from([1.0, TOKEN_LIFE_S])


class Listening(RuleBasedStateMachine):
    """Two devices that call, a stream of revocations, and who of them is known without a question."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.auth = FakeAuthPeer(self.clock)
        self.identities = Identities(
            auth=self.auth, clock=self.clock, entropy=FakeEntropy(), signals=FakeForwardSignals()
        )
        self.tokens: dict[str, str] = {}
        self.ends_at_s: dict[str, float] = {}
        self.known: set[str] = set()
        self.changes: list[str | None] = []
        self.news: list[str | None] = []
        self.identities.on_change(self.changes.append)
        self.identities.on_news(self.news.append)
        self.watching = self.runner.get_loop().create_task(self.identities.watch())
        self.heard_at_s = self.clock.monotonic_s()
        self.run(self.clock.advance(0.0))
        for name in SELLERS:
            self.come(name, TOKEN_LIFE_S)

    def teardown(self) -> None:
        self.watching.cancel()
        self.runner.close()

    @rule(name=DEVICES, life_s=LIVES_S)
    def come(self, name: str, life_s: float) -> None:
        self.enrol(name, life_s)
        self.show(name)

    @rule(wait_s=WAITS_S)
    def call_after(self, wait_s: float) -> None:
        self.clock.pass_(wait_s)
        for name in self.tokens:
            self.show(name)

    @rule()
    def keep_alive(self) -> None:
        was_heard = self.is_heard
        self.auth.keep_alive()
        self.listen()
        assert not (was_heard and self.news), "it is no news"

    @rule()
    def break_off(self) -> None:
        self.auth.break_streams()
        self.run(self.clock.advance(0.0))
        assert not self.identities.is_listening()
        assert self.clock.until_next_s <= REDIAL_S_MAX
        self.known.clear()
        self.listen(self.clock.until_next_s)
        assert None in self.changes
        assert None in self.news

    @rule(name=DEVICES)
    def revoke(self, name: str) -> None:
        self.auth.revoke(self.tokens[name])
        self.hear_of(name)

    @rule(name=DEVICES)
    def tell_of_something_else(self, name: str) -> None:
        self.auth.tell(self.tokens[name])
        self.hear_of(name)

    @rule(name=DEVICES, other=DEVICES, is_break=st.booleans())
    def be_overtaken(self, name: str, other: str, *, is_break: bool) -> None:
        """Have the stream break, or tell of a device, before auth's answer arrives: it serves one call."""
        self.enrol(name, TOKEN_LIFE_S)
        introspect, may_arrive = self.auth.introspect, asyncio.Event()

        async def slowly(access_token: str) -> Device:
            device = await introspect(access_token)
            await may_arrive.wait()
            return device

        self.auth.introspect = slowly  # type: ignore[method-assign]
        asking = self.runner.get_loop().create_task(self.identities.who(self.tokens[name], OURS))
        self.run(self.clock.advance(0.0))
        self.auth.introspect = introspect  # type: ignore[method-assign]
        if is_break:
            self.break_off()
        else:
            self.tell_of_something_else(other)
        may_arrive.set()
        assert self.run(asyncio.wait_for(asking, None)).seller_id == SELLERS[name]
        self.show(name)

    @invariant()
    def nobody_is_trusted_in_a_silence(self) -> None:
        assert self.identities.is_listening() is self.is_heard

    @property
    def is_heard(self) -> bool:
        return self.clock.monotonic_s() - self.heard_at_s <= SILENCE_S_MAX

    def is_over(self, name: str) -> bool:
        is_revoked = self.auth.devices[self.tokens[name]].device_id in self.auth.revoked
        return is_revoked or self.clock.monotonic_s() >= self.ends_at_s[name]

    def enrol(self, name: str, life_s: float) -> None:
        """Put another device, which nobody knows yet, in a device's place."""
        self.tokens[name] = self.auth.enrol(seller_id=SELLERS[name])
        self.auth.end(self.tokens[name], left_s=life_s)
        self.ends_at_s[name] = self.clock.monotonic_s() + life_s
        self.known.discard(name)

    def show(self, name: str) -> None:
        """Have a device call: only who is known is let in without a question, and nobody who is over."""
        asked = self.auth.introspections
        if self.is_over(name):
            with pytest.raises(Unauthenticated):
                self.run(self.identities.who(self.tokens[name], OURS))
            return
        assert self.run(self.identities.who(self.tokens[name], OURS)).seller_id == SELLERS[name]
        assert self.auth.introspections == asked + (not self.is_heard or name not in self.known)
        if self.is_heard:
            self.known.add(name)

    def hear_of(self, name: str) -> None:
        """Hear news of a device: whoever keeps something for it, or for its seller, is told."""
        was_known = self.is_heard and name in self.known
        self.listen()
        self.known.discard(name)
        assert self.auth.devices[self.tokens[name]].device_id in self.news
        assert not was_known or SELLERS[name] in self.changes

    def listen(self, for_s: float = 0.0) -> None:
        """Let what auth says arrive; what was known before a silence is known no more."""
        if not self.is_heard:
            self.known.clear()
        self.changes.clear()
        self.news.clear()
        self.run(self.clock.advance(for_s))
        self.heard_at_s = self.clock.monotonic_s()

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)


TestListening = Listening.TestCase
TestListening.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
