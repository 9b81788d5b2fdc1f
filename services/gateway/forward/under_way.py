"""How many calls of each device and each seller are under way: nobody fills the process alone (T-32, R-23).

What waits for a permit, or is with Amazon, is bounded by itself. This bounds all of it, above all those who
wait together for one coalesced call: a single device could be as many of them as there are places.
"""

from services.gateway.model.calls import Device
from services.gateway.model.faults import TooManyCalls

# An eighth, and half, of what a process serves at once; more than may wait for a device in one bucket's queue
# and be with Amazon.
CALLS_PER_DEVICE_MAX = 128
CALLS_PER_SELLER_MAX = 512
AGAIN_S = 1.0


class UnderWay:
    """Calls whose device is known and that are not answered; a call is one between `enter` and `leave`."""

    def __init__(self) -> None:
        self._of_devices: dict[str, int] = {}
        self._of_sellers: dict[str, int] = {}

    def enter(self, device: Device) -> None:
        """Count one more call.

        Raises:
            TooManyCalls: of the device or its seller; the call is not counted.
        """
        device_id, seller_id = device.device_id, device.seller_id
        of_device, of_seller = self._of_devices.get(device_id, 0), self._of_sellers.get(seller_id, 0)
        if of_device >= CALLS_PER_DEVICE_MAX or of_seller >= CALLS_PER_SELLER_MAX:
            raise TooManyCalls(retry_after_s=AGAIN_S)
        self._of_devices[device_id] = of_device + 1
        self._of_sellers[seller_id] = of_seller + 1

    def leave(self, device: Device) -> None:
        """Count one call less, of a device that entered."""
        _less(self._of_devices, device.device_id)
        _less(self._of_sellers, device.seller_id)


def _less(calls: dict[str, int], key: str) -> None:
    if calls[key] == 1:
        del calls[key]
    else:
        calls[key] -= 1
