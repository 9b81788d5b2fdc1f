"""What every part of the key service's client stands on."""

from chassis.vault.session import Session


class VaultPart:
    """Questions that share one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
