"""What the door refuses by itself, whatever the request was for."""

import chassis.errors
from chassis.web.problem import BodyTooLarge, HeadTooLarge, MalformedRequest, Overloaded, RequestTimeout
from services.gateway.model.codings import EncodingNotServed

__all__ = [
    "BodyTooLarge",
    "ClientGone",
    "EncodingNotServed",
    "ExpectationFailed",
    "HeadTooLarge",
    "MalformedRequest",
    "MethodNotImplemented",
    "Overloaded",
    "RequestTimeout",
    "UpgradeNotServed",
    "VersionNotServed",
]


class MethodNotImplemented(chassis.errors.InvalidInput):
    """A method that HTTP does not know, or one that makes a tunnel."""

    code = "method_not_implemented"
    text = "This method is not implemented."
    http_status = 501


class UpgradeNotServed(chassis.errors.InvalidInput):
    """The client wants to speak another protocol."""

    code = "upgrade_not_served"
    text = "Only HTTP/1.1 is spoken here; a request must not ask for an upgrade."
    http_status = 501


class VersionNotServed(chassis.errors.InvalidInput):
    """Neither HTTP/1.1 nor HTTP/1.0."""

    code = "version_not_served"
    text = "Only HTTP/1.1 is spoken here."
    http_status = 505


class ExpectationFailed(chassis.errors.InvalidInput):
    """An expectation other than 100-continue."""

    code = "expectation_failed"
    text = "The request expects what cannot be met."
    http_status = 417


class ClientGone(ConnectionError):
    """The client has gone, or was too slow to be waited for: there is nobody to answer."""
