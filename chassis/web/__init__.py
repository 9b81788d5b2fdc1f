"""The HTTP edge every service shares: bounded bytes in, an answer or a problem document out.

Owns the listening socket (or none, where another server has it), the deadlines and caps on what strangers
send (T-09), the request id, the security headers and the shape of errors. Knows no route of its own except
health and metrics.
Data flows: connection (head) → serving (id, body, handler) → problem (errors) → connection.
"""

from chassis.web.connection import REQUEST_ID_HEADER, SERVER_NAME
from chassis.web.health import Readiness, private_site
from chassis.web.places import Places
from chassis.web.problem import ErrorRenderer, as_problem
from chassis.web.serving import Handler, Limits, Route, security_headers
from chassis.web.site import Site
from chassis.web.socketless import Inlet, SocketlessSite

__all__ = [
    "REQUEST_ID_HEADER",
    "SERVER_NAME",
    "ErrorRenderer",
    "Handler",
    "Inlet",
    "Limits",
    "Places",
    "Readiness",
    "Route",
    "Site",
    "SocketlessSite",
    "as_problem",
    "private_site",
    "security_headers",
]
