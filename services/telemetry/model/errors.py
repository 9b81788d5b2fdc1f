"""Why telemetry refuses: one class per reason."""

import chassis.errors


class EventInvalid(chassis.errors.InvalidInput):
    """An event, or the batch around it, breaks a rule of shape."""

    code = "event_invalid"
    text = "The event is not valid."


class SensitiveContent(chassis.errors.InvalidInput):
    """An event carries something shaped like a credential or like personal data (T-14)."""

    code = "sensitive_content"
    text = "The event holds what looks like a credential or personal data; it was not kept."
    http_status = 422


class KindNotOwned(chassis.errors.Denied):
    """A service tried to write an event in another's name (T-35)."""

    code = "kind_not_owned"
    text = "A service may only write events whose kind starts with its own name."


class IdempotencyConflict(chassis.errors.Conflict):
    """An event id came back with another body (T-35)."""

    code = "idempotency_conflict"
    text = "This event id was used before for another event."


class IntentUnknown(chassis.errors.InvalidInput):
    """An outcome names an intent that the log does not hold for this sender."""

    code = "intent_unknown"
    text = "The log holds no intent of this sender with this id."


class OutcomeAlreadyRecorded(chassis.errors.Conflict):
    """An intent's fate is known for good; a second verdict is refused."""

    code = "outcome_already_recorded"
    text = "The final outcome of this intent is already recorded."


class AuditUnavailable(chassis.errors.Unavailable):
    """The log cannot take events right now; nothing may happen that needs it (R-02)."""

    code = "audit_unavailable"
    text = "The audit log cannot be written right now, so nothing was done."


class SequenceBeyondHead(chassis.errors.InvalidInput):
    """An export was asked to start after the log's end."""

    code = "sequence_beyond_head"
    text = "The log is shorter than that."


class CheckpointContended(chassis.errors.Unavailable):
    """Other processes signed every checkpoint number we tried."""

    code = "checkpoint_contended"
    text = "Too many checkpoints are being signed at once."


class WebhookMissing(chassis.errors.Conflict):
    """No receiver is configured."""

    code = "webhook_missing"
    text = "No webhook is configured."
