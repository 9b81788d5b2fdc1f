"""Finds members that look personal, so that none comes into the catalogue unjudged.

Build-time only. A member is a candidate by its name, by its type and by what the model says about it. Each
candidate is either classified (`pii`), a document's link, or reviewed: written down in `facts.json` with the
reason why it is nobody's personal data. A new model of Amazon's with a candidate that is none of these does
not become a catalogue. A review is for one member in one place of one API, and one that fits nothing any
more is a mistake too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.gateway.catalogue import pii
from services.gateway.catalogue.swagger import ANY_MEMBER, CLOSED, Leaf, ModelOperation

# reason → API → place → fields, as facts.json has them.
Reviews = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]

# A place is told by as many of the members around a leaf.
PLACE_MEMBERS = 3

_NAME_WORDS = (
    "account address attention bank birth birthday building buyer card city cnpj comment comments "
    "company complement consignee contact county cpf customer customization customized district email "
    "fax gender geo gift gst holder iban image individual instruction instructions ip landmark "
    "latitude legal licence license locality longitude mail message mobile municipality name national "
    "neighborhood nickname note notes passport person phone photo postal purchaser received receiver "
    "recipient shopper signature signed ssn street surname tax telephone text username vat zip"
)
_NAMES = frozenset(_NAME_WORDS.split())
# The same about members with other names, in the words of a description.
_TEXT = re.compile(
    r"\b(?:buyer|customer|recipient|consignee|purchaser|shopper|individual|person|end user|e-?mail|phone"
    r"|street|postal|zip code|(?:first|last|full) name|neighbou?r)\b",
    re.IGNORECASE,
)
# A number says where somebody is, or nothing.
_NUMBERS = frozenset({"number", "integer"})
_WHERE = frozenset({"latitude", "longitude", "geo", "phone"})


class UnjudgedMembers(ValueError):
    """Members look personal, and nobody has said whether they are."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a member stands: its API, the members around it joined by dots, its name; in lower case."""

    api: str
    place: str
    field: str

    def __str__(self) -> str:
        return f"{self.api}: {self.place}.{self.field}" if self.place else f"{self.api}: {self.field}"


def check(operations: Sequence[ModelOperation], reviews: Reviews) -> None:
    """Return if every candidate of the models is judged, and every review is of a candidate.

    Raises:
        UnjudgedMembers: naming each that is not, with one path of it; or each review that is of nothing.
    """
    found = dict(reversed(list(_unclassified(operations))))
    reviewed = set(_positions(reviews))
    if unjudged := found.keys() - reviewed:
        listed = "\n".join(f"  {each}  ({found[each]})" for each in sorted(unjudged))
        text = "classify them in pii.py, or review them in facts.json with the reason"
        raise UnjudgedMembers(f"{len(unjudged)} members look personal: {text}\n{listed}")
    if stale := reviewed - found.keys():
        listed = "\n".join(f"  {each}" for each in sorted(stale))
        raise UnjudgedMembers(
            f"{len(stale)} reviews in facts.json are of no such member: remove them\n{listed}"
        )


def looks_personal(leaf: Leaf) -> bool:
    """Return whether a member might hold somebody's personal data, as far as its model says."""
    if leaf.form == CLOSED:
        return False
    if leaf.form in _NUMBERS:
        return not _WHERE.isdisjoint(leaf.words)
    return not _NAMES.isdisjoint(leaf.words) or _TEXT.search(leaf.text) is not None


def position(api: str, leaf: Leaf) -> Position:
    """Return where a leaf stands."""
    members = [name for name in leaf.places if name[0] != "#"]
    return Position(api, ".".join(members[-PLACE_MEMBERS:]), leaf.field)


def _unclassified(operations: Sequence[ModelOperation]) -> Iterator[tuple[Position, str]]:
    """Yield each candidate that is neither classified nor a link, with where it was seen."""
    for operation in operations:
        leaves = [*operation.answer_leaves(), *operation.request_leaves()]
        leaves += [leaf for place in ("header", "path") for leaf in operation.parameter_leaves(place)]
        settled = set(pii.document_links(leaves))
        settled.update(leaf.path for leaf in leaves if pii.classify(operation.api, leaf) is not None)
        for leaf in leaves:
            whole = leaf.path.partition(ANY_MEMBER)[0]
            if whole not in settled and (leaf.path in settled or looks_personal(leaf)):
                yield position(operation.api, leaf), f"{operation.operation_id} {leaf.path}"


def _positions(reviews: Reviews) -> Iterator[Position]:
    for apis in reviews.values():
        for api, places in apis.items():
            for place, fields in places.items():
                yield from (Position(api, place, field) for field in fields)
