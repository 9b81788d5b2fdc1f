"""What can go wrong with the key service, as its callers see it."""

import chassis.errors


class KeyServiceUnavailable(chassis.errors.Unavailable):
    """Vault is sealed, away, too slow, or does not accept this process."""

    code = "key_service_unavailable"
    text = "The key service cannot answer right now."


class SecretDamaged(KeyServiceUnavailable):
    """What is stored at a path cannot be read; the log tells an operator which path and what to do.

    Attributes:
        advice: the same for an operator who reads no log, without the value; callers are not told.
    """

    is_alarming = True

    def __init__(self, advice: str) -> None:
        self.advice = advice
        super().__init__()


class KeyAccessDenied(chassis.errors.Denied):
    """This process's policy does not allow what it asked of Vault."""

    code = "key_access_denied"
    text = "The key service does not allow this."


class KeyGone(chassis.errors.Gone):
    """The key was destroyed, and with it everything sealed under it."""

    code = "key_gone"
    text = "The key of this value was destroyed."


class SecretNotFound(chassis.errors.NotFound):
    """Nothing is stored at this path."""

    code = "secret_not_found"
    text = "There is no such secret."
