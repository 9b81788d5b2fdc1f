"""How a consent begins: a state that Amazon carries, good once, for who began it and for what was chosen."""

from dataclasses import dataclass

from chassis.secrecy import Secret
from services.auth.model.consents import STATE_LIFE, AccountKind, Application, State
from services.auth.model.marketplaces import Marketplace
from services.auth.model.people import Session
from services.auth.service.mint import Mint
from services.auth.service.ports import Ports


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a person decided to connect.

    Attributes:
        selling_partner_digest: of the one account that may come back; None when any may.
    """

    application: Application
    marketplace: Marketplace
    account_kind: AccountKind
    selling_partner_digest: bytes | None = None


class States:
    """The beginnings of consents."""

    def __init__(self, ports: Ports, mint: Mint) -> None:
        self._store = ports.store
        self._clock = ports.clock
        self._mint = mint

    async def begin(self, session: Session, choice: Choice) -> Secret[str]:
        """Return a new state for Amazon to carry, kept with who began it and what was chosen (T-08)."""
        minted = await self._mint.new_state()
        state = State(
            state_digest=minted.digest,
            session_id=session.session_id,
            seller_id=session.seller_id,
            marketplace_id=choice.marketplace.marketplace_id,
            region=choice.marketplace.region,
            account_kind=choice.account_kind,
            application_id=choice.application.application_id,
            selling_partner_digest=choice.selling_partner_digest,
            expires_at=self._clock.now() + STATE_LIFE,
        )
        await self._store.begin_consent(state)
        return minted.token
