"""Documents that buyers handed in, among the data of their orders: links of ours to them, or none.

Whoever may not see their class has it masked before. One that lies where no document may lie is hidden too,
counted and told with its host, so that an operator can allow it; the answer comes all the same. A fault
that soon passes is told instead: what is hidden from one call must not be shown to the next.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from services.gateway.forward.journey import Journey
from services.gateway.forward.ports import Signals
from services.gateway.model.buyer_links import LINKS_MAX, BuyerLinks, Holding
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.operations import Operation

# From the journey of a call and Amazon's link to ours.
Give = Callable[[Journey, str], str]


@dataclass(frozen=True, slots=True)
class _Linked:
    """One operation whose answers link to such documents.

    Attributes:
        classes: of personal members, those that hold the links.
    """

    classes: frozenset[str]
    links: Sequence[BuyerLinks]

    @classmethod
    def of(cls, operation: Operation) -> Self:
        """Return what is known of an operation."""
        told = operation.buyer_links
        linking = {path for paths in told.values() for path in paths}
        return cls(
            frozenset(kind for kind, paths in operation.pii.items() if not linking.isdisjoint(paths)),
            [BuyerLinks(Holding(holding), paths) for holding, paths in told.items()],
        )


class BuyerDocuments:
    """Knows where answers link to such documents."""

    def __init__(self, operations: Iterable[Operation], *, give: Give, signals: Signals) -> None:
        """Prepare.

        Args:
            operations: all there are.
            give: returns our link in the place of Amazon's; raises UpstreamInvalid where it may not.
            signals: counts what is hidden.
        """
        self._linked = {each.name: _Linked.of(each) for each in operations if each.buyer_links}
        self._give = give
        self._signals = signals

    @property
    def operations(self) -> frozenset[str]:
        """The names of operations whose answers link to such documents."""
        return frozenset(self._linked)

    def show(self, journey: Journey, body: bytes) -> bytes:
        """Return a successful answer, masked for the device, with our links in the place of Amazon's.

        Raises:
            UpstreamInvalid: a link's place holds something else than a text.
            KeyServiceUnavailable: no link of ours can be made right now.
        """
        linked = self._linked.get(journey.operation.name)
        if linked is None or linked.classes.isdisjoint(journey.plan.view.shown):
            return body
        given: dict[str, str] = {}
        for each in linked.links:
            body = self._rewritten(journey, body, each, given=given)
        return body

    def _rewritten(self, journey: Journey, body: bytes, links: BuyerLinks, *, given: dict[str, str]) -> bytes:
        """Return an answer with some links replaced; `given` keeps ours by Amazon's, each made once."""
        hidden: list[str] = []

        def link_for(url: str) -> str | None:
            try:
                if url not in given:
                    given[url] = self._given(journey, url, len(given))
            except UpstreamInvalid:
                hidden.append(links.host(url))
            return given.get(url)

        rewritten = links.rewrite(body, link_for)
        if hidden:
            self._signals.links_hidden(journey.operation.name, hidden)
        return rewritten

    def _given(self, journey: Journey, url: str, count: int) -> str:
        if count >= LINKS_MAX:
            raise UpstreamInvalid
        return self._give(journey, url)
