"""Enrolling desktops: by a code and a key (bound), or by one refresh token (compat).

Whatever scopes a desktop asks for, it starts with DEFAULT_SCOPES; "pii" is granted by the vendor alone,
with AuthAdmin.SetDeviceScopes.
"""

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.devices import (
    CODE_LIFE,
    DEFAULT_SCOPES,
    DEVICES_ACTIVE_MAX,
    Authorization,
    Code,
    Device,
    Profile,
    Redemption,
    check_sha256,
    device_name_place,
)
from services.auth.model.people import Session
from services.auth.model.refusals import DeviceNotFound, DevicesFull, InvalidClient, InvalidGrant
from services.auth.model.roles import Right
from services.auth.model.tokens import Enrolment, NewAccess, TokenSet
from services.auth.service.devices import DeviceService
from services.auth.service.ledger import Ledger
from services.auth.service.lockout import Lockout
from services.auth.service.mint import ACCESS, CODE, REFRESH, Mint
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService, actor


class EnrolmentService:
    """How a desktop becomes a device."""

    def __init__(
        self,
        ports: Ports,
        mint: Mint,
        ledger: Ledger,
        *,
        sessions: SessionService,
        devices: DeviceService,
        client_ids: frozenset[str],
    ) -> None:
        self._devices = ports.store
        self._sealer = ports.vault
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._sessions = sessions
        self._revoker = devices
        self._client_ids = client_ids
        self._lockout = Lockout(ports.clock)

    async def authorize(self, session_token: Secret[str], asked: Authorization) -> Secret[str]:
        """Return a code, good once within CODE_LIFE, for the desktop that this session's user approves.

        Raises:
            SessionInvalid, InvalidClient, InvalidRedirect, InvalidChallenge, InvalidScope, InvalidName
            DevicesFull: the seller has DEVICES_ACTIVE_MAX active devices.
        """
        session = await self._sessions.require(session_token, right=Right.ENROL_DEVICE)
        if asked.client_id not in self._client_ids:
            raise InvalidClient
        asked.check()
        await self._check_room(session)
        minted, device_id = await self._mint.new(CODE), self._mint.new_id()
        code = Code(
            code_digest=minted.digest,
            device_id=device_id,
            seller_id=session.seller_id,
            user_id=session.user_id,
            client_id=asked.client_id,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.code_challenge,
            name_sealed=await self._sealed_name(session, device_id, asked.device_name),
            expires_at=self._clock.now() + CODE_LIFE,
            facts=asked.facts,
            key_thumbprint=asked.key_thumbprint,
            withheld_scopes=tuple(sorted(set(asked.withheld_scopes))),
        )
        await self._devices.keep_code(code)
        return minted.token

    async def exchange(self, shown: Redemption) -> TokenSet:
        """Return the first tokens of a bound device for its code.

        Raises:
            InvalidGrant: the code is unknown, used, too old, or not this client's; what a reused code
                issued is revoked (T-04).
            InvalidChallenge: the thumbprint is not one.
            TooManyFailures: this key guesses (T-11).
        """
        check_sha256(shown.key_thumbprint)
        async with self._lockout.judging(shown.key_thumbprint, InvalidGrant):
            code = await self._find_code(shown)
            await self._check_code(code, shown)
        return await self._enrol_bound(code, shown.key_thumbprint)

    async def enrol_compat(self, session_token: Secret[str], device_name: str) -> tuple[str, Secret[str]]:
        """Return the id and the refresh token of a new device for unmodified libraries.

        Raises:
            SessionInvalid, InvalidName
            DevicesFull: the seller has DEVICES_ACTIVE_MAX active devices.
        """
        session = await self._sessions.require(session_token, right=Right.ENROL_DEVICE)
        await self._check_room(session)
        device_id, minted, now = self._mint.new_id(), await self._mint.new(REFRESH), self._clock.now()
        device = Device(
            device_id=device_id,
            seller_id=session.seller_id,
            user_id=session.user_id,
            profile=Profile.COMPAT,
            scopes=DEFAULT_SCOPES,
            client_id="",
            key_thumbprint="",
            name_sealed=await self._sealed_name(session, device_id, device_name),
            enrolled_at=now,
            used_at=now,
        )
        async with self._ledger.effect(enrolled(device, actor(session))):
            await self._devices.enrol(Enrolment(device=device, refresh_digest=minted.digest))
        return device_id, minted.token

    async def _enrol_bound(self, code: Code, key_thumbprint: str) -> TokenSet:
        access, refresh = await self._mint.new(ACCESS), await self._mint.new(REFRESH)
        now = self._clock.now()
        device = code.device(key_thumbprint, now)
        enrolment = Enrolment(
            device=device,
            refresh_digest=refresh.digest,
            access=NewAccess(token_digest=access.digest, issued_at=now),
        )
        try:
            async with self._ledger.effect(enrolled(device, Actor(kind="user", actor_id=code.user_id))):
                await self._devices.enrol_by_code(code.code_digest, enrolment, now)
        except InvalidGrant:
            # Somebody else was faster with the same code: one of the two is a thief.
            await self._revoke_issued(code)
            raise
        return TokenSet(access_token=access.token, refresh_token=refresh.token, scopes=device.scopes)

    async def _find_code(self, shown: Redemption) -> Code:
        if not words.is_token(shown.code.reveal(), words.CODE_PREFIX):
            raise InvalidGrant
        return await self._devices.find_code(await self._mint.digest(CODE, shown.code))

    async def _check_code(self, code: Code, shown: Redemption) -> None:
        """Return if the code is good; one that is not is used up, and what it issued ends."""
        if code.used_at is not None:
            await self._revoke_issued(code)
            raise InvalidGrant
        try:
            code.check(shown, self._clock.now())
        except InvalidGrant:
            await self._devices.burn_code(code.code_digest, self._clock.now())
            await self._ledger.refusal(_refused(code, "code_mismatch"))
            raise

    async def _revoke_issued(self, code: Code) -> None:
        await self._ledger.refusal(_refused(code, "code_reused"))
        try:
            device = await self._devices.find_device(code.device_id)
        except DeviceNotFound:
            return
        await self._revoker.end(device, SELF, "code_reused")

    async def _check_room(self, session: Session) -> None:
        if await self._devices.count_active(session.seller_id) >= DEVICES_ACTIVE_MAX:
            raise DevicesFull

    async def _sealed_name(self, session: Session, device_id: str, device_name: str) -> str:
        place = device_name_place(session.seller_id, device_id)
        return await self._sealer.seal(place, Secret(words.name(device_name)))


def enrolled(device: Device, who: Actor) -> Deed:
    """Return what the audit log is told of a new device."""
    return Deed(
        kind=Kind.DEVICE_ENROLLED,
        actor=who,
        seller_id=device.seller_id,
        details={"device_id": device.device_id, "profile": device.profile, "scopes": " ".join(device.scopes)},
    )


def _refused(code: Code, reason: str) -> Deed:
    return Deed(
        kind=Kind.GRANT_REFUSED,
        actor=Actor(kind="device", actor_id=code.device_id),
        seller_id=code.seller_id,
        result=reason,
    )
