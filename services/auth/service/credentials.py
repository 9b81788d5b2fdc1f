"""An application's client secrets at work: shown to Amazon newest first, the older one when that is refused.

Every call to Amazon's token endpoint goes through `present`. Which secret Amazon refused is remembered for a
while, in this process only, so that the other one goes first meanwhile; none is given up without a try, and
only when Amazon accepts none is the application refused.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.recent import Recent
from services.auth.model.consents import Credentials
from services.auth.model.credentials import ClientSecret, SecretPair
from services.auth.model.refusals import ApplicationRefused
from services.auth.service.ports import Ports

REFUSED_REMEMBERED_S = 300.0
# A secret that Amazon accepted so recently need not be proven again.
ACCEPTED_REMEMBERED_S = 3_600.0
SECRETS_REMEMBERED_MAX = 128

T = TypeVar("T")


class CredentialService:
    """What applications show Amazon's token endpoint."""

    def __init__(self, ports: Ports) -> None:
        self._vault = ports.vault
        self._signals = ports.signals
        self._clock = ports.clock
        self._refused_until_s: Recent[str, float] = Recent(SECRETS_REMEMBERED_MAX)
        self._accepted_until_s: Recent[str, float] = Recent(SECRETS_REMEMBERED_MAX)

    async def find(self, application_id: str) -> SecretPair:
        """Return an application's secrets, for one use.

        Raises:
            ApplicationMissing: it was never registered.
        """
        return (await self._vault.find_secrets(application_id)).pair

    async def present(self, pair: SecretPair, call: Callable[[Credentials], Awaitable[T]]) -> T:
        """Return what a call to Amazon's token endpoint returns for the first secret that Amazon accepts.

        Args:
            pair: as `find` gave it.
            call: made once for each secret until one is accepted, twice at most.

        Raises:
            ApplicationRefused: Amazon accepts none. Any other error ends the attempts at once.
        """
        refusal = ApplicationRefused()
        for secret in sorted(pair.held, key=self._is_refused):
            try:
                answer = await call(pair.credentials(secret))
            except ApplicationRefused as error:
                self.note_refusal(secret)
                refusal = error
            else:
                self.note_acceptance(secret)
                return answer
        self._signals.secret_refused("all")
        raise refusal

    def was_accepted(self, secret: ClientSecret) -> bool:
        """Return whether Amazon accepted a secret within ACCEPTED_REMEMBERED_S, seen from this process."""
        return self._clock.monotonic_s() < (self._accepted_until_s.get(secret.secret_id) or 0.0)

    def note_refusal(self, secret: ClientSecret) -> None:
        """Remember that Amazon refused a secret."""
        if not self._is_refused(secret):
            self._signals.secret_refused("one")
        self._refused_until_s.put(secret.secret_id, self._clock.monotonic_s() + REFUSED_REMEMBERED_S)
        self._accepted_until_s.drop(secret.secret_id)

    def note_acceptance(self, secret: ClientSecret) -> None:
        """Remember that Amazon accepted a secret."""
        self._refused_until_s.drop(secret.secret_id)
        self._accepted_until_s.put(secret.secret_id, self._clock.monotonic_s() + ACCEPTED_REMEMBERED_S)

    def _is_refused(self, secret: ClientSecret) -> bool:
        return self._clock.monotonic_s() < (self._refused_until_s.get(secret.secret_id) or 0.0)
