"""The HTTP edge every service shares: bounded bytes in, an answer or a problem document out.

Owns the listening socket, the deadlines and caps on what strangers send (T-09), the request id, the
security headers and the shape of errors. Knows no route of its own except health and metrics.
Data flows: connection (head) → serving (id, body, handler) → problem (errors) → connection.
"""

from chassis.web.health import Readiness, private_site
from chassis.web.problem import ErrorRenderer, as_problem
from chassis.web.serving import Handler, Limits, Route
from chassis.web.site import Site

__all__ = ["ErrorRenderer", "Handler", "Limits", "Readiness", "Route", "Site", "as_problem", "private_site"]
