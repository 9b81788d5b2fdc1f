"""One call that passed the first gates: what it is, whose it is, how far it may go; what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.gateway.model import quota
from services.gateway.model.calls import Call, Device, Grantless, Region, SafeKey, Source, UpstreamAnswer
from services.gateway.model.documents import DocumentClass
from services.gateway.model.operations import Operation
from services.gateway.model.policy import Plan, Rules
from services.gateway.model.priority import Priority
from services.gateway.model.quota import EVERY_SELLER, PermitRequest

# Reads whose answers are kept sealed, and served again without a call to Amazon.
KEPT = frozenset({"ordersV0.getOrderAddress", "ordersV0.getOrderBuyerInfo"})

_ORDER_PARAMETERS = ("orderId", "amazonOrderId")


@dataclass(slots=True, kw_only=True)
class Journey:
    """What is known about a call before Amazon is asked.

    Attributes:
        rules: by which it was admitted; they stay the same until it is answered.
        path: canonical, as it goes to Amazon.
        query: cut down to what the operation knows.
        body: checked; empty where the method has none.
        parameters: of the path, decoded, by name.
        order_id: of the order that the path names; empty when it names none.
        priority: as the call itself states it; None when it does not.
        document_class: of the documents to which the answer links; None when it links to none.
        omissions: headers of the answer that tell what of the call does not go to Amazon.
        until_s: the monotonic moment at which the client must have its answer.
    """

    call: Call
    device: Device
    operation: Operation
    rules: Rules = field(repr=False)
    plan: Plan
    region: Region
    path: str = field(repr=False)
    query: str = field(repr=False)
    body: bytes = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    order_id: str
    priority: Priority | None
    document_class: DocumentClass | None
    omissions: Sequence[tuple[str, str]]
    until_s: float

    @property
    def owner_id(self) -> str:
        """Whose data the call is about: the seller's, or EVERY_SELLER for what is the application's own."""
        return EVERY_SELLER if isinstance(self.plan.loan, Grantless) else self.device.seller_id

    @property
    def permit_request(self) -> PermitRequest:
        """What the rate limiter is asked for."""
        quotas = quota.quotas(self.owner_id, self.region, self.operation)
        return PermitRequest(self.device.device_id, quotas, self.priority, self.plan.shares)

    @property
    def safe_key(self) -> SafeKey | None:
        """Where the safe keeps the answer; None for an answer that is not kept."""
        if self.operation.name not in KEPT:
            return None
        return SafeKey(self.device.seller_id, self.order_id, self.operation.name)


@dataclass(slots=True)
class Found:
    """The answer to a call, with personal data unmasked.

    Attributes:
        order_ids: the orders it tells about; empty for a failure.
        has_unnamed: whether it holds orders that those do not name.
        document: the answer's body as it was read, for one use by whoever asked; None when nobody read it.
    """

    answer: UpstreamAnswer
    source: Source
    order_ids: tuple[str, ...] = ()
    has_unnamed: bool = False
    document: object = field(default=None, repr=False)


def order_id_of(parameters: Mapping[str, str]) -> str:
    """Return the order id among path parameters; empty when there is none."""
    for name in _ORDER_PARAMETERS:
        if name in parameters:
            return parameters[name]
    return ""
