"""What the catalogue says about one operation of Amazon's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from services.gateway.model.masking import Mask


class TokenRule(StrEnum):
    """When an operation needs a restricted data token.

    Source: SP-API, "Tokens API": list of restricted operations.
    """

    ORDINARY = "ordinary"
    ALWAYS = "always"
    DATA = "data"  # without one the answer comes, less the data elements
    REPORT = "report"  # only for restricted report types, with a specific path


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation:
    """One operation: method and path template, and all that decides how it is forwarded.

    The catalogue holds one of each, so it is told from others by identity.

    Attributes:
        api: the model it comes from, e.g. "ordersV0".
        path: template, e.g. "/orders/v0/orders/{orderId}/address".
        is_read: whether it changes and creates nothing, by its method or its model's words: it may be asked
            again, and once for several callers.
        rate_per_s: default refill of the quota in calls a second.
        burst: size of the quota's bucket in calls.
        data_elements: what a restricted data token may ask for; empty unless `token` is DATA.
        pii: JSONPaths of customers' members in 2xx answers, by class.
        unmaskable: those whose form Amazon's model closes to the text that hides others; they are left out.
        pii_request: the same for requests; "?name" is a query parameter.
        document_links: JSONPaths of presigned links in 2xx answers, for which the operation is called.
        buyer_links: JSONPaths of links to what buyers handed in, among the members of `pii`, by
            `buyer_links.Holding`.
        grantless_scope: the scope of the application's own token; empty for a seller's operation.
        query: names of the query parameters it knows.
        headers: names of the header parameters it knows, in lower case.
        mask: hides `pii`; None when answers hold none.
        is_rate_stated: whether Amazon publishes the quota; else it is found out.
    """

    operation_id: str
    api: str
    version: str
    method: str
    path: str
    is_read: bool
    rate_per_s: float
    burst: int
    token: TokenRule
    data_elements: tuple[str, ...]
    pii: Mapping[str, tuple[str, ...]] = field(repr=False)
    unmaskable: frozenset[str] = field(repr=False)
    pii_request: Mapping[str, tuple[str, ...]] = field(repr=False)
    document_links: tuple[str, ...]
    buyer_links: Mapping[str, tuple[str, ...]]
    grantless_scope: str
    query: frozenset[str] = field(repr=False)
    headers: frozenset[str] = field(repr=False)
    mask: Mask | None = field(repr=False)
    is_rate_stated: bool = True

    @cached_property
    def name(self) -> str:
        """How logs, metrics and the audit log call it, e.g. "ordersV0.getOrderAddress"."""
        return f"{self.api}.{self.operation_id}"

    @cached_property
    def key(self) -> str:
        """What tells it from every other: method and path template."""
        return f"{self.method} {self.path}"
