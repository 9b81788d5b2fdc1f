"""What people and desktops do at the doors, apart from calling Amazon (that is `forward`).

`Portal` is a person in a browser, `NativeApps` the vendor's desktop application, `LibraryApps` a
program with an unmodified SP-API library, `Watch` the trip-wire in front of them all. Effects, and the
audit of effects, are auth's; what is decided here is who may ask it, and with what.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import chassis.entropy
import chassis.errors
from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.secrecy import Secret
from services.gateway.model import native, people, tripwire
from services.gateway.model.audit import AuditEvent, Kind, Phase
from services.gateway.model.native import (
    AuthorizationRequest,
    CodeGrant,
    NativeClient,
    RefreshGrant,
    TokenSet,
)
from services.gateway.model.people import CompatCredentials, Consent, ConsentAnswer, Desktop, Home, Visit


class People(Protocol):
    """What people ask auth. Errors are chassis kinds carrying auth's codes."""

    async def redeem_invitation(self, invitation: Secret[str]) -> Visit:
        """Return a visit with a new session; the invitation is used up."""
        ...

    async def find_session(self, session_token: Secret[str]) -> Visit:
        """Return the visit that a token stands for.

        Raises:
            Unauthenticated: unknown, or over.
        """
        ...

    async def end_session(self, visit: Visit) -> None:
        """End a session; harmless when it has ended."""
        ...

    async def begin_consent(self, visit: Visit, marketplace_id: str) -> str:
        """Return the address of Amazon's consent page for this person."""
        ...

    async def complete_consent(self, visit: Visit, answer: ConsentAnswer) -> Consent:
        """Return the consent that Amazon's answer makes; its state and code are used up."""
        ...

    async def list_consents(self, visit: Visit) -> Sequence[Consent]:
        """Return the seller's consents, newest first."""
        ...

    async def list_desktops(self, visit: Visit) -> Sequence[Desktop]:
        """Return the seller's devices, newest first."""
        ...

    async def enrol_compat_device(self, visit: Visit, name: str) -> CompatCredentials:
        """Return a new device's credentials; its refresh token is told only now."""
        ...

    async def revoke_device(self, visit: Visit, device_id: str) -> None:
        """End a device's access for good."""
        ...

    async def authorize_device(self, visit: Visit, request: AuthorizationRequest, name: str) -> Secret[str]:
        """Return a code that the desktop turns into tokens, once, within 60 s."""
        ...


class Tokens(Protocol):
    """What devices ask auth when they want tokens."""

    async def exchange_code(self, grant: CodeGrant, key_thumbprint: str) -> TokenSet:
        """Return the first tokens of a device bound to a key."""
        ...

    async def refresh_bound(self, grant: RefreshGrant, key_thumbprint: str) -> TokenSet:
        """Return new tokens of a bound device; the refresh token rotates."""
        ...

    async def refresh_compat(self, device_id: str, refresh_token: Secret[str]) -> TokenSet:
        """Return a new access token of a compat device; the refresh token stays."""
        ...


class Audit(Protocol):
    """The audit log."""

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable.

        Raises:
            Unavailable: `audit_unavailable`.
        """
        ...


class Signals(Protocol):
    """Counters and log lines; never a value that someone sent."""

    def refused(self, code: str) -> None:
        """Count one refusal by its stable code."""
        ...

    def side_failed(self, what: str, code: str) -> None:
        """Count and log a side step that failed without changing the answer."""
        ...


class Portal:
    """A person of a seller, in a browser."""

    def __init__(self, *, people: People) -> None:
        self._people = people

    async def enter(self, invitation: Secret[str]) -> Visit:
        """Return the visit that an invitation opens."""
        return await self._people.redeem_invitation(invitation)

    async def visit(self, session_token: Secret[str] | None) -> Visit:
        """Return who is on a browser.

        Raises:
            SessionMissing: the browser shows no session, or one that has ended.
        """
        if session_token is None:
            raise people.SessionMissing
        try:
            return await self._people.find_session(session_token)
        except (chassis.errors.Unauthenticated, chassis.errors.NotFound) as error:
            raise people.SessionMissing from error

    async def leave(self, visit: Visit) -> None:
        """End the session."""
        await self._people.end_session(visit)

    async def home(self, visit: Visit) -> Home:
        """Return what the portal's first page tells."""
        consents = await self._people.list_consents(visit)
        return Home(tuple(consents), tuple(await self._people.list_desktops(visit)))

    async def begin_consent(self, visit: Visit, marketplace_id: str) -> str:
        """Return the address of Amazon's page where the seller consents."""
        return await self._people.begin_consent(visit, marketplace_id)

    async def complete_consent(self, visit: Visit, answer: ConsentAnswer) -> Consent:
        """Return the consent that Amazon's answer makes.

        Raises:
            StateRefused: the answer lacks something that Amazon's answers carry.
        """
        if not (answer.state.reveal() and answer.code.reveal() and answer.selling_partner_id):
            raise people.StateRefused
        return await self._people.complete_consent(visit, answer)

    async def enrol_program(self, visit: Visit, name: str) -> CompatCredentials:
        """Return the credentials of a new device for a program with an unmodified library.

        Raises:
            DeviceNameRefused: see `people.device_name`.
        """
        return await self._people.enrol_compat_device(visit, people.device_name(name))

    async def revoke_device(self, visit: Visit, device_id: str) -> None:
        """End a device's access for good."""
        await self._people.revoke_device(visit, device_id)


