"""What a case's two answers prove: one to a device with the scope `pii`, one to a device without."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from bench.sandbox.cases import Case
from bench.sandbox.facts import Facts, customers_values, values
from services.gateway.model import orders
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.links import AMAZON_HOSTS, DocumentHosts

CAPABILITY_PATH = "/_doc/"
DENIED = 403
THROTTLED = 429
GONE = 410
# Longer than any order's data is kept after it was bought, delivery included.
KEPT = timedelta(days=90)
# How the gateway tells that a call's permit would come too late.
OWN_PLAN = b"quota_exceeded: "
# What a masked member of each kind holds, and what says nothing anyhow.
_SAYS_NOTHING: tuple[Any, ...] = ("***", "", 0, False, None)
_HOSTS = DocumentHosts(AMAZON_HOSTS)
# What every link holds.
_LINK = "://"
_OWN_WORDS = "told in the gateway's own words"


class Kind(StrEnum):
    """How a case counts."""

    REPLAYED = "replayed"
    ASIDE = "counted aside"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Told:
    """The gateway's answer."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case; `reason` says why it is aside or wrong, or what is known besides."""

    case: Case
    kind: Kind
    reason: str = ""


def judge(case: Case, facts: Facts, *, permitted: Told, plain: Told, origin: str) -> Verdict:
    """Return what a case's answers prove; `origin` is the gateway's, where every link must lead."""
    if aside := _by_design(case, facts, (permitted, plain)):
        return Verdict(case, Kind.ASIDE, aside)
    ours = origin + CAPABILITY_PATH
    of_permitted = _of_permitted(case, facts, permitted, ours=ours)
    of_plain = _of_plain(case, facts, plain, ours=ours)
    if of_permitted and not of_plain and permitted == plain and _lists_old_orders(case):
        return Verdict(case, Kind.ASIDE, "a list of orders whose time to be kept is over")
    wrongs = [*of_permitted, *of_plain]
    if wrongs:
        return Verdict(case, Kind.WRONG, "; ".join(wrongs))
    if case.is_success and plain.status == DENIED:
        return Verdict(case, Kind.REPLAYED, "refused without the scope")
    return Verdict(case, Kind.REPLAYED, "" if case.is_success else _words(case, permitted))


def _by_design(case: Case, facts: Facts, told: Sequence[Told]) -> str:
    """Return why the gateway gives no device Amazon's answer to a case; empty when it should.

    Each reason counts only together with the refusal that belongs to it.
    """
    statuses = {each.status for each in told}
    reasons = (
        ("the application's own operation", facts.is_grantless and statuses == {403}),
        ("the gateway's own handles", case.operation == "tokens_2021-03-01.createRestrictedDataToken"),
        ("a path that lacks a name", case.has_bare_path and statuses == {403}),
        ("an example's link that leads past Amazon", 502 in statuses and _leads_elsewhere(case, facts)),
        ("held back by the operation's published plan", case.status != THROTTLED and _is_held_back(told)),
        ("an order whose time to be kept is over", GONE in statuses),
        ("Amazon has two answers to this request", case.is_shadowed),
    )
    return next((reason for reason, applies in reasons if applies), "")


def _lists_old_orders(case: Case) -> bool:
    """Return whether the case's answer lists orders all of which were bought longer ago than data is kept."""
    now = datetime.now(UTC)
    listed = orders.facts(case.operation, _document(case.answer))
    bought = [facts.purchased_at for _, facts in listed if facts.purchased_at is not None]
    return bool(bought) and max(bought) < now - KEPT


def _leads_elsewhere(case: Case, facts: Facts) -> bool:
    """Return whether a link of Amazon's example is none that Amazon's storage or shops could have."""
    try:
        for path, value in values(_document(case.answer)):
            if path in facts.link_paths:
                _HOSTS.check(str(value))
    except UpstreamInvalid:
        return True
    return False


def _is_held_back(told: Sequence[Told]) -> bool:
    return any(each.status == THROTTLED and OWN_PLAN in each.body for each in told)


def _of_permitted(case: Case, facts: Facts, told: Told, *, ours: str) -> Sequence[str]:
    if told.status != case.status:
        return [f"status {told.status} instead of {case.status}: {_shortened(told.body)}"]
    if not case.is_success:
        return []
    if astray := _astray(facts, told, ours=ours):
        return astray
    return [] if _with_links_of(case, facts, told) == told.body else ["other bytes than Amazon's"]


def _of_plain(case: Case, facts: Facts, told: Told, *, ours: str) -> Sequence[str]:
    # A whole document cannot be masked, so whoever may not see it is refused.
    is_refused = told.status == DENIED and bool(facts.link_paths)
    wrongs = [*_astray(facts, told, ours=ours)]
    if told.status != case.status and not is_refused:
        wrongs.append(f"without the scope status {told.status}: {_shortened(told.body)}")
    if not case.is_success:
        return wrongs
    inside, telling = customers_values(_document(case.answer), facts.customer_paths)
    shown = told.body.decode("utf-8", "replace")
    wrongs += [
        f"shows a customer's text of {len(text)} characters" for text in telling if _spelled(text) in shown
    ]
    theirs = {(path, json.dumps(value)) for path, value in inside if value not in _SAYS_NOTHING}
    bare, _ = customers_values(_document(told.body), facts.customer_paths)
    return [*wrongs, *(f"shows {path}" for path, value in bare if (path, json.dumps(value)) in theirs)]


def _astray(facts: Facts, told: Told, *, ours: str) -> list[str]:
    """Return what is wrong with an answer's links: one that leads elsewhere than to the gateway."""
    shown = list(values(_document(told.body)))
    links = [value for path, value in shown if path in facts.link_paths and value not in _SAYS_NOTHING]
    links += [link for path, value in shown if path in facts.buyer_paths and (link := _buyers_link(value))]
    is_ours = all(str(link).startswith(ours) for link in links)
    return [] if is_ours else ["a link leads past the gateway"]


def _buyers_link(value: Any) -> str:
    """Return the link that a member tells, plainly or in Base64; empty for another text."""
    try:
        told = (str(value), base64.b64decode(str(value), validate=True).decode())
    except ValueError:
        told = (str(value), "")
    return next((text for text in told if _LINK in text), "")


def _with_links_of(case: Case, facts: Facts, told: Told) -> bytes:
    """Return Amazon's bytes with the answer's links in place of Amazon's, one by one."""
    expected, paths = case.answer, facts.link_paths | facts.buyer_paths
    their, our = (
        [value for path, value in values(_document(body)) if path in paths and value]
        for body in (expected, told.body)
    )
    for old, new in zip(their, our, strict=False):
        expected = expected.replace(_spelled(old).encode(), _spelled(new).encode(), 1)
    return expected


def _words(case: Case, told: Told) -> str:
    """Return how a failure was told: in Amazon's words, or in the gateway's."""
    return "" if _errors(case.answer) == _errors(told.body) else _OWN_WORDS


def _errors(body: bytes) -> list[tuple[str, ...]]:
    """Return code, message and details of each error in an answer; some of Amazon's list them bare."""
    document = _document(body)
    listed = document.get("errors") if isinstance(document, dict) else document
    entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return [tuple(str(each.get(name) or "") for name in ("code", "message", "details")) for each in entries]


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _spelled(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _shortened(body: bytes) -> str:
    return body[:160].decode("utf-8", "replace")
