"""Devices as sellers see them, and the one way a device ends."""

from collections.abc import Sequence
from datetime import datetime

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.consents import Ending
from services.auth.model.devices import Device, NamedDevice, check_scopes
from services.auth.model.refusals import DeviceNotFound, GrantInUse, InvalidScope
from services.auth.model.roles import Right
from services.auth.service.ledger import Ledger
from services.auth.service.names import Names
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService, actor


class DeviceService:
    """A seller's devices."""

    def __init__(self, ports: Ports, ledger: Ledger, *, sessions: SessionService) -> None:
        self._devices = ports.store
        self._sealer = ports.vault
        self._names = Names(ports)
        self._signals = ports.signals
        self._clock = ports.clock
        self._ledger = ledger
        self._sessions = sessions

    async def list_all(self, session_token: Secret[str]) -> Sequence[NamedDevice]:
        """Return the seller's devices, active ones first, then newest first, at most DEVICES_LISTED_MAX.

        Raises:
            SessionInvalid: no session.
        """
        session = await self._sessions.require(session_token, right=Right.VIEW)
        return await self.list_of(session.seller_id)

    async def list_of(self, seller_id: str) -> Sequence[NamedDevice]:
        """Return a seller's devices, as `list_all` does for whoever may see them."""
        devices = await self._devices.list_devices(seller_id)
        names = await self._names.open_all(seller_id, [(one.name_place, one.name_sealed) for one in devices])
        return [NamedDevice(device=one, name=name) for one, name in zip(devices, names, strict=True)]

    async def revoke(self, session_token: Secret[str], device_id: str) -> None:
        """Revoke one of the seller's devices; revoking it again is fine.

        Raises:
            SessionInvalid: no session.
            DeviceNotFound: absent, or another seller's (T-07).
            RightMissing: a colleague's, and the role decides on one's own devices only.
        """
        session = await self._sessions.require(session_token, right=Right.REVOKE_OWN_DEVICE)
        device = await self.find_own(session.seller_id, device_id)
        if device.user_id != session.user_id:
            session.check_right(Right.REVOKE_ANY_DEVICE)
        await self.end(device, actor(session), "seller")

    async def withhold(self, session_token: Secret[str], device_id: str, scopes: tuple[str, ...]) -> None:
        """Take scopes away from one of the seller's devices for good, in effect everywhere at once.

        Nobody gives them back, not even the vendor; a device that needs them is enrolled anew.

        Raises:
            SessionInvalid: no session.
            InvalidScope: one that does not exist, none, or nothing would be left.
            DeviceNotFound: absent, another seller's (T-07), or revoked.
            RightMissing: a colleague's, and the role decides on one's own devices only.
        """
        session = await self._sessions.require(session_token, right=Right.REVOKE_OWN_DEVICE)
        check_scopes(scopes)
        if not scopes:
            raise InvalidScope
        device = await self.find_own(session.seller_id, device_id)
        if device.revoked_at is not None:
            raise DeviceNotFound
        if device.user_id != session.user_id:
            session.check_right(Right.REVOKE_ANY_DEVICE)
        withheld = tuple(sorted(set(scopes)))
        deed = Deed(
            kind=Kind.SCOPES_WITHHELD,
            actor=actor(session),
            seller_id=device.seller_id,
            details={"device_id": device_id, "withheld": " ".join(withheld)},
        )
        async with self._ledger.effect(deed):
            await self._devices.withhold_scopes(device_id, withheld)

    async def find_own(self, seller_id: str, device_id: str) -> Device:
        """Return a device of this seller.

        Raises:
            DeviceNotFound: absent, or another seller's (T-07).
        """
        if not words.is_id(device_id):
            raise DeviceNotFound
        device = await self._devices.find_device(device_id)
        if device.seller_id != seller_id:
            raise DeviceNotFound
        return device

    async def end(self, device: Device, who: Actor, why: str, *, reason: str = "") -> None:
        """Revoke a device with all its tokens, in effect everywhere at once; one that has ended stays so.

        Args:
            device: which.
            who: whose decision it is.
            why: in one word.
            reason: in the words of who decided; the audit log gets them in place of the one word.
        """
        if device.revoked_at is not None:
            return
        async with self._ledger.effect(_revoked(device, who, reason or why)):
            if await self._devices.revoke_device(device.device_id, self._clock.now()):
                self._signals.ended("device", why)

    async def retire(self, device: Device, *, used_before: datetime) -> None:
        """Revoke a device that is idle.

        Raises:
            GrantInUse: it was used again meanwhile, or has ended; nothing changed.
        """
        device_id, now = device.device_id, self._clock.now()
        async with self._ledger.effect(_revoked(device, SELF, Ending.IDLE)):
            if not await self._devices.revoke_device(device_id, now, used_before=used_before):
                raise GrantInUse
        self._signals.ended("device", Ending.IDLE)

    async def named(self, device: Device) -> NamedDevice:
        """Return a device with its name in the open."""
        name = await self._sealer.open(device.name_place, device.name_sealed)
        return NamedDevice(device=device, name=name.reveal())


def _revoked(device: Device, who: Actor, reason: str) -> Deed:
    details = {"device_id": device.device_id, "reason": reason}
    return Deed(kind=Kind.DEVICE_REVOKED, actor=who, seller_id=device.seller_id, details=details)
