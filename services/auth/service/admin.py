"""What the vendor's operators decide: the application, the sellers, who is invited, what a device may do."""

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import OPERATOR, Deed, Kind
from services.auth.model.consents import SECRET_FORM, Application
from services.auth.model.credentials import Origin
from services.auth.model.devices import check_scopes
from services.auth.model.people import (
    Seller,
    seller_name_place,
)
from services.auth.model.refusals import DeviceNotFound, InvalidApplication, InvalidScope
from services.auth.service.devices import DeviceService
from services.auth.service.ledger import Ledger
from services.auth.service.mint import Mint
from services.auth.service.ports import Ports
from services.auth.service.secret_changes import Arrival, SecretChanges


class AdminService:
    """The vendor's side of auth."""

    def __init__(
        self, ports: Ports, mint: Mint, ledger: Ledger, *, devices: DeviceService, changes: SecretChanges
    ) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._devices = devices
        self._changes = changes

    async def register_application(self, application: Application, client_secret: Secret[str]) -> None:
        """Keep the application that sellers consent to from now on; its secret goes to the key service.

        Registering a known one again renews its draft mark; a new secret is kept beside the one before it.

        Raises:
            InvalidApplication: an identifier or the secret does not have Amazon's form.
        """
        application.check()
        if not SECRET_FORM.fullmatch(client_secret.reveal()):
            raise InvalidApplication
        facts = {
            "application_id": application.application_id,
            "is_draft": str(application.is_draft).lower(),
        }
        async with self._ledger.effect(_deed(Kind.APPLICATION_REGISTERED, **facts)):
            arrival = Arrival(secret=client_secret, origin=Origin.REGISTERED, actor=OPERATOR)
            await self._changes.keep(application, arrival)
            await self._store.register_application(application, self._clock.now())

    async def create_seller(self, seller_name: str) -> str:
        """Return the id of a new seller with a key of its own.

        Raises:
            InvalidName
        """
        name, seller_id = words.name(seller_name), self._mint.new_id()
        async with self._ledger.effect(_deed(Kind.SELLER_CREATED, seller_id)):
            await self._vault.create_key(seller_id)
            seller = Seller(
                seller_id=seller_id,
                name_sealed=await self._vault.seal(seller_name_place(seller_id), Secret(name)),
                created_at=self._clock.now(),
            )
            await self._store.create_seller(seller)
        return seller_id

    async def set_device_scopes(
        self, seller_id: str, device_id: str, scopes: tuple[str, ...], *, reason: str
    ) -> None:
        """Decide what an active device may do, in effect everywhere at once.

        Raises:
            InvalidScope: none, or one that does not exist.
            InvalidName: the reason is empty or too long.
            DeviceNotFound: absent, another seller's, or revoked.
        """
        check_scopes(scopes)
        if not scopes:
            raise InvalidScope
        why, granted = words.reason(reason), tuple(sorted(set(scopes)))
        device = await self._devices.find_own(seller_id, device_id)
        if device.revoked_at is not None:
            raise DeviceNotFound
        facts = {"device_id": device_id, "scopes": " ".join(granted), "reason": why}
        async with self._ledger.effect(_deed(Kind.DEVICE_SCOPED, seller_id, **facts)):
            await self._store.set_scopes(device_id, granted)


def _deed(kind: Kind, seller_id: str = "", **details: str) -> Deed:
    return Deed(kind=kind, actor=OPERATOR, seller_id=seller_id, details=details)
