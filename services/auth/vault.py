"""Every Vault path of auth: the sellers' keys, the digest key, the applications' credentials.

transit  auth-seller-<seller_id>               seals all that is the seller's; never leaves Vault
transit  auth-staff                            seals what is the vendor's staff's
transit  auth-application-<application_id>     seals the application's own tokens
kv       auth/digest-key                       made at the first start; digests every token
kv       auth/applications/<application_id>    client id and client secrets, with their dates
kv       auth/identity-provider                the client secret there, as client_secret; the vendor writes it
kv       auth/queue                            what lets auth into the vendor's queue; the vendor writes it
"""

import base64
import uuid
from collections.abc import Sequence

import chassis.clock
import chassis.crypto.digest
import chassis.crypto.seal
import chassis.entropy
import chassis.errors
import chassis.vault
from chassis.secrecy import Secret
from services.auth.model.credentials import SECRET_LIFE, ClientSecret, KeptPair, Origin, SecretPair
from services.auth.model.notices import QueueKey
from services.auth.model.people_refusals import ProviderUnavailable
from services.auth.model.refusals import ApplicationMissing
from services.auth.model.rewrapping import KeyKind, KeyOwner, Plaintext, SealedValue
from services.auth.model.sealing import STAFF, AnyPlace, ApplicationPlace
from services.auth.model.secret_refusals import QueueUnavailable

STAFF_KEY = "auth-staff"
DIGEST_KEY_PATH = "auth/digest-key"
PROVIDER_PATH = "auth/identity-provider"
DIGEST_KEY_BYTES = 32
QUEUE_KEY_PATH = "auth/queue"
# Before the name of what is kept of the older secret.
OLDER = "older_"
# Source: R-06: no key stays in memory for longer while the key service is away.
DIGEST_KEY_REMEMBERED_S = 60.0


