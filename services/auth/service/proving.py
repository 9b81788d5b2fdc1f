"""Finding out whether Amazon accepts a client secret, by asking for a token that no seller stands behind.

A secret with which Amazon answered a while ago need not be proven again.
"""

from chassis.errors import SallyportError
from services.auth.model.credentials import SecretPair, Verdict
from services.auth.model.refusals import ApplicationRefused
from services.auth.service.credentials import CredentialService
from services.auth.service.login import Login
from services.auth.service.secret_changes import SecretChanges


class ProvingService:
    """Proves applications' newest secrets."""

    def __init__(self, *, credentials: CredentialService, changes: SecretChanges, login: Login) -> None:
        self._credentials = credentials
        self._changes = changes
        self._login = login

    async def prove(self, application_id: str, pair: SecretPair) -> Verdict:
        """Return whether Amazon accepts a pair's newest secret."""
        newest = pair.newest
        if self._credentials.was_accepted(newest):
            return Verdict.ACCEPTED
        try:
            await self._login.try_secret(application_id, pair.credentials(newest))
        except ApplicationRefused:
            self._credentials.note_refusal(newest)
            return Verdict.REFUSED
        except SallyportError:
            return Verdict.UNKNOWN
        self._credentials.note_acceptance(newest)
        return Verdict.ACCEPTED

    async def confirm(self, application_id: str) -> Verdict:
        """Return whether Amazon accepts an application's newest secret, and keep that it does."""
        pair = await self._credentials.find(application_id)
        verdict = await self.prove(application_id, pair)
        if verdict is Verdict.ACCEPTED and pair.newest.accepted_at is None:
            await self._changes.accept(application_id, pair.newest.secret)
        return verdict
