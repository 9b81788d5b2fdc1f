"""The operations of Orders 2026-01-01: an ordinary token is enough, roles decide what it shows."""

from typing import Any

import simulator.orders.paging
import simulator.orders.views_2026 as views
from simulator import exchange
from simulator.call import Call
from simulator.orders.paging import Pager, Turn, one_of
from simulator.orders.progress import Status
from simulator.orders.search import Criteria, Search
from simulator.sealing import Sealer

_STATUSES = frozenset(Status.__members__) | {"PENDING_AVAILABILITY", "CANCELLED", "UNFULFILLABLE"}
_FILTERS = frozenset(
    {
        "createdAfter",
        "createdBefore",
        "lastUpdatedAfter",
        "lastUpdatedBefore",
        "marketplaceIds",
        "fulfillmentStatuses",
        "fulfilledBy",
        "includedData",
    }
)


class Orders2026:
    """Answers with documents; the caller has checked token and plan."""

    def __init__(self, *, search: Search, sealer: Sealer) -> None:
        self._search = search
        self._pager = Pager(sealer, "paginationToken", "maxResultsPerPage", filter_names=_FILTERS)

    def orders(self, call: Call) -> dict[str, Any]:
        """Return the answer of searchOrders.

        Raises:
            Refusal: 400, a parameter is missing or wrong.
        """
        turn = self._pager.turn(call.request, call.now)
        criteria = _criteria(turn)
        datasets = _datasets(turn.values("includedData"))
        page = self._search.page(call.access.seller, criteria, pager=self._pager, turn=turn, now=call.now)
        document: dict[str, Any] = {
            "orders": [
                views.shown(order, progress, datasets=datasets, elements=call.access.elements, now=call.now)
                for order, progress in page.found
            ]
        }
        if page.next_token:
            document["pagination"] = {"nextToken": page.next_token}
        kind = "lastUpdatedBefore" if criteria.window.is_by_update else "createdBefore"
        return document | {kind: simulator.orders.paging.stamp(criteria.window.before)}

    def order(self, call: Call) -> dict[str, Any]:
        """Return the answer of getOrder."""
        datasets = _datasets(frozenset(call.request.listed("includedData")))
        order, progress = self._search.one(call.access.seller, call.order_id, call.now)
        return {
            "order": views.shown(
                order, progress, datasets=datasets, elements=call.access.elements, now=call.now
            )
        }


def _datasets(names: frozenset[str]) -> frozenset[str]:
    if not names <= set(views.Dataset):
        raise exchange.invalid_input("Invalid Input", "includedData has a value that is not possible.")
    return names


def _criteria(turn: Turn) -> Criteria:
    wanted = turn.values("fulfillmentStatuses", allowed=_STATUSES)
    known = {status.name: status.value for status in Status}
    return Criteria(
        window=simulator.orders.paging.window(turn, spelled=lambda name: name[0].lower() + name[1:]),
        marketplaces=turn.values("marketplaceIds"),
        statuses=frozenset(known.get(name, name) for name in wanted),
        is_amazon_fulfilled=one_of(turn.values("fulfilledBy", allowed={"AMAZON", "MERCHANT"}), "AMAZON"),
    )
