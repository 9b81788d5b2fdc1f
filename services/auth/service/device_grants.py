"""Letting desktops in on another machine's browser (RFC 8628).

begin: a desktop gets a device code for itself and a user code for the person in front of it
find, decide: somebody who is signed in types the user code, sees who asks, and decides once
redeem: the desktop asks again and again, and gets its first tokens once it was let in

The tokens follow from the device code, a nonce and auth's own key, as those of a rotation do: a desktop that
lost the answer asks again and is given the same.
"""

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.device_facts import DeviceFacts
from services.auth.model.device_grants import (
    DEVICE_GRANT_LIFE,
    Decision,
    DeviceGrant,
    Polled,
    Standing,
    read_user_code,
)
from services.auth.model.device_refusals import UserCodeInvalid
from services.auth.model.devices import check_scopes, check_sha256, granted_scopes
from services.auth.model.people import Session
from services.auth.model.refusals import DeviceNotFound, DeviceRevoked, InvalidClient, InvalidGrant
from services.auth.model.roles import Right
from services.auth.model.tokens import Enrolment, NewAccess, TokenSet
from services.auth.service.devices import DeviceService
from services.auth.service.enrolment import enrolled
from services.auth.service.ledger import Ledger
from services.auth.service.lockout import Lockout
from services.auth.service.mint import DEVICE_CODE, USER_CODE, Mint, Successors
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService, actor


