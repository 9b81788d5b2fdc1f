"""Links to what buyers handed in, among the data of their orders: ours in their place, or none.

- Such a link is one member of an answer about much else. One that may not be followed is hidden, and the
  answer comes all the same.
- Links are found by their members' names alone, wherever those stand and however they are spelled: walking
  through a page of orders takes far longer than reading it. A page that holds no such name is not looked
  through.
- Some are told in Base64; ours is told the same way. Every other byte of the answer stays as it came.
"""

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from services.gateway.model.bounded_json import TEXT
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.links import ANSWER_BYTES_MAX, ESCAPE, host_of, is_presigned
from services.gateway.model.masking import HIDDEN_TEXT

# A page of a hundred orders has ten lines each with such a link, or a hundred lines each that could have one.
# Sealing more, and looking at more, would hold everybody else up.
LINKS_MAX = 1_000
MEMBERS_MAX = 10_000

_JSON = json.JSONDecoder(strict=False)
_SAYS_NOTHING = frozenset({"", HIDDEN_TEXT})
# How a text begins that is a link, to wherever.
_BEGINNING = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
# What ends the name of a host that is Amazon's.
_AMAZONS = re.compile(r"(?:\A|[.-])amazon(?:aws)?\.[a-z]{2,3}(?:\.[a-z]{2})?\Z|\.cloudfront\.net\Z")
# A member by its name. No name begins with a quote behind a backslash; that one stands in a text.
_MEMBER = rb'"(?<!\\")(?:%b)"\s*:\s*(?:(?P<text>%b)|[\[{])'


class Holding(StrEnum):
    """What such members hold.

    Attributes:
        LINK: a link.
        MIXED: a link or a text.
    """

    LINK = "link"
    MIXED = "mixed"


class BuyerLinks:
    """Members of one operation's answers that hold such links."""

    def __init__(self, holding: Holding, paths: Iterable[str]) -> None:
        """Prepare.

        Args:
            holding: what each of the members holds.
            paths: at least one; each ends in its member's name.
        """
        self._holding = holding
        names = sorted({path.rpartition(".")[2] for path in paths})
        self._names = [name.encode() for name in names]
        self._member = re.compile(_MEMBER % (b"|".join(map(_spelled, names)), TEXT), re.DOTALL)

    def rewrite(self, body: bytes, link_for: Callable[[str], str | None]) -> bytes:
        """Return an answer with another link in place of each; a hidden, empty or absent one stays.

        Args:
            body: JSON, or empty.
            link_for: gives the link that takes another's place, in ASCII without quotes and backslashes;
                None: the link is hidden. Asked once for each occurrence, with what is no link at all too.

        Raises:
            UpstreamInvalid: an object or a list stands where a link or a text is expected, or a text is none;
                or there are more than ANSWER_BYTES_MAX to look through, or MEMBERS_MAX to look at.
            SallyportError: whatever `link_for` raises.
        """
        if ESCAPE not in body and not any(name in body for name in self._names):
            return body
        if len(body) > ANSWER_BYTES_MAX:
            raise UpstreamInvalid
        looked_at = itertools.count()

        def shown(member: re.Match[bytes]) -> bytes:
            if next(looked_at) == MEMBERS_MAX:
                raise UpstreamInvalid
            return self._shown(member, link_for)

        return self._member.sub(shown, body)

    def host(self, url: str) -> str:
        """Return the host of a link, as logs may tell it; empty for one that cannot be read, or not be told.

        A text is a buyer's own, and so may be a link in it; its host is told when it is Amazon's by its name.
        """
        host = host_of(url)
        is_told = self._holding is Holding.LINK or _AMAZONS.search(host) is not None
        return host if is_told else ""

    def _shown(self, member: re.Match[bytes], link_for: Callable[[str], str | None]) -> bytes:
        """Return a member, name and all, as it may leave."""
        token = member["text"]
        if token is None:
            raise UpstreamInvalid
        text = _text(token)
        if text in _SAYS_NOTHING or (self._holding is Holding.MIXED and not _is_link(text)):
            return member[0]
        return member[0].removesuffix(token) + b'"' + _instead(text, link_for).encode("ascii") + b'"'


def _spelled(name: str) -> bytes:
    """Return a pattern for a member's name, in which each letter may be spelled as an escape."""
    return b"".join(b"(?:%b|%b(?i:%02x))" % (each.encode(), re.escape(ESCAPE), ord(each)) for each in name)


def _text(token: bytes) -> str:
    """Return what a JSON text says; half a character of a buyer's makes none unreadable."""
    try:
        return str(_JSON.decode(token.decode()))
    except ValueError as error:
        raise UpstreamInvalid from error


def _is_link(text: str) -> bool:
    return (
        _BEGINNING.match(text) is not None
        or _decoded(text) is not None
        or is_presigned(text.encode("utf-8", "replace"))
    )


def _instead(text: str, link_for: Callable[[str], str | None]) -> str:
    """Return what takes a link's place, told as the link was."""
    decoded = _decoded(text)
    link = link_for(text if decoded is None else decoded)
    if link is None:
        return HIDDEN_TEXT
    return link if decoded is None else base64.b64encode(link.encode("ascii")).decode("ascii")


def _decoded(text: str) -> str | None:
    """Return the link that a text tells in Base64, or None.

    Source: vendorDirectFulfillmentOrders_2021-12-28 model, customizedUrl.
    """
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8")
    except ValueError:
        return None
    return plain if _BEGINNING.match(plain) else None
