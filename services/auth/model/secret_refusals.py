"""Why auth says no about client secrets: their forms, their rotation, the queue that brings them."""

from chassis.errors import Conflict, Denied, InvalidInput, LimitExceeded, Unavailable


class InvalidSecret(InvalidInput):
    """This cannot be a client secret."""

    code = "invalid_client_secret"
    text = "A client secret is one line of 1 to 512 printable characters without blanks."


class InvalidExpiry(InvalidInput):
    """A client secret does not end then."""

    code = "invalid_expiry"
    text = "A client secret's end lies ahead, by 366 days at most."


class SecretRefused(InvalidInput):
    """Amazon answered `invalid_client` for a secret that was handed in; it was not kept."""

    code = "client_secret_refused"
    text = "Amazon does not accept this client secret. Nothing was changed."


class SecretsContended(Conflict):
    """Others changed the application's secrets again and again meanwhile."""

    code = "client_secrets_contended"
    text = "The application's secrets are being changed by others; ask again."


class RotationUnderWay(Conflict):
    """Another replica looks after the application's secrets right now."""

    code = "rotation_under_way"
    text = "The application's secrets are being looked after right now; ask again in a minute."


class RotationUnheard(Conflict):
    """Nobody here would hear the new secret."""

    code = "rotation_unheard"
    text = "No queue is configured on which the new secret would arrive."


class RotationUnenrolled(Conflict):
    """Amazon has no queue to send the new secret to. Source: Application Management API, status 400."""

    code = "rotation_not_enrolled"
    text = "The application has no queue for rotation in its notification preferences at Amazon."


class RotationRefused(Denied):
    """Amazon does not let the application rotate its secret."""

    code = "rotation_refused"
    text = "Amazon does not let the application rotate its secret."


class RotationTooSoon(LimitExceeded):
    """Amazon was asked for a new secret less than a day ago."""

    code = "rotation_too_soon"
    text = "Amazon was asked for a new secret less than a day ago."


class QueueUnavailable(Unavailable):
    """The queue gives no answer, or does not let us in."""

    code = "queue_unavailable"
    text = "The queue is not available."
