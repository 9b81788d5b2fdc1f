"""Consents that Amazon hands over, that are renewed, and that end."""

from typing import Protocol

from services.gateway.model.consents import Choice, Handover, Judged
from services.gateway.model.people import Visit


class ConsentKeeper(Protocol):
    """What people ask auth about consents, beside beginning, completing and listing them."""

    async def judge_handover(self, visit: Visit | None, amazon_callback_uri: str) -> Judged:
        """Return what could be connected at an address; without a visit only the address is judged.

        Raises:
            InvalidInput: `handover_refused`, it is not Amazon's.
        """
        ...

    async def answer_handover(self, visit: Visit, handover: Handover, choice: Choice) -> str:
        """Return where at Amazon the browser goes back to."""
        ...

    async def renew_consent(self, visit: Visit, consent_id: str) -> str:
        """Return the address of Amazon's consent page for the same account once more."""
        ...

    async def disconnect_consent(self, visit: Visit, consent_id: str) -> None:
        """End a consent; ending it again is harmless."""
        ...


class Consents:
    """A seller's consents, in a browser."""

    def __init__(self, *, keeper: ConsentKeeper) -> None:
        self._keeper = keeper

    async def check(self, handover: Handover) -> None:
        """Return if what opened the log-in URI may be Amazon; asked before anybody is led to sign in.

        Raises:
            InvalidInput: `handover_refused`.
        """
        await self._keeper.judge_handover(None, handover.amazon_callback_uri)

    async def judge(self, visit: Visit, handover: Handover) -> Judged:
        """Return what this person could connect."""
        return await self._keeper.judge_handover(visit, handover.amazon_callback_uri)

    async def answer(self, visit: Visit, handover: Handover, choice: Choice) -> str:
        """Return where at Amazon the browser goes back to, after the person said yes."""
        return await self._keeper.answer_handover(visit, handover, choice)

    async def renew(self, visit: Visit, consent_id: str) -> str:
        """Return the address of Amazon's page where the seller consents once more."""
        return await self._keeper.renew_consent(visit, consent_id)

    async def disconnect(self, visit: Visit, consent_id: str) -> None:
        """End a consent."""
        await self._keeper.disconnect_consent(visit, consent_id)
