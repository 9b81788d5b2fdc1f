"""Of which revision an answer is: each write to an API makes the next one, whichever replica it went through.

An answer is served again to those only who ask for the revision that it is of. So a write makes what the same
API said before outdated: at once on the replica that made it, within HEARD_S_MAX on the others. Only what a
policy lets be served again, of APIs that can be written to, costs a look at storage; the built-in one names
none of those.
"""

from collections.abc import Hashable, Iterable

from chassis.clock import Clock
from chassis.errors import SallyportError
from chassis.recent import Recent
from services.gateway.forward.journey import Journey
from services.gateway.forward.ports import RevisionStore, Signals
from services.gateway.model import kept_answers
from services.gateway.model.operations import Operation
from services.gateway.model.policy import Rules

# For how long what storage said of a revision is believed.
HEARD_S_MAX = 2.0
# About 300 bytes each.
REVISIONS_MAX = 20_000

# Of an API that nobody can write to.
ONLY_REVISION = 0

_Key = tuple[str, str]


class Revisions:
    """What storage said of revisions, and the telling of new ones."""

    def __init__(
        self, *, operations: Iterable[Operation], store: RevisionStore, clock: Clock, signals: Signals
    ) -> None:
        known = tuple(operations)
        self._written = frozenset(each.api for each in known if not each.is_read)
        self._operations = tuple(each for each in known if each.api in self._written)
        self._store = store
        self._clock = clock
        self._signals = signals
        # With the moment of the monotonic clock up to which it is believed.
        self._heard: Recent[_Key, tuple[int, float]] = Recent(REVISIONS_MAX)
        self._rules: Rules | None = None
        self._kept: frozenset[str] = frozenset()

    async def of(self, journey: Journey) -> Hashable:
        """Return the revision of which a read's answer is now; one like no other while nobody can say."""
        api = journey.operation.api
        if api not in self._written:
            return ONLY_REVISION
        key, now_s = (journey.owner_id, api), self._clock.monotonic_s()
        heard = self._heard.get(key)
        if heard is not None and now_s < heard[1]:
            return heard[0]
        try:
            revision = await self._store.revision(*key)
        except SallyportError as error:
            self._signals.side_failed("revisions", error.code)
            return object()
        self._heard.put(key, (revision, now_s + HEARD_S_MAX))
        return revision

    async def tell(self, journey: Journey) -> None:
        """Make the next revision after a write; when that fails, others serve on what they kept."""
        key = journey.owner_id, journey.operation.api
        if key[1] not in self._kept_under(journey.rules):
            return
        self._heard.drop(key)
        try:
            await self._store.revise(*key)
        except SallyportError as error:
            self._signals.side_failed("revisions", error.code)

    def _kept_under(self, rules: Rules) -> frozenset[str]:
        """Return the APIs that can be written to, and of which some answers may be served again."""
        if rules is not self._rules:
            kept = (each for each in self._operations if kept_answers.life_s(each, rules.policy) > 0)
            self._rules, self._kept = rules, frozenset(each.api for each in kept)
        return self._kept
