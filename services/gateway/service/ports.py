"""What the use cases need from outside, as Protocols; the edge-out files fit them by shape."""

from collections.abc import Sequence
from typing import Protocol

from chassis.secrecy import Secret
from services.gateway.model.audit import AuditEvent
from services.gateway.model.consents import AccountKind
from services.gateway.model.native import Approval, AuthorizationRequest, CodeGrant, RefreshGrant, TokenSet
from services.gateway.model.people import CompatCredentials, Consent, ConsentAnswer, Desktop, Visit


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

    async def begin_consent(self, visit: Visit, marketplace_id: str, kind: AccountKind) -> str:
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

    async def authorize_device(
        self, visit: Visit, request: AuthorizationRequest, approval: Approval
    ) -> Secret[str]:
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
