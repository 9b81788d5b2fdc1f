"""Amazon's answers that may be served again for a while: which, for how long, and how many are kept.

Only what tells nothing of anybody and changes seldom is kept, of one seller for that seller; a vendor's
policy may name other times. Whatever a policy says, an answer is never kept that may hold personal data, or
whose question may, that tells of orders or links to a document.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from services.gateway.model.application_policy import ApplicationPolicy
from services.gateway.model.calls import UpstreamAnswer
from services.gateway.model.operations import Operation, TokenRule
from services.gateway.model.orders import tells_of_orders

# All answers together, of one seller, and one of them. Amazon's largest product type is about 1 MB.
BYTES_MAX = 64 * 1_048_576
SELLER_BYTES_MAX = 8 * 1_048_576
ANSWER_BYTES_MAX = 2 * 1_048_576
ANSWERS_MAX = 20_000
# What keeping costs beside the body.
ANSWER_OVERHEAD_BYTES = 1_024

# How long answers are served again where no policy says otherwise, in seconds. A minute covers the desktops
# of one seller that start together; what only Amazon changes, and rarely, may be older.
LIVES_S: Mapping[str, float] = MappingProxyType(
    {
        # Changes when a seller joins a marketplace; every library asks it at each start, at 0.016 calls/s.
        "sellers.getMarketplaceParticipations": 300.0,
        # Amazon's own catalogue: titles, pictures and ranks move within hours.
        "catalogItems_2022-04-01.searchCatalogItems": 60.0,
        "catalogItems_2022-04-01.getCatalogItem": 60.0,
        # Versioned by Amazon; a listing is checked against Amazon's own copy all the same.
        "definitionsProductTypes_2020-09-01.searchDefinitionsProductTypes": 300.0,
        "definitionsProductTypes_2020-09-01.getDefinitionsProductType": 300.0,
    }
)

# What of an answer's headers says nothing about the one call that fetched it.
_HEADERS_KEPT = frozenset({"content-type", "x-amzn-ratelimit-limit"})


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: UpstreamAnswer
    seller_id: str
    api: str
    until_s: float

    @property
    def size_bytes(self) -> int:
        return len(self.answer.body) + ANSWER_OVERHEAD_BYTES


class KeptAnswers:
    """Answers by what was asked; where there are too many, the one put longest ago goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._by_seller: defaultdict[str, OrderedDict[Hashable, None]] = defaultdict(OrderedDict)
        self._bytes: Counter[str] = Counter()
        self._bytes_total = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, now_s: float) -> UpstreamAnswer | None:
        """Return the answer to what was asked, if one is kept that may still be served."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until_s <= now_s:
            self._drop(key)
            return None
        return kept.answer

    def put(self, key: Hashable, answer: UpstreamAnswer, *, seller_id: str, api: str, until_s: float) -> None:
        """Keep an answer up to a moment of the monotonic clock; one that is too large is not kept."""
        self._drop(key)
        headers = [(name, value) for name, value in answer.headers if name in _HEADERS_KEPT]
        kept = _Kept(replace(answer, headers=headers), seller_id, api, until_s)
        if len(answer.body) > ANSWER_BYTES_MAX:
            return
        while self._bytes[seller_id] + kept.size_bytes > SELLER_BYTES_MAX:
            self._drop(next(iter(self._by_seller[seller_id])))
        while self._bytes_total + kept.size_bytes > BYTES_MAX or len(self._kept) >= ANSWERS_MAX:
            self._drop(next(iter(self._kept)))
        self._kept[key] = kept
        self._by_seller[seller_id][key] = None
        self._bytes[seller_id] += kept.size_bytes
        self._bytes_total += kept.size_bytes

    def forget(self, seller_id: str, api: str) -> None:
        """Forget what one API answered a seller: something there was changed."""
        for key in list(self._by_seller.get(seller_id, ())):
            if self._kept[key].api == api:
                self._drop(key)

    def forget_seller(self, seller_id: str | None) -> None:
        """Forget everything of a seller, or of everybody."""
        for key in list(self._kept if seller_id is None else self._by_seller.get(seller_id, ())):
            self._drop(key)

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        del self._by_seller[kept.seller_id][key]
        self._bytes[kept.seller_id] -= kept.size_bytes
        self._bytes_total -= kept.size_bytes
        if not self._by_seller[kept.seller_id]:
            del self._by_seller[kept.seller_id], self._bytes[kept.seller_id]


def life_s(operation: Operation, policy: ApplicationPolicy) -> float:
    """Return for how long an operation's answer may be served again; 0 for never."""
    told_s = policy.cache_life_s(operation.name)
    life_s = LIVES_S.get(operation.name, 0.0) if told_s is None else told_s
    return life_s if life_s > 0 and may_be_kept(operation) else 0.0


def may_be_kept(operation: Operation) -> bool:
    """Return whether answers of an operation may be served again at all, whatever a policy says."""
    is_restricted = operation.token is not TokenRule.ORDINARY
    is_personal = is_restricted or bool(operation.pii or operation.pii_request)
    is_stale_soon = bool(operation.document_links) or tells_of_orders(operation.name)
    return operation.is_read and not is_personal and not is_stale_soon
