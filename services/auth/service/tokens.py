"""Devices' tokens: refreshing them, what they stand for, and restricted handles."""

from chassis.secrecy import Secret
from services.auth.model import restricted, words
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.device_facts import version
from services.auth.model.devices import Device, Profile, check_sha256
from services.auth.model.refusals import (
    HandleNotRestrictable,
    InvalidGrant,
    TargetApplicationRefused,
    TokenInvalid,
)
from services.auth.model.restricted import Restriction
from services.auth.model.tokens import (
    AccessToken,
    Introspection,
    NewAccess,
    RefreshToken,
    Rotation,
    TokenSet,
    Verdict,
)
from services.auth.service.devices import DeviceService
from services.auth.service.ledger import Ledger
from services.auth.service.lockout import Lockout
from services.auth.service.mint import ACCESS, REFRESH, Mint, Successors
from services.auth.service.ports import Ports


class TokenService:
    """The tokens that devices hold."""

    def __init__(
        self,
        ports: Ports,
        mint: Mint,
        ledger: Ledger,
        *,
        devices: DeviceService,
        delegates: frozenset[str],
    ) -> None:
        self._devices = ports.store
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._named_devices = devices
        self._delegates = delegates
        self._lockout = Lockout(ports.clock)

    async def refresh_bound(
        self, client_id: str, refresh_token: Secret[str], key_thumbprint: str, *, app_version: str = ""
    ) -> TokenSet:
        """Return the tokens that replace a bound device's refresh token.

        Asking again with the same token and key within RETRY_S_MAX gives the same answer (T-03).

        Args:
            client_id: of the vendor's application.
            refresh_token: the device's newest one.
            key_thumbprint: of the key that it has proven.
            app_version: of its application, as it is now; empty leaves what is known.

        Raises:
            InvalidChallenge: the thumbprint is not one.
            InvalidDeviceFacts: no version.
            InvalidGrant: unknown, another client's or key's, or rotated before; the last ends the device.
            DeviceRevoked: the device has ended.
            TooManyFailures: this key guesses (T-11).
        """
        check_sha256(key_thumbprint)
        version(app_version)
        async with self._lockout.judging(key_thumbprint, InvalidGrant):
            held = await self._find(refresh_token)
            verdict = await self._judge(held, client_id, key_thumbprint)
        if verdict is Verdict.RETRY and held.nonce is not None:
            successors = await self._mint.successors(refresh_token, held.nonce)
        else:
            successors = await self._rotate(held, refresh_token, app_version)
        return TokenSet(
            access_token=successors.access.token,
            refresh_token=successors.refresh.token,
            scopes=held.device.scopes,
        )

    async def refresh_compat(self, device_id: str, refresh_token: Secret[str]) -> TokenSet:
        """Return a fresh access token for a compat device; its refresh token stays the same.

        Raises:
            InvalidGrant: unknown, or not this device's.
            DeviceRevoked: the device has ended.
            TooManyFailures: somebody guesses this device's token (T-11).
        """
        async with self._lockout.judging(device_id[: words.TOKEN_CHARS_MAX], InvalidGrant):
            held = await self._find(refresh_token)
            held.check_compat(device_id)
        held.device.check()
        access = await self._mint.new(ACCESS)
        issued = NewAccess(token_digest=access.digest, issued_at=self._clock.now())
        await self._devices.issue_access(device_id, issued)
        return TokenSet(access_token=access.token, refresh_token=refresh_token, scopes=held.device.scopes)

    async def introspect(self, access_token: Secret[str]) -> Introspection:
        """Return what an access token stands for right now.

        Raises:
            TokenInvalid: unknown.
            TokenExpired, HandleExpired: past its hour.
            DeviceRevoked: its device has ended.
        """
        access = await self._find_access(access_token)
        device = access.device
        reach = await self._devices.find_reach(device.seller_id, self._clock.now())
        named = await self._named_devices.named(device)
        return Introspection(named=named, access=access, reach=reach, left_s=access.left_s(self._clock.now()))

    async def restrict(
        self, access_token: Secret[str], asked: tuple[Restriction, ...], target_application: str = ""
    ) -> Secret[str]:
        """Return a handle, good for ACCESS_LIFE, for the operations asked for.

        Any device may ask: libraries do so by themselves, and what it sees is masked without "pii". Amazon's
        own token never leaves, not even for another developer: who holds the handle calls us with it.

        Args:
            access_token: the device's.
            asked: 1 to RESTRICTIONS_MAX operations.
            target_application: another developer's, for whose use the handle is; empty for none.

        Raises:
            TargetApplicationRefused: the vendor did not name that one.
            TokenInvalid, TokenExpired, DeviceRevoked: of the access token shown.
            HandleNotRestrictable: it is a handle itself.
            InvalidRestriction: what Amazon would not know.
        """
        restrictions = restricted.restrictions(asked)
        if target_application and target_application not in self._delegates:
            raise TargetApplicationRefused
        access = await self._find_access(access_token)
        if access.restrictions:
            raise HandleNotRestrictable
        handle = await self._mint.new(ACCESS)
        issued = NewAccess(
            token_digest=handle.digest,
            issued_at=self._clock.now(),
            restrictions=restrictions,
            target_application=target_application,
        )
        await self._devices.issue_access(access.device.device_id, issued)
        return handle.token

    async def _find(self, refresh_token: Secret[str]) -> RefreshToken:
        if not words.is_token(refresh_token.reveal(), words.REFRESH_PREFIX):
            raise InvalidGrant
        return await self._devices.find_refresh_token(await self._mint.digest(REFRESH, refresh_token))

    async def _find_access(self, access_token: Secret[str]) -> AccessToken:
        if not words.is_token(access_token.reveal(), words.ACCESS_PREFIX):
            raise TokenInvalid
        access = await self._devices.find_access_token(await self._mint.digest(ACCESS, access_token))
        access.check(self._clock.now())
        return access

    async def _judge(self, held: RefreshToken, client_id: str, key_thumbprint: str) -> Verdict:
        """Return CURRENT or RETRY; anything else is told to the audit log and refused."""
        device = held.device
        if device.profile is not Profile.BOUND or device.client_id != client_id:
            await self._ledger.refusal(_refused(device, "foreign_client"))
            raise InvalidGrant
        verdict = held.judge(key_thumbprint)
        if verdict is Verdict.FOREIGN_KEY:
            await self._ledger.refusal(_refused(device, "foreign_key"))
            raise InvalidGrant
        device.check()
        if verdict is Verdict.REPLAY:
            await self._ledger.refusal(_refused(device, "token_reused"))
            await self._named_devices.end(device, SELF, "token_reused")
            raise InvalidGrant
        return verdict

    async def _rotate(self, held: RefreshToken, refresh_token: Secret[str], app_version: str) -> Successors:
        nonce = self._mint.nonce()
        successors = await self._mint.successors(refresh_token, nonce)
        rotation = Rotation(
            token_digest=held.token_digest,
            nonce=nonce,
            successor_digest=successors.refresh.digest,
            access=NewAccess(token_digest=successors.access.digest, issued_at=self._clock.now()),
            app_version=app_version,
        )
        nonce_in_force = await self._devices.rotate(rotation)
        if nonce_in_force == nonce:
            return successors
        return await self._mint.successors(refresh_token, nonce_in_force)


def _refused(device: Device, reason: str) -> Deed:
    return Deed(
        kind=Kind.GRANT_REFUSED,
        actor=Actor(kind="device", actor_id=device.device_id),
        seller_id=device.seller_id,
        result=reason,
    )
