"""What telemetry writes about itself."""

from enum import StrEnum


class Kind(StrEnum):
    """Every kind of event whose sender is telemetry, with the details it may hold.

    Attributes:
        SERVICE_STARTED: a process began to take events. No details.
        STORE_RECOVERED: the store took events again after it had failed. Details: failed_at.
        APPEND_REFUSED: a sender's call was refused as dangerous; the result is the code. Details: refused.
        INTENT_RESOLVED: an intent stayed without outcome for too long; its fate is unknown. No details.
        KEY_LOADED: a process begins to sign checkpoints with a key. Details: key, its fingerprint.
        LOG_EXPORTED: the log was given out. Details: from_sequence.
        WEBHOOK_TESTED: an operator had a message posted that reports nothing. Details: host.
        WEBHOOK_SECRET_ROTATED: messages are signed with a new secret, and for a while with the old one too.
            No details.
        WEBHOOK_ABANDONED: a report was refused too often. Details: sequence, kind, status.
        WEBHOOK_GONE: the receiver answered that it wants no more; nothing is posted any more. Details: host.
    """

    SERVICE_STARTED = "telemetry.service.started"
    STORE_RECOVERED = "telemetry.store.recovered"
    APPEND_REFUSED = "telemetry.append.refused"
    INTENT_RESOLVED = "telemetry.intent.resolved"
    KEY_LOADED = "telemetry.key.loaded"
    LOG_EXPORTED = "telemetry.log.exported"
    WEBHOOK_TESTED = "telemetry.webhook.tested"
    WEBHOOK_SECRET_ROTATED = "telemetry.webhook.secret_rotated"  # noqa: S105 - a kind of event
    WEBHOOK_ABANDONED = "telemetry.webhook.abandoned"
    WEBHOOK_GONE = "telemetry.webhook.gone"
