"""Why retention refuses: one class per reason."""

import chassis.errors

# What the key service calls a key that was destroyed.
KEY_GONE = "key_gone"


class Expired(chassis.errors.Gone):
    """The record's clock has run out, whether or not anybody erased it yet (R-19)."""

    code = "expired"
    text = "The time for keeping this has run out."


class NothingKept(chassis.errors.NotFound):
    """There is no such record, or it is another seller's: both answer the same (T-07)."""

    code = "nothing_kept"
    text = "Nothing is kept under this name."


class OrderNotObserved(chassis.errors.Conflict):
    """Nobody told when the order was known to be unshipped or shipped, so no clock can be set."""

    code = "order_not_observed"
    text = "Nothing is known about this order's shipment yet, so no copy of it can be kept."


class NameInvalid(chassis.errors.InvalidInput):
    """A seller id, order id or field set is not shaped like one."""

    code = "name_invalid"
    text = "A seller id, order id or field set is not valid."


class RequestInvalid(chassis.errors.InvalidInput):
    """A field is missing or out of bounds; the text names it."""

    code = "request_invalid"
    text = "The request is not valid."


class RecordTooLarge(chassis.errors.InvalidInput):
    """More than PLAINTEXT_BYTES_MAX was to be sealed."""

    code = "record_too_large"
    text = "The record is too large to keep."
    http_status = 413


class RecordUnsound(chassis.errors.Unavailable):
    """A record does not open where it lies; it is set aside and never tried again (T-16)."""

    code = "integrity_failure"
    text = "The kept copy failed its integrity check."


class OrderContended(chassis.errors.Unavailable):
    """Others keep changing the same order's clock."""

    code = "order_contended"
    text = "The order is being changed by others; ask again."


class KeyRetired(chassis.errors.Unavailable):
    """The data key at hand was erased meanwhile."""

    code = "key_retired"
    text = "The key for this record was just erased; ask again."


class SubjectClosed(chassis.errors.Unavailable):
    """The day or seller is being erased, or the day has been: nothing new may go under its key."""

    code = "being_erased"
    text = "This is being erased, so nothing can be kept under it now."


class SubjectUnknown(chassis.errors.NotFound):
    """Nothing was ever kept for this day or seller."""

    code = "subject_unknown"
    text = "Nothing was ever kept for this day or seller."


class ErasureUnproven(chassis.errors.Unavailable):
    """The verifier still found a path to what should be gone; the erasure is tried again."""

    code = "erasure_unproven"
    text = "The verifier still found a path to the data, so there is no receipt yet."


class AuditUnavailable(chassis.errors.Unavailable):
    """The audit log cannot take events, so nothing that needs one may happen (R-02)."""

    code = "audit_unavailable"
    text = "The audit log cannot be written right now, so nothing was done."
