"""Which IP addresses are the internet's: what a stranger names leads to no neighbour of ours (T-05)."""

import ipaddress

# IPv6 that stands for IPv4 behind a translator. Source: RFC 6052, 2.1.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# No other IPv6 is the internet's: not local sites, local translators, or IPv4 in older disguises.
# Source: RFC 4291, 2.4; IANA, "IPv6 Global Unicast Address Assignments".
_ROUTED = ipaddress.IPv6Network("2000::/3")


def is_public(address: str) -> bool:
    """Return whether an IP address is the internet's; IPv6 that stands for IPv4 is judged as that.

    Raises:
        ValueError: it is no IP address.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        held = ip.ipv4_mapped or ip.sixtofour
        if ip in _TRANSLATED:
            held = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if held is None and ip not in _ROUTED:
            return False
        ip = held or ip
    return ip.is_global and not ip.is_multicast


def may_be_public(host: str) -> bool:
    """Return whether a host is an address of the internet's, or a name, which its resolver will judge."""
    try:
        return is_public(host)
    except ValueError:
        return True