class NativeApps:
    """The vendor's desktop application: a public client bound to a key of the device."""

    def __init__(self, *, people: People, tokens: Tokens, client: NativeClient, issuer: str) -> None:
        self._people = people
        self._tokens = tokens
        self._client = client
        self._issuer = issuer

    def read(self, parameters: Mapping[str, str]) -> AuthorizationRequest:
        """Return the authorization request that parameters make; see `native.read_request`."""
        return native.read_request(parameters, self._client, issuer=self._issuer)

    async def approve(self, visit: Visit, request: AuthorizationRequest, name: str) -> str:
        """Return where the browser goes with the code, once the person approved.

        Raises:
            DeviceNameRefused: see `people.device_name`.
        """
        code = await self._people.authorize_device(visit, request, people.device_name(name))
        return request.answered(code=code.reveal(), issuer=self._issuer)

    def deny(self, request: AuthorizationRequest) -> str:
        """Return where the browser goes when the person did not approve."""
        return request.denied(issuer=self._issuer)

    async def redeem(self, grant: CodeGrant | RefreshGrant, key_thumbprint: str) -> TokenSet:
        """Return the tokens that a grant gives to the holder of a key.

        Raises:
            ClientUnknown: the grant names another application.
        """
        if grant.client_id != self._client.client_id:
            raise native.ClientUnknown
        if isinstance(grant, CodeGrant):
            return await self._tokens.exchange_code(grant, key_thumbprint)
        return await self._tokens.refresh_bound(grant, key_thumbprint)


class LibraryApps:
    """A program with an unmodified SP-API library, which takes the gateway for Login with Amazon."""

    def __init__(self, *, tokens: Tokens) -> None:
        self._tokens = tokens

    async def refresh(self, device_id: str, refresh_token: Secret[str]) -> TokenSet:
        """Return a new access token; the refresh token in the answer is the one given (1.1 of the wire)."""
        return await self._tokens.refresh_compat(device_id, refresh_token)


class Watch:
    """The trip-wire: nobody hands Amazon's secrets in at these doors (T-06)."""

    def __init__(self, *, audit: Audit, signals: Signals, clock: Clock, entropy: Entropy) -> None:
        self._audit = audit
        self._signals = signals
        self._clock = clock
        self._entropy = entropy

    async def check(self, parts: Iterable[str], *, door: str, request_id: str) -> None:
        """Let what a request carries pass.

        Args:
            parts: every value, decoded.
            door: which door it came to, one of our own words.
            request_id: goes to the audit log.

        Raises:
            CredentialsNotAccepted: one of them looks like a secret of Amazon's. The fact is audited;
                when that fails the refusal stands all the same, because nothing is done.
        """
        try:
            tripwire.check(part.encode("utf-8", "surrogatepass") for part in parts)
        except tripwire.CredentialsNotAccepted as refusal:
            self._signals.refused(refusal.code)
            await self._tell(refusal.code, door, request_id)
            raise

    async def _tell(self, code: str, door: str, request_id: str) -> None:
        event = AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=Kind.CREDENTIALS_REFUSED,
            phase=Phase.FACT,
            occurred_at=self._clock.now(),
            actor_id="",
            seller_id="",
            request_id=request_id,
            result=code,
            details={"operation": door},
        )
        try:
            await self._audit.record(event)
        except chassis.errors.Unavailable as error:
            self._signals.side_failed("audit_of_refusal", error.code)


class AuditProbe:
    """Whether the audit log takes events: one event, handed in again and again, is one record (R-04)."""

    def __init__(self, *, audit: Audit, clock: Clock, entropy: Entropy) -> None:
        self._audit = audit
        self._event = AuditEvent(
            event_id=chassis.entropy.new_id(clock, entropy),
            kind=Kind.PROCESS_STARTED,
            phase=Phase.FACT,
            occurred_at=clock.now(),
            actor_id="",
            seller_id="",
            request_id="",
            result="started",
            details={},
        )

    async def check(self) -> None:
        """Return if the audit log has this process's start, and would have taken anything else.

        Raises:
            Unavailable: it does not take events.
        """
        await self._audit.record(self._event)
