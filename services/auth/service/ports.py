"""What auth's use cases need from outside, besides storage. The edge-out files fit these by shape."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.secrecy import Secret
from services.auth.model.audit import AuditEvent
from services.auth.model.consents import Credentials, Region
from services.auth.model.grantless import Scope
from services.auth.model.lending import Grant
from services.auth.model.restricted import Resource
from services.auth.model.sealing import AnyPlace
from services.auth.service.key_ports import Keyring
from services.auth.service.people_ports import IdentityProvider, OneTimeCodes, PasskeyVerifier, PasswordHasher
from services.auth.service.rotation_ports import SecretPairs, SecretSignals
from services.auth.service.storage import Store


class Sealer(Protocol):
    """Sealing under sellers' and applications' keys, which never leave the key service."""

    async def create_key(self, seller_id: str) -> None:
        """Make a seller's key; making it again is harmless."""
        ...

    async def destroy_key(self, seller_id: str) -> None:
        """Destroy a seller's key for good, with all that is sealed under it; repeating it is harmless."""
        ...

    async def create_application_key(self, application_id: str) -> None:
        """Make an application's key; making it again is harmless."""
        ...

    async def seal(self, place: AnyPlace, plaintext: Secret[str]) -> str:
        """Return a value sealed for its place."""
        ...

    async def open(self, place: AnyPlace, sealed: str) -> Secret[str]:
        """Return what was sealed for this place.

        Raises:
            Unavailable: `integrity_failure` when it was not, `key_service_unavailable`.
        """
        ...


class Digests(Protocol):
    """Keyed digests: how tokens are known without being kept."""

    async def digest(self, purpose: str, text: str) -> bytes:
        """Return 32 bytes that only auth can make; another purpose gives unrelated bytes.

        Raises:
            Unavailable: `key_service_unavailable`.
        """
        ...


class Amazon(Protocol):
    """Amazon's token endpoints. Every error is typed; an upstream's words never travel with it."""

    async def exchange_code(self, credentials: Credentials, code: Secret[str], redirect_uri: str) -> Grant:
        """Return what a consent's code is worth; a code works once.

        Raises:
            GrantRefused, ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        ...

    async def refresh(self, credentials: Credentials, refresh_token: Secret[str]) -> Grant:
        """Return a fresh access token.

        Raises:
            GrantRefused, ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        ...

    async def grantless(self, credentials: Credentials, scope: Scope) -> Grant:
        """Return an access token that no seller stands behind.

        Raises:
            ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        ...

    async def rotate_secret(self, region: Region, access_token: Secret[str]) -> None:
        """Have Amazon make a new client secret, which it sends to the vendor's queue; never asked twice.

        Args:
            region: whose endpoint is asked.
            access_token: grantless, of the scope for rotation.

        Raises:
            RotationUnenrolled, RotationRefused: nothing was made.
            AuthorizationUnavailable, UpstreamInvalid: it may have been made.
        """
        ...

    async def restrict(self, region: Region, access_token: Secret[str], resource: Resource) -> Grant:
        """Return a restricted data token for one operation.

        Raises:
            AccessTokenRefused: it is the access token that is not taken.
            RestrictionRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        ...


class Safe(Protocol):
    """Retention's safe, where buyers' data is kept."""

    async def erase_seller(self, seller_id: str) -> str:
        """Erase everything of a seller; return the receipt's id. Repeating it is harmless.

        Raises:
            Unavailable: not all of it is proven to be gone.
        """
        ...


class Audit(Protocol):
    """The audit log."""

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable; telling it again is harmless.

        Raises:
            AuditUnavailable: it may or may not be durable.
        """
        ...


class Signals(SecretSignals, Protocol):
    """Counters; never a value that a caller chose."""

    def lent(self, kind: str, source: str) -> None:
        """Count a token of Amazon's lent: kind "access" or "restricted", source as `lending.Source`."""
        ...

    def refreshed(self, result: str) -> None:
        """Count an attempt to refresh: "done" or the code of what went wrong."""
        ...

    def reported(self, result: str) -> None:
        """Count a token that Amazon is said to have refused: "forgotten" or "kept"."""
        ...

    def turn_taken(self, wait_s: float) -> None:
        """Observe how long somebody waited for a turn at Login with Amazon."""
        ...

    def held_back(self) -> None:
        """Count that Login with Amazon told the application to hold back."""
        ...

    def application_refused(self) -> None:
        """Raise the alarm: Amazon refuses the application, and with it every seller."""
        ...

    def overdrawn(self, *, is_alarm: bool) -> None:
        """Count a loan refused for its borrower's budget; raise the alarm for the first of an episode."""
        ...

    def refused(self, use_case: str, code: str) -> None:
        """Count a refusal worth an alarm."""
        ...

    def ended(self, what: str, why: str) -> None:
        """Count a "device" or "consent" that ended."""
        ...

    def ending_soon(self, within_days: int, count: int) -> None:
        """Show how many active consents end within so many days."""
        ...

    def offboardings(self, *, under_way: int, overdue: int) -> None:
        """Show how many sellers' leaving is not finished, and raise the alarm about those that are late."""
        ...

    def access_review_age(self, age_s: float, *, is_overdue: bool) -> None:
        """Show how long ago somebody reviewed who has access to what; when it is overdue, an alarm."""
        ...

    def told_late(self, result: str) -> None:
        """Count an event that the audit log did not take at once: "kept", "told" or "lost"."""
        ...

    def key_age(self, oldest_s: float) -> None:
        """Show for how long the oldest sealing key's newest version is in use."""
        ...

    def sealed_damaged(self, values: int) -> None:
        """Count sealed values that did not open, to be sealed anew or to be listed; an alarm."""
        ...


class Vault(Sealer, Digests, SecretPairs, Keyring, Protocol):
    """All of the key service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that the use cases stand on."""

    store: Store
    vault: Vault
    amazon: Amazon
    passkeys: PasskeyVerifier
    hasher: PasswordHasher
    codes: OneTimeCodes
    provider: IdentityProvider
    safe: Safe
    audit: Audit
    signals: Signals
    clock: Clock
    entropy: Entropy
    request_id: Callable[[], str]
