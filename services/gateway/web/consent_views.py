"""What pages show of consents: names for marketplaces and accounts, states in words, days that are left."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from services.gateway.model.consents import AccountKind, Handover
from services.gateway.model.people import Consent
from services.gateway.web.render import PAGES
from services.gateway.web.views import day

ACCOUNT_KIND_NAMES: Mapping[AccountKind, str] = MappingProxyType(
    {AccountKind.SELLER: "Seller Central", AccountKind.VENDOR: "Vendor Central"}
)
# What else is said of a connection that is over.
OVER_NOTES: Mapping[str, str] = MappingProxyType({"idle": "nobody used it for 90 days"})

Region = Mapping[str, Any]


@functools.cache
def marketplaces() -> tuple[Region, ...]:
    """Return Amazon's marketplaces by region: region, name, marketplaces[marketplace_id, name].

    Source: SP-API, "Marketplace IDs"; auth has the last word on which one it takes.
    """
    return tuple(orjson.loads((PAGES / "marketplaces.json").read_bytes()))


def offered(marketplace_ids: Iterable[str]) -> Sequence[Region]:
    """Return those of `marketplaces` that are among the ids, regions without any left out."""
    wanted = frozenset(marketplace_ids)
    found = []
    for region in marketplaces():
        rows = [row for row in region["marketplaces"] if row["marketplace_id"] in wanted]
        if rows:
            found.append({**region, "marketplaces": rows})
    return found


def consent_rows(consents: Iterable[Consent], now: datetime) -> Sequence[Mapping[str, Any]]:
    """Return what the portal shows of consents: of each region the one that counts, newest first."""
    counted: dict[str, Consent] = {}
    for consent in sorted(consents, key=lambda one: one.status != "active"):
        counted.setdefault(consent.region, consent)
    newest_first = sorted(counted.values(), key=lambda one: one.granted_at, reverse=True)
    return [consent_row(consent, now) for consent in newest_first]


def consent_row(consent: Consent, now: datetime) -> Mapping[str, Any]:
    """Return what pages show of one consent."""
    status, tone = _standing(consent, now)
    is_over = tone == "off"
    lasts = f"until {day(consent.expires_at)}, {days_left(consent, now)} left"
    return {
        "region_name": _region_names()[consent.region.value],
        "marketplace_name": _marketplace_names().get(consent.marketplace_id, consent.marketplace_id),
        "kind_name": ACCOUNT_KIND_NAMES[consent.account_kind],
        "selling_partner_id": consent.selling_partner_id,
        "status": status,
        "tone": tone,
        "is_over": is_over,
        "is_due": tone == "warn",
        "expiry": OVER_NOTES.get(status, "") if is_over else lasts,
        "days_left": days_left(consent, now),
        "renew_action": f"/portal/consents/{consent.consent_id}/renew",
        "disconnect_action": f"/portal/consents/{consent.consent_id}/disconnect",
    }


def replaced(
    consents: Iterable[Consent], regions: Iterable[Region], handover: Handover, *, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """Return the rows of active consents that a handover may replace; `is_same` where it only renews."""
    names = {region["region"] for region in regions}
    return [
        {**consent_row(consent, now), "is_same": consent.selling_partner_id == handover.selling_partner_id}
        for consent in consents
        if consent.status == "active" and consent.region.value in names
    ]


def days_left(consent: Consent, now: datetime) -> str:
    """Return how many days remain, in words."""
    days = consent.days_left(now)
    return "1 day" if days == 1 else f"{days} days"


def _standing(consent: Consent, now: datetime) -> tuple[str, str]:
    """Return the word for a consent's state, and the tone in which it is said."""
    if consent.status != "active":
        return consent.status, "off"
    if consent.expires_at <= now:
        return "expired", "off"
    return ("renew soon", "warn") if consent.is_due(now) else ("active", "good")


def _region_names() -> Mapping[str, str]:
    return {region["region"]: region["name"] for region in marketplaces()}


def _marketplace_names() -> Mapping[str, str]:
    return {row["marketplace_id"]: row["name"] for region in marketplaces() for row in region["marketplaces"]}
