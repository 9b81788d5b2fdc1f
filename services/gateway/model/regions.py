"""Which of Amazon's regions a call is for: by the marketplaces that it names, else by its device.

Before both stands the host that it names (`region_hosts`), and between them where what it names was made,
which `forward.homes` remembers.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from services.gateway.model.calls import Device, Region
from services.gateway.model.faults import RegionNotConnected

# Source: SP-API, "Marketplace IDs".
_MARKETPLACES: Mapping[Region, str] = MappingProxyType(
    {
        Region.NA: "A2EUQ1WTGCTBG2 ATVPDKIKX0DER A1AM78C64UM0Y8 A2Q3Y263D00KWC",
        Region.EU: "A1F83G8C2ARO7P A1PA6795UKMFR9 A13V1IB3VIYZZH APJ6JRA9NG5V4 A1RKKUPIHCS9HS A28R8C7NBKEWEA "
        "A1805IZSGTT6HS AMEN7PMS3EDWL A2NODRKZP88ZB9 A1C3SOZRARQ6R3 A33AVAJ2PDY3EV ARBP9OOSHTCHU "
        "A2VIGQ35RCS4UG A17E79C6D8DWNP A21TJRUUN4KGV AE08WJ6YKNBMC",
        Region.FE: "A1VC38T7YXB528 A39IBJ37TRP1C6 A19VAU5U5O7RUS",
    },
)
_REGIONS: Mapping[str, Region] = MappingProxyType(
    {marketplace: region for region, listed in _MARKETPLACES.items() for marketplace in listed.split()},
)

# How the models and the libraries spell the parameter.
MARKETPLACE_PARAMETERS = frozenset(
    {"MarketplaceId", "MarketplaceIds", "marketplaceId", "marketplaceIds", "marketplace_ids"}
)

# How the models spell the members of bodies: a report's list, an order's one, each of a batch's; and how a
# query of Data Kiosk, which is a text in a body, spells its argument. The first of a list stands for all of
# it, because a call goes to one region.
# Source: the API models; Data Kiosk API model, examples of `createQuery`.
_GAP = rb"(?:\s|\\[nrt])*"
_MARKETPLACE_MEMBER = re.compile(
    rb'"(?:[Mm]arketplaceIds?|destinationMarketplaces)"\s*:\s*(?:\[\s*)?"([A-Z0-9]+)"'
    rb'|marketplaceIds?%b:%b(?:\[%b)?\\"([A-Z0-9]+)\\"' % (_GAP, _GAP, _GAP)
)


def stated(marketplace_ids: Iterable[str], body: bytes) -> Region | None:
    """Return the region of the marketplaces that a call names; None for one that names none.

    Args:
        marketplace_ids: those the query names; unknown ones decide nothing.
        body: JSON or nothing; its marketplaces decide where the query names none.
    """
    region = _of_marketplaces(marketplace_ids)
    return _of_marketplaces(_named_in(body)) if region is None and body else region


def settle(region: Region | None, device: Device) -> Region:
    """Return the region of a call.

    Args:
        region: that the call states, or where what it names was made; None: the device decides, by its own
            marketplace or by its only region.
        device: whose it is.

    Raises:
        RegionNotConnected: the seller has no active consent there.
    """
    if region is None:
        region = _REGIONS.get(device.default_marketplace_id) or only(device.regions)
    if region is None or region not in device.regions:
        raise RegionNotConnected
    return region


def only(regions: AbstractSet[Region]) -> Region | None:
    """Return the one region of a set; None where there is none, or several."""
    return next(iter(regions)) if len(regions) == 1 else None


def _of_marketplaces(marketplace_ids: Iterable[str]) -> Region | None:
    for marketplace_id in marketplace_ids:
        region = _REGIONS.get(marketplace_id)
        if region is not None:
            return region
    return None


def _named_in(body: bytes) -> Iterator[str]:
    """Yield the marketplaces that a body names, in its order."""
    return ((found[1] or found[2]).decode() for found in _MARKETPLACE_MEMBER.finditer(body))