class AuthVault:
    """Sealing, digests and secrets of auth; each method raises Unavailable while Vault is sealed or away."""

    def __init__(
        self, vault: chassis.vault.Vault, clock: chassis.clock.Clock, entropy: chassis.entropy.Entropy
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._digest_key: Secret[bytes] | None = None
        self._digest_key_until_s = 0.0

    async def create_key(self, seller_id: str) -> None:
        """Make a seller's key, or STAFF's; making it again is harmless."""
        await self._vault.transit_create(_seller_key(seller_id))

    async def destroy_key(self, seller_id: str) -> None:
        """Destroy a seller's key for good, with all that is sealed under it; repeating it is harmless."""
        await self._vault.transit_destroy(_seller_key(seller_id))

    async def create_application_key(self, application_id: str) -> None:
        """Make an application's key; making it again is harmless."""
        await self._vault.transit_create(_application_key(application_id))

    async def seal(self, place: AnyPlace, plaintext: Secret[str]) -> str:
        """Return a value sealed for its place."""
        text = plaintext.reveal().encode()
        return await self._vault.transit_seal(_key_name(place), text, _associated(place))

    async def open(self, place: AnyPlace, sealed: str) -> Secret[str]:
        """Return what was sealed for this place.

        Raises:
            IntegrityFailure: it was sealed for another place, or was changed.
            KeyGone: the key was destroyed.
        """
        plaintext = await self._vault.transit_open(_key_name(place), sealed, _associated(place))
        return Secret(plaintext.decode())

    async def find_version(self, owner: KeyOwner) -> int:
        """Return the newest version of a key."""
        return (await self._vault.transit_versions(_owner_key(owner))).latest

    async def rotate_key(self, owner: KeyOwner) -> None:
        """Give a key a new version; older ones still open."""
        await self._vault.transit_rotate(_owner_key(owner))

    async def close_versions(self, owner: KeyOwner, oldest_opened: int) -> None:
        """Have nothing opened any more that was sealed under an older version than this one."""
        await self._vault.transit_retire(_owner_key(owner), oldest_opened)

    async def open_many(self, owner: KeyOwner, values: Sequence[SealedValue]) -> Sequence[Secret[str]]:
        """Return what was sealed, in order.

        Raises:
            IntegrityFailure: one of them was sealed for another place, or was changed.
        """
        parts = [(value.sealed, _associated(value.place)) for value in values]
        return [
            Secret(text.decode()) for text in await self._vault.transit_open_many(_owner_key(owner), parts)
        ]

    async def seal_many(self, owner: KeyOwner, values: Sequence[Plaintext]) -> Sequence[str]:
        """Return values sealed under the newest version, in order."""
        parts = [(value.text.reveal().encode(), _associated(value.place)) for value in values]
        return await self._vault.transit_seal_many(_owner_key(owner), parts)

    async def find_provider_secret(self) -> Secret[str]:
        """Return what auth shows the vendor's identity provider; read anew each time.

        Raises:
            ProviderUnavailable: the vendor wrote none yet.
        """
        try:
            entry = chassis.vault.Entry(PROVIDER_PATH, await self._vault.kv_read(PROVIDER_PATH))
            return Secret(entry.text("client_secret"))
        except (chassis.vault.SecretNotFound, chassis.vault.SecretDamaged) as error:
            raise ProviderUnavailable from error

    async def ensure_digest_key(self) -> None:
        """Make the digest key if there is none; only one replica may be here at a time."""
        try:
            await self._vault.kv_read(DIGEST_KEY_PATH)
        except chassis.vault.SecretNotFound:
            key = base64.b64encode(self._entropy.token(DIGEST_KEY_BYTES)).decode("ascii")
            await self._vault.kv_write(DIGEST_KEY_PATH, {"key": key})

    async def digest(self, purpose: str, text: str) -> bytes:
        """Return 32 bytes that only auth can make; another purpose gives unrelated bytes."""
        return chassis.crypto.digest.keyed(await self._current_digest_key(), f"{purpose}:{text}")

    async def find_secrets(self, application_id: str) -> KeptPair:
        """Return what an application shows LWA; read anew each time, and held only while used (T-20).

        Raises:
            ApplicationMissing: it was never registered.
        """
        try:
            found = await self._vault.kv_find(_application_path(application_id))
        except chassis.vault.SecretNotFound as error:
            raise ApplicationMissing from error
        return KeptPair(pair=_pair(application_id, found), number=found.number)

    async def keep_secrets(self, application_id: str, pair: SecretPair, *, number: int) -> bool:
        """Keep a pair, durably; False, and nothing kept, when `number` is not the newest version any more."""
        path = _application_path(application_id)
        return await self._vault.kv_replace(path, _fields(pair), number=number)

    async def forget_secrets(self, application_id: str) -> None:
        """Destroy every version but the newest for good; again is harmless."""
        await self._vault.kv_forget_older(_application_path(application_id))

    async def find_queue_key(self) -> QueueKey:
        """Return what lets auth into the vendor's queue; read anew for each connection.

        Raises:
            QueueUnavailable: the vendor has not put it here.
        """
        try:
            entry = chassis.vault.Entry(QUEUE_KEY_PATH, await self._vault.kv_read(QUEUE_KEY_PATH))
            token = entry.text("session_token") if "session_token" in entry else ""
            return QueueKey(
                access_key_id=entry.text("access_key_id"),
                secret_access_key=Secret(entry.text("secret_access_key")),
                session_token=Secret(token) if token else None,
            )
        except (chassis.vault.SecretNotFound, chassis.vault.SecretDamaged) as error:
            raise QueueUnavailable from error

    async def ping(self) -> None:
        """Return if Vault answers and the digest key is there; asked often, so that no old key stays."""
        if self._clock.monotonic_s() >= self._digest_key_until_s:
            self._digest_key = None
        await self._read_digest_key()

    async def _current_digest_key(self) -> Secret[bytes]:
        now_s = self._clock.monotonic_s()
        if self._digest_key is None or now_s >= self._digest_key_until_s:
            self._digest_key = await self._read_digest_key()
            self._digest_key_until_s = now_s + DIGEST_KEY_REMEMBERED_S
        return self._digest_key

    async def _read_digest_key(self) -> Secret[bytes]:
        try:
            data = await self._vault.kv_read(DIGEST_KEY_PATH)
        except chassis.vault.SecretNotFound as error:
            raise chassis.vault.KeyServiceUnavailable from error
        return chassis.vault.Entry(DIGEST_KEY_PATH, data).key("key", DIGEST_KEY_BYTES)


def _key_name(place: AnyPlace) -> str:
    if isinstance(place, ApplicationPlace):
        return _application_key(place.application_id)
    return _seller_key(place.seller_id)


def _owner_key(owner: KeyOwner) -> str:
    if owner.kind is KeyKind.APPLICATION:
        return _application_key(owner.owner_id)
    return _seller_key(owner.owner_id)


def _seller_key(seller_id: str) -> str:
    return STAFF_KEY if seller_id == STAFF else f"auth-seller-{seller_id}"


def _application_key(application_id: str) -> str:
    return f"auth-application-{application_id}"


def _application_path(application_id: str) -> str:
    return f"auth/applications/{application_id}"


def _associated(place: AnyPlace) -> bytes:
    """Return what binds a value to its place. The key's version is in the sealed text and picks the key."""
    return chassis.crypto.seal.associated(
        tenant=place.tenant,
        table=place.table,
        column=place.column,
        row=place.row_id,
        version=place.version,
    )


def _pair(application_id: str, found: chassis.vault.Version) -> SecretPair:
    entry = chassis.vault.Entry(_application_path(application_id), found.data)
    client_id = entry.text("client_id")
    if "secret_id" not in entry:
        return SecretPair(client_id=client_id, newest=_undated_secret(application_id, entry, found))
    older = _secret(entry, OLDER) if f"{OLDER}secret_id" in entry else None
    return SecretPair(client_id=client_id, newest=_secret(entry), older=older)


def _undated_secret(
    application_id: str, entry: chassis.vault.Entry, found: chassis.vault.Version
) -> ClientSecret:
    """Return a secret that an earlier release kept without dates: it is at least as old as its entry."""
    return ClientSecret(
        secret_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{application_id} {found.number}")),
        secret=Secret(entry.text("client_secret")),
        origin=Origin.REGISTERED,
        kept_at=found.created_at,
        expires_at=found.created_at + SECRET_LIFE,
        is_estimated=True,
    )


def _secret(entry: chassis.vault.Entry, prefix: str = "") -> ClientSecret:
    accepted = f"{prefix}accepted_at"
    return ClientSecret(
        secret_id=entry.text(f"{prefix}secret_id"),
        secret=Secret(entry.text(f"{prefix}client_secret")),
        origin=entry.read(f"{prefix}origin", Origin, form=f"one of {', '.join(Origin)}"),
        kept_at=entry.moment(f"{prefix}kept_at"),
        expires_at=entry.moment(f"{prefix}expires_at"),
        is_estimated=entry.text(f"{prefix}is_estimated") == "true",
        accepted_at=entry.moment(accepted) if entry.text(accepted) else None,
    )


def _fields(pair: SecretPair) -> dict[str, str]:
    """Return a pair as it is kept: the newest secret where an earlier release looks for the only one."""
    older = {} if pair.older is None else _secret_fields(pair.older, OLDER)
    return {"client_id": pair.client_id, **_secret_fields(pair.newest), **older}


def _secret_fields(secret: ClientSecret, prefix: str = "") -> dict[str, str]:
    return {
        f"{prefix}client_secret": secret.secret.reveal(),
        f"{prefix}secret_id": secret.secret_id,
        f"{prefix}origin": secret.origin,
        f"{prefix}kept_at": secret.kept_at.isoformat(),
        f"{prefix}expires_at": secret.expires_at.isoformat(),
        f"{prefix}is_estimated": str(secret.is_estimated).lower(),
        f"{prefix}accepted_at": secret.accepted_at.isoformat() if secret.accepted_at else "",
    }
