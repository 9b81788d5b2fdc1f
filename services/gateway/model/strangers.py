"""How many questions about tokens that nobody may know are put to auth: no stranger keeps it busy (R-23).

Any 43 characters look like a token of ours, and only auth can say whether they are one. A question that ends
in "never issued" was in vain. Each takes from its own address, and from all addresses together; both fill
again as time passes. A question that ends with a device takes nothing, and shows that devices stand at its
address: such an address takes from its own only, so that a flood from elsewhere does not shut it out. While a
question is under way it counts as one in vain, so both bound what is under way, too.

Addresses are the network's: where something in front of the gateway hides them, all share one.
"""

import ipaddress

from chassis.recent import Recent
from services.gateway.model.faults import TooManyStrangers, TooManyUnknownTokens
from services.gateway.model.room import Room

# In vain at once, and so many more each second: of one address, and of all. One address may be a house with
# hundreds of desktops, all of which come at once when a gateway has started anew.
ADDRESS_MAX = 200
ADDRESS_PER_S = 1.0
# Less than half of what a process serves at once.
ALL_MAX = 500
ALL_PER_S = 20.0
# About 300 bytes each. An address that is forgotten begins anew; `ALL_MAX` holds all the same.
ADDRESSES_MAX = 10_000
# Of an IPv6 address, what one customer of a network has for himself.
IPV6_BITS = 64


class Strangers:
    """What is known of the addresses that showed unknown tokens."""

    def __init__(self, now_s: float) -> None:
        """Begin at a reading of the monotonic clock."""
        self._all = Room(ALL_MAX, ALL_PER_S, now_s)
        self._rooms: Recent[str, Room] = Recent(ADDRESSES_MAX)
        # Not with the rooms, because a flood from many addresses would push them out.
        self._places_of_devices: Recent[str, bool] = Recent(ADDRESSES_MAX)

    def admit(self, address: str, now_s: float) -> "Question":
        """Return a question that may be put, with the room it takes.

        Raises:
            TooManyUnknownTokens: too many of this address were in vain.
            TooManyStrangers: too many of all were, and no device is known to stand at this address.
        """
        place = place_of(address)
        own = self._rooms.get(place) or Room(ADDRESS_MAX, ADDRESS_PER_S, now_s)
        self._rooms.put(place, own)
        wait_s = own.wait_s(now_s)
        if wait_s:
            raise TooManyUnknownTokens(retry_after_s=wait_s)
        if self._places_of_devices.get(place):
            return Question(own)
        wait_s = self._all.wait_s(now_s)
        if wait_s:
            raise TooManyStrangers(retry_after_s=wait_s)
        return Question(own, self._all)

    def note_device(self, address: str) -> None:
        """Note that a device stands at an address."""
        self._places_of_devices.put(place_of(address), True)


class Question:
    """One question under way; unless it is forgiven, it counts as one in vain."""

    __slots__ = ("_rooms",)

    def __init__(self, *rooms: Room) -> None:
        self._rooms = rooms
        for room in rooms:
            room.take()

    def forgive(self) -> None:
        """Give the room back: nothing spoke against whoever asked."""
        for room in self._rooms:
            room.give_back()


def place_of(address: str) -> str:
    """Return what an address is counted as: itself, or of an IPv6 address its network."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(known), IPV6_BITS), strict=False))
