"""For which region a host stands that a call names: one of Amazon's names, or one of the gateway's."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from services.gateway.model.calls import Region
from services.gateway.model.faults import SandboxNotServed

# Clients keep Amazon's host name in `Host` when they dial the gateway through an agent of theirs.
# Source: SP-API, "SP-API Endpoints".
_PRODUCTION: Mapping[str, Region] = MappingProxyType(
    {f"sellingpartnerapi-{region}.amazon.com": region for region in Region}
)
_SANDBOX: Mapping[str, Region] = MappingProxyType(
    {f"sandbox.{name}": region for name, region in _PRODUCTION.items()}
)

_NONE: Mapping[str, Region] = MappingProxyType({})


class RegionHosts:
    """Knows the names that stand for a region, and where calls are made with real data."""

    def __init__(self, *, base_urls: Mapping[Region, str], own: Mapping[str, Region] = _NONE) -> None:
        """Take the names.

        Args:
            base_urls: the origin at which each region is called.
            own: the gateway's names that stand for a region, in lower case and without a port.
        """
        real = {region for region, url in base_urls.items() if urlsplit(url).hostname in _PRODUCTION}
        self._refused = frozenset(name for name, region in _SANDBOX.items() if region in real)
        self._regions = {**_PRODUCTION, **_SANDBOX, **own}

    def region(self, host: str) -> Region | None:
        """Return the region for which a host stands; None for one that stands for none.

        Args:
            host: the Host header in lower case, perhaps with a port.

        Raises:
            SandboxNotServed: it is Amazon's sandbox of a region where calls are made with real data.
        """
        name = host.partition(":")[0]
        if name in self._refused:
            raise SandboxNotServed
        return self._regions.get(name)
