"""Why auth says no when an account at Amazon is connected or let go, and when a seller has left."""

from chassis.errors import Conflict, InvalidInput, NotFound
from services.auth.model.refusals import InvalidState


class OtherAccount(InvalidState):
    """Amazon's answer names another account than the one for which the consent began (T-08)."""

    text = "Amazon answered for another account than the one you began with. Start it again from the portal."


class HandoverRefused(InvalidInput):
    """What opened the log-in URI does not have the form in which Amazon opens it (an open redirect, T-08)."""

    code = "handover_refused"
    text = (
        "This does not come from Amazon as it should. Start again from the portal or from Amazon's Appstore."
    )


class VendorCentralUnknown(InvalidInput):
    """The marketplace table names no Vendor Central for the marketplace."""

    code = "vendor_central_unknown"
    text = (
        "Vendor Central of this marketplace is not known here. Choose another marketplace of the same region."
    )


class ConsentNotFound(NotFound):
    """The consent is absent or another seller's: both answer the same (T-07)."""

    text = "There is no such connection."


class SellerOffboarded(Conflict):
    """The seller has left; nothing new is kept for them (T-18)."""

    code = "seller_offboarded"
    text = "This seller has left."
