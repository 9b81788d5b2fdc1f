"""Finding out whether Amazon accepts a client secret, by asking for a token that no seller stands behind.

A secret with which Amazon answered a while ago need not be proven again.
"""

from chassis.errors import SallyportError
from services.auth.model.credentials import ClientSecret, SecretPair, Verdict
from services.auth.model.refusals import ApplicationRefused
from services.auth.service.credentials import CredentialService
from services.auth.service.login import Login
from services.auth.service.secret_changes import SecretChanges


class ProvingService:
    """Proves applications' secrets."""

    def __init__(self, *, credentials: CredentialService, changes: SecretChanges, login: Login) -> None:
        self._credentials = credentials
        self._changes = changes
        self._login = login

    async def is_refused(self, application_id: str, pair: SecretPair) -> bool:
        """Return whether Amazon refuses every secret there is."""
        verdicts = [await self._verdict(application_id, pair, secret) for secret in pair.held]
        return all(verdict is Verdict.REFUSED for verdict in verdicts)

    async def confirm(self, application_id: str) -> Verdict:
        """Return whether Amazon accepts an application's newest secret, and keep which one it does accept.

        When it refuses the newest, the older one is proven too, so that it is known what there is to rely on.
        """
        pair = await self._credentials.find(application_id)
        verdict = await self._confirmed(application_id, pair, pair.newest)
        if verdict is Verdict.REFUSED and pair.older is not None:
            await self._confirmed(application_id, pair, pair.older)
        return verdict

    async def _confirmed(self, application_id: str, pair: SecretPair, secret: ClientSecret) -> Verdict:
        verdict = await self._verdict(application_id, pair, secret)
        if verdict is Verdict.ACCEPTED and secret.accepted_at is None:
            await self._changes.accept(application_id, secret.secret)
        return verdict

    async def _verdict(self, application_id: str, pair: SecretPair, secret: ClientSecret) -> Verdict:
        if self._credentials.was_accepted(secret):
            return Verdict.ACCEPTED
        try:
            await self._login.try_secret(application_id, pair.credentials(secret))
        except ApplicationRefused:
            self._credentials.note_refusal(secret)
            return Verdict.REFUSED
        except SallyportError:
            return Verdict.UNKNOWN
        self._credentials.note_acceptance(secret)
        return Verdict.ACCEPTED
