"""Ids of what Amazon made in one region: where calls name them, and where answers tell them.

- A call names one by the first parameter of its path that is an id; what comes after lies within it. A call
  for a further page of a list names the list by the page's token, which counts as an id here.
- An answer tells one in a member that is called like the parameter, or as Amazon calls it elsewhere. An id
  that the seller chose is told by the call that creates.
- Members are told by their names alone, wherever they stand: more may be told than is ever asked for.

Source: the API models.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import unquote_plus

import orjson

from services.gateway.model.bounded_json import TEXT
from services.gateway.model.operations import Operation
from services.gateway.model.priority import PAGE_PARAMETERS
from services.gateway.model.regions import MARKETPLACE_PARAMETERS
from services.gateway.model.targets import Pair

# A page lists at most 100 reports, each with its own id, its document's and its schedule's.
IDS_MAX = 500
# Amazon's longest page tokens have about 2 KB.
ID_CHARS_MAX = 2_048
# A page of Amazon's largest orders has half of this; looking for ids holds everybody else up.
BODY_BYTES_MAX = 1_048_576

_PARAMETER = re.compile(r"\{(\w+)\}")
# Parameters that name what every region may have: products, kinds, carriers, the seller's own warehouses.
_OF_EVERY_REGION = frozenset({"Asin", "SellerSKU", "carrierId", "notificationType", "warehouseId"})
_PAGE_MEMBERS = frozenset({"nextPageToken", "nextToken"})
# APIs whose answers tell the ids of each other's paths, by how their names begin; any other stands alone.
_FAMILIES = ("externalFulfillment", "fulfillmentInbound", "orders", "vendor")
# What else answers call the ids of paths, by family.
_OTHER_NAMES: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "dataKiosk_2023-11-15": ("dataDocumentId", "errorDocumentId"),
        "externalFulfillment": ("id",),
        "feeds_2021-06-30": ("resultFeedDocumentId",),
        "financesV0": ("amazonOrderId", "financialEventGroupId"),
        "fulfillmentInbound": ("shipmentConfirmationId",),
        "orders": ("amazonOrderId",),
        "shipmentInvoicingV0": ("amazonShipmentId",),
    }
)
# The operations that give what they create an id of the seller's own, which their answers do not repeat.
_CHOOSING = frozenset({"fulfillmentOutbound_2020-07-01.createFulfillmentOrder"})


class Ids:
    """What of a catalogue's calls and answers is an id."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        known = tuple(operations)
        names: dict[str, set[str]] = {_family(each.api): set() for each in known}
        for each in known:
            names[_family(each.api)].update(_deciding(each))
        patterns = {family: _pattern(family, own) for family, own in names.items()}
        self._parameters = {each.key: _first_of(names[_family(each.api)], each) for each in known}
        self._members = {each.api: patterns[_family(each.api)] for each in known}

    def named(self, operation: Operation, parameters: Mapping[str, str], pairs: Iterable[Pair]) -> str:
        """Return the id that a call names; empty when it names none.

        Args:
            operation: what is called.
            parameters: of its path, by name.
            pairs: of its query, as in `targets.Target`.
        """
        named = parameters.get(self._parameters[operation.key], "")
        return named or next(_page_tokens(operation, pairs), "")

    def told(self, operation: Operation, request_body: bytes, answer_body: bytes) -> Sequence[str]:
        """Return the ids that a successful call tells: each once, in their order, at most IDS_MAX.

        Args:
            operation: what was called.
            request_body: JSON, or nothing.
            answer_body: JSON, or nothing; as of the request's, at most BODY_BYTES_MAX are looked at.
        """
        pattern, bodies = self._members[operation.api], [answer_body]
        if operation.name in _CHOOSING:
            bodies.append(request_body)
        found = (_text(each[1]) for body in bodies for each in pattern.finditer(body, 0, BODY_BYTES_MAX))
        fitting = dict.fromkeys(each for each in found if 0 < len(each) <= ID_CHARS_MAX)
        return list(itertools.islice(fitting, IDS_MAX))


def _family(api: str) -> str:
    return next((each for each in _FAMILIES if api.startswith(each)), api)


def _deciding(operation: Operation) -> Sequence[str]:
    """Return the parameter, if any, that alone tells where a call belongs: no marketplace can."""
    if operation.query & MARKETPLACE_PARAMETERS:
        return ()
    names = [each for each in _PARAMETER.findall(operation.path) if each not in _OF_EVERY_REGION]
    return names[:1]


def _first_of(names: Collection[str], operation: Operation) -> str:
    return next((each for each in _PARAMETER.findall(operation.path) if each in names), "")


def _pattern(family: str, names: Iterable[str]) -> re.Pattern[bytes]:
    """Return what finds the texts of members that tell ids; older APIs begin their names with a capital."""
    told = [*names, *_OTHER_NAMES.get(family, ()), *_PAGE_MEMBERS]
    spelled = sorted({each for name in told for each in (name, name[0].upper() + name[1:])})
    return re.compile(rb'"(?:%b)"\s*:\s*(%b)' % ("|".join(spelled).encode(), TEXT), re.DOTALL)


def _page_tokens(operation: Operation, pairs: Iterable[Pair]) -> Iterator[str]:
    known = operation.query & PAGE_PARAMETERS
    return (unquote_plus(value) for _, name, value in pairs if name in known)


def _text(quoted: bytes) -> str:
    """Return what a JSON text says; nothing where that cannot be read."""
    try:
        return str(orjson.loads(quoted))
    except orjson.JSONDecodeError:
        return ""