class DeviceGrantService:
    """How a desktop without a browser of its own becomes a device."""

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
        self._store = ports.store
        self._sealer = ports.vault
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._sessions = sessions
        self._revoker = devices
        self._client_ids = client_ids
        self._typed = Lockout(ports.clock)
        self._shown = Lockout(ports.clock)

    async def begin(
        self, client_id: str, scopes: tuple[str, ...], facts: DeviceFacts, *, key_thumbprint: str = ""
    ) -> tuple[Secret[str], str]:
        """Return the device code and the letters of the user code of a new grant.

        Args:
            client_id: the vendor's application.
            scopes: what the desktop asks for.
            facts: what it says about itself.
            key_thumbprint: of the key that it has proven; empty when it has proven none.

        Raises:
            InvalidClient, InvalidScope
            InvalidChallenge: the thumbprint is not one.
            TooManyDeviceGrants: see there.
        """
        if client_id not in self._client_ids:
            raise InvalidClient
        check_scopes(scopes)
        if key_thumbprint:
            check_sha256(key_thumbprint)
        minted, letters = await self._mint.new(DEVICE_CODE), self._mint.user_code()
        now = self._clock.now()
        grant = DeviceGrant(
            device_code_digest=minted.digest,
            user_code_digest=await self._mint.digest(USER_CODE, letters),
            device_id=self._mint.new_id(),
            client_id=client_id,
            key_thumbprint=key_thumbprint,
            scopes=scopes,
            facts=facts,
            expires_at=now + DEVICE_GRANT_LIFE,
        )
        await self._store.keep_device_grant(grant, now)
        return minted.token, letters.reveal()

    async def find(self, session_token: Secret[str], typed: str) -> tuple[str, DeviceGrant]:
        """Return the letters of a user code that a person typed, and the grant that waits for a decision.

        Raises:
            SessionInvalid, RightMissing
            UserCodeInvalid: unknown, decided on, or too old.
            TooManyFailures: this person guesses (T-11).
        """
        session = await self._sessions.require(session_token, right=Right.ENROL_DEVICE)
        async with self._typed.judging(session.user_id, UserCodeInvalid):
            letters, grant = await self._find(typed)
            grant.check_open(self._clock.now())
        return letters, grant

    async def approve(
        self, session_token: Secret[str], typed: str, device_name: str, *, withheld_scopes: tuple[str, ...]
    ) -> None:
        """Let a desktop in under a name; doing it again is fine.

        Raises:
            SessionInvalid, RightMissing, InvalidName
            InvalidScope: a withheld scope does not exist, or nothing would be left.
            UserCodeInvalid: unknown, decided on otherwise, or too old.
            TooManyFailures: this person guesses (T-11).
        """
        session = await self._sessions.require(session_token, right=Right.ENROL_DEVICE)
        name = Secret(words.name(device_name))
        granted_scopes(withheld_scopes)
        async with self._typed.judging(session.user_id, UserCodeInvalid):
            _, grant = await self._find(typed)
            decision = Decision(
                is_approved=True,
                seller_id=session.seller_id,
                user_id=session.user_id,
                name_sealed=await self._sealer.seal(grant.name_place(session.seller_id), name),
                withheld_scopes=tuple(sorted(set(withheld_scopes))),
            )
            await self._decide(session, grant, decision)

    async def deny(self, session_token: Secret[str], typed: str) -> None:
        """Do not let a desktop in; doing it again is fine.

        Raises:
            SessionInvalid, RightMissing, UserCodeInvalid, TooManyFailures: as `approve`.
        """
        session = await self._sessions.require(session_token, right=Right.ENROL_DEVICE)
        async with self._typed.judging(session.user_id, UserCodeInvalid):
            _, grant = await self._find(typed)
            decision = Decision(is_approved=False, seller_id=session.seller_id, user_id=session.user_id)
            await self._decide(session, grant, decision)

    async def redeem(self, client_id: str, device_code: Secret[str], key_thumbprint: str) -> TokenSet:
        """Return the first tokens of the device that a person let in.

        Raises:
            AuthorizationPending, SlowDown: not yet.
            AccessDenied, DeviceGrantExpired: never.
            InvalidGrant: unknown, another client's or key's, or redeemed before; the last ends the device.
            InvalidChallenge: the thumbprint is not one.
            DevicesFull: the seller has DEVICES_ACTIVE_MAX active devices.
            TooManyFailures: this key guesses (T-11).
        """
        check_sha256(key_thumbprint)
        async with self._shown.judging(key_thumbprint, InvalidGrant):
            polled = await self._poll(client_id, device_code, key_thumbprint)
        grant = polled.grant
        if grant.standing is Standing.REDEEMED:
            return await self._again(grant, device_code)
        grant.check_redeemable(self._clock.now(), is_too_early=polled.is_too_early)
        return await self._enrol(grant, device_code, key_thumbprint)

    async def _find(self, typed: str) -> tuple[str, DeviceGrant]:
        letters = read_user_code(typed)
        digest = await self._mint.digest(USER_CODE, Secret(letters))
        return letters, await self._store.find_device_grant(digest)

    async def _decide(self, session: Session, grant: DeviceGrant, decision: Decision) -> None:
        if grant.decision is None:
            grant.check_open(self._clock.now())
        details = {
            "device_id": grant.device_id,
            "decision": "approved" if decision.is_approved else "denied",
            "withheld": " ".join(decision.withheld_scopes) or "nothing",
        }
        deed = Deed(
            kind=Kind.DEVICE_DECIDED, actor=actor(session), seller_id=session.seller_id, details=details
        )
        async with self._ledger.effect(deed):
            await self._store.decide_device_grant(grant.user_code_digest, decision, self._clock.now())

    async def _poll(self, client_id: str, device_code: Secret[str], key_thumbprint: str) -> Polled:
        if not words.is_token(device_code.reveal(), words.DEVICE_CODE_PREFIX):
            raise InvalidGrant
        digest = await self._mint.digest(DEVICE_CODE, device_code)
        return await self._store.poll_device_grant(digest, client_id, key_thumbprint)

    async def _enrol(self, grant: DeviceGrant, device_code: Secret[str], key_thumbprint: str) -> TokenSet:
        decision, now, nonce = grant.decision, self._clock.now(), self._mint.nonce()
        assert decision is not None
        device = grant.device(decision, key_thumbprint, now)
        successors = await self._mint.successors(device_code, nonce)
        enrolment = Enrolment(
            device=device,
            refresh_digest=successors.refresh.digest,
            access=NewAccess(token_digest=successors.access.digest, issued_at=now),
        )
        async with self._ledger.effect(enrolled(device, Actor(kind="user", actor_id=decision.user_id))):
            digest = grant.device_code_digest
            in_force = await self._store.enrol_by_device_grant(digest, enrolment, nonce)
        if in_force != nonce:
            successors = await self._mint.successors(device_code, in_force)
        return _handed(successors, device.scopes)

    async def _again(self, grant: DeviceGrant, device_code: Secret[str]) -> TokenSet:
        """Return the same tokens to a desktop that lost the answer; anything later ends the device."""
        try:
            device = await self._store.find_device(grant.device_id)
            device.check()
        except (DeviceNotFound, DeviceRevoked) as error:
            raise InvalidGrant from error
        if grant.nonce is not None and grant.is_retry():
            return _handed(await self._mint.successors(device_code, grant.nonce), device.scopes)
        refused = Deed(
            kind=Kind.GRANT_REFUSED,
            actor=Actor(kind="device", actor_id=device.device_id),
            seller_id=device.seller_id,
            result="code_reused",
        )
        await self._ledger.refusal(refused)
        await self._revoker.end(device, SELF, "code_reused")
        raise InvalidGrant


def _handed(successors: Successors, scopes: tuple[str, ...]) -> TokenSet:
    return TokenSet(
        access_token=successors.access.token, refresh_token=successors.refresh.token, scopes=scopes
    )
